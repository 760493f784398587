"""Replaced-token detection, beside fill in the blank: more is learnt from a text, since every token is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..arrays import Noise, Tensor
from ..errors import InputError
from ..registry import TASKS
from .base import BatchOutput
from .language_modeling import MaskedLM, model_inputs, special_ids


@dataclass(frozen=True)
class ReplacedToken(MaskedLM):
    """ELECTRA's objective for a model that can still fill in blanks.

    Of the positions to be guessed a share stays masked, and the model guesses them as in `masked-lm`. Into the others
    a small generator, trained along, writes what it holds for likely; of every token the model then says whether it
    is the original one (Clark et al. 2020, arXiv:2003.10555).
    """

    name: ClassVar[str] = "replaced-token"
    description: ClassVar[str] = "pretrain a BERT as ELECTRA is: masked-lm, and telling replaced tokens: text"

    mask_share: float = 0.2
    """Share of the tokens that the generator guesses."""
    blank_share: float = 0.3
    """Share of these that stay masked for the model to guess."""
    detection_weight: float = 50.0
    """Weight of the detection loss beside the two masked-LM losses, each a mean over its tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.blank_share < 1:
            raise InputError(f"{self.blank_share}", place="--blank_share", expected="a share between 0 and 1")
        if self.detection_weight <= 0:
            raise InputError(f"{self.detection_weight}", place="--detection_weight", expected="above 0")

    def model_class(self) -> Any:
        """A masked language model with a generator beside it."""
        from ..heads import Detecting

        return Detecting

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """As in `masked-lm`, and in training which of the positions stay `blank`, and which tokens are `judged`."""
        import numpy as np
        import torch

        batch = super().collate(features, tokenizer, noise=noise)
        if noise is None:
            return batch
        positions = batch["positions"].numpy()
        blank = noise.random(len(positions)) < self.blank_share
        judged = batch["attention_mask"].numpy().reshape(-1).astype(bool)
        judged &= ~special_ids(tokenizer)[0][batch["input_ids"].numpy().reshape(-1)]
        judged[positions] = ~blank
        for name, chosen in (("blank", blank), ("drawn", ~blank), ("judged", judged)):
            batch[name] = torch.from_numpy(np.flatnonzero(chosen))
        batch["mask_id"] = torch.tensor(tokenizer.mask_token_id)
        return batch

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """The generator's masked-LM loss, the model's at the blanks, and its detection loss at all other tokens."""
        import torch
        from torch.nn import functional as F

        from ..losses import gather

        positions, labels, blank = batch["positions"], batch["labels"], batch["blank"]
        given = model_inputs(batch)
        generator = gather(model.generator, given, positions)
        drawn = positions[batch["drawn"]]
        with torch.no_grad():
            chosen = generator._replace(hidden=generator.hidden[batch["drawn"]])
            written = [torch.multinomial(logits.softmax(1), 1)[:, 0] for logits in chosen.logits()]
        original = batch["input_ids"].flatten().clone()
        original[positions] = labels
        shown = original.clone()
        shown[positions[blank]] = batch["mask_id"]
        shown[drawn] = torch.cat([*written, drawn[:0]])
        given["input_ids"] = shown.view_as(batch["input_ids"])
        main = gather(model.main, given, positions[blank])
        verdicts = model.detector(main.states.flatten(0, 1)[batch["judged"]])[:, 0].float()
        replaced = (shown != original)[batch["judged"]].float()
        detecting = F.binary_cross_entropy_with_logits(verdicts, replaced)
        return generator.loss(labels) + main.loss(labels[blank]) + self.detection_weight * detecting

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """As in `masked-lm`."""
        return super().predict_batch(model.main, batch)


TASKS.register("replaced-token", ReplacedToken)
