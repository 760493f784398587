"""Masked language modelling: fill in the blank, as BERT is pretrained, from scratch or continued."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar, NamedTuple

from ..errors import InputError, raise_together
from ..examples.base import Example
from ..examples.text import RawExample
from ..registry import TASKS
from ..runtime.types import Array, Noise, Tensor
from ..text.tokens import Template
from .base import BatchOutput, Features, Raw, Window
from .batches import arrays, numbers, pad_inputs
from .language_model import LanguageModel, Likelihood, model_inputs, parts

_MASK = "[MASK]"
"""How a blank is written in a text to be filled in, whatever the tokenizer's own mask token is."""
_MASKED, _REPLACED_BY_ANY = 0.8, 0.1
"""Of the tokens to be guessed: the share that becomes the mask token, and the share that becomes any token; the rest
stays as it is (Devlin et al. 2019, arXiv:1810.04805)."""


class Candidate(NamedTuple):
    """A token for a blank."""

    token: str
    score: float
    """Its probability, 0 to 1."""


@dataclass(frozen=True)
class Filled:
    """A text whose blanks are filled in."""

    text: str
    """With the likeliest token in each blank, each guessed alone."""
    candidates: tuple[tuple[Candidate, ...], ...]
    """For each blank the likeliest tokens, best first."""


@dataclass(frozen=True)
class MaskedLM(LanguageModel[RawExample, Likelihood | Filled]):
    """Guess the tokens that are hidden. Masks are drawn anew in every epoch, and stay the same in evaluation."""

    name: ClassVar[str] = "masked-lm"
    description: ClassVar[str] = "pretrain a BERT on raw text, or adapt one to it: text"
    example: ClassVar[type[Example]] = RawExample
    inference_options: ClassVar[frozenset[str]] = frozenset({"candidates"})
    outputs: ClassVar[tuple[str, ...]] = ("logits",)
    example_input: ClassVar[tuple[str, ...]] = ("오늘은 [MASK] 좋다",)

    mask_share: float = 0.15
    """Share of the tokens to be guessed; 80% of them are masked, 10% replaced by any token, 10% left as they are."""
    whole_words: bool = False
    """Mask all tokens of an eojeol (what stands between spaces), or none of them."""
    candidates: int = 5
    """Tokens to propose for a blank."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = []
        if not 0 < self.mask_share < 1:
            wrong.append(InputError(f"{self.mask_share}", place="--mask_share", expected="a share between 0 and 1"))
        if self.candidates < 1:
            wrong.append(InputError(f"{self.candidates}", place="--candidates", expected="at least 1"))
        raise_together(wrong)

    def model_class(self) -> Any:
        """The standard head."""
        from transformers import AutoModelForMaskedLM

        return AutoModelForMaskedLM

    def check_model(self, config: Any) -> None:
        """See `Task.check_model`.

        Raises:
            InputError: the checkpoint is of a kind that fills in no blanks, whatever tokens its vocabulary has.
        """
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

        if config.model_type not in MASKED:
            raise InputError(
                f"the checkpoint is a {config.model_type}, which does not fill in blanks",
                place=f"--task {self.name}",
                expected="a BERT, a RoBERTa, an ELECTRA generator",
                fix="--task causal-lm for a GPT",
            )

    def check(self, tokenizer: Any) -> None:
        """See `LanguageModel.check`."""
        if tokenizer.mask_token_id is None:
            raise InputError(
                "the tokenizer of this checkpoint has no mask token",
                place="--task masked-lm",
                expected="a BERT, a RoBERTa, an ELECTRA generator",
                fix="--task causal-lm for a GPT",
            )

    def encode(
        self, examples: Sequence[RawExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; to be filled in, a text has at least one [MASK]."""
        room = self.room(tokenizer, max_length)
        asked = labels is None
        if asked:
            self.check(tokenizer)
        texts = [_with_blanks(example, tokenizer) if asked else example.text for example in examples]
        out: list[Features] = []
        tokens = self.tokenize(texts, tokenizer, offsets=self.whole_words)
        for i, (normalized, (ids, offsets)) in enumerate(tokens):
            words = list(_eojeols(normalized.text, offsets)) if self.whole_words else []
            for start, end in parts(len(ids), room, asked=asked):
                built, _, lead = Template.of(tokenizer).build(ids[start:end])
                features: Features = {"input_ids": built, "example": i, "lost": 0}
                if asked:
                    features["asked"] = 1
                elif self.whole_words:
                    behind = len(built) - lead - (end - start)
                    features["words"] = [-1] * lead + words[start:end] + [-1] * behind
                out.append(features)
        return out

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; `positions` in the flattened batch and their true `labels`: (targets,)."""
        import numpy as np
        import torch

        if "asked" in features[0]:
            return {name: torch.from_numpy(array) for name, array in self.graph_batch(features, tokenizer).items()}
        batch = pad_inputs(features, tokenizer)
        flat = batch["input_ids"].numpy().reshape(-1)
        special, ordinary = special_ids(tokenizer)
        positions, fates, others = [], [], []
        longest = batch["input_ids"].shape[1]
        for i, window in enumerate(features):
            # in evaluation by its own content: the same masks in any batch
            rng = noise if noise is not None else np.random.default_rng(_digest(window["input_ids"]))
            chosen = self._choose(window, special, rng)
            positions.append(i * longest + chosen)
            fates.append(rng.random(len(chosen)))
            others.append(ordinary[rng.integers(len(ordinary), size=len(chosen))])
        places, fate, other = np.concatenate(positions), np.concatenate(fates), np.concatenate(others)
        batch["positions"], batch["labels"] = torch.from_numpy(places), torch.from_numpy(flat[places])
        replaced = fate >= 1 - _REPLACED_BY_ANY
        flat[places[fate < _MASKED]] = tokenizer.mask_token_id
        flat[places[replaced]] = other[replaced]
        return batch

    def _choose(self, window: Mapping[str, Any], special: Array, rng: Noise) -> Array:
        """Which places of a window are to be guessed, at least one. Shape: (targets,)."""
        import numpy as np

        places = np.flatnonzero(~special[window["input_ids"]])
        if not len(places):
            return places
        groups = np.arange(len(places))
        if "words" in window:
            groups = np.unique(np.asarray(window["words"])[places], return_inverse=True)[1]
        luck = rng.random(int(groups[-1]) + 1)
        taken = luck < self.mask_share
        taken[luck.argmin()] = True
        return places[taken[groups]]

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (loss, targets, correct), or (ids, probabilities) of each blank."""
        from ..modeling.losses import gather

        if "labels" in batch:
            return self._likelihoods(model, batch)
        said = gather(model, model_inputs(batch), batch["positions"]).logits()
        return BatchOutput(self._likeliest(chain.from_iterable(map(numbers, said)), batch))

    def graph_batch(self, features: Sequence[Mapping[str, Any]], tokenizer: Any) -> dict[str, Array]:
        """See `Task.graph_batch`; `positions` are those of the blanks in the flattened batch: (blanks,)."""
        import numpy as np

        batch = arrays(features, tokenizer)
        return batch | {"positions": np.flatnonzero(batch["input_ids"].reshape(-1) == tokenizer.mask_token_id)}

    def raw(self, said: Mapping[str, Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        """See `Task.raw`; the logits are those at `positions`, (blanks, vocabulary)."""
        return self._likeliest(said["logits"], batch)

    def _likeliest(self, said: Iterable[Array], batch: Mapping[str, Array | Tensor]) -> list[Raw]:
        import numpy as np

        rows, longest = batch["input_ids"].shape
        raw: list[list[tuple[Any, Any]]] = [[] for _ in range(rows)]
        for at, logits in zip(batch["positions"].tolist(), said, strict=True):
            number = min(self.candidates, len(logits))
            ids = np.argpartition(-logits, number - 1)[:number]
            ids = ids[np.argsort(-logits[ids], kind="stable")]
            shares = np.exp(logits - logits[ids[0]])
            raw[at // longest].append((ids.tolist(), (shares[ids] / shares.sum()).tolist()))
        return raw

    def decode(
        self, example: RawExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> Likelihood | Filled:
        """See `Task.decode`; a piece that goes on with a word is joined to it."""
        if "asked" not in windows[0].features:
            return self._likelihood(windows)
        blanks = []
        for ids, scores in (blank for window in windows for blank in window.raw):
            tokens = [tokenizer.decode([token]).strip() for token in ids]
            blanks.append(tuple(Candidate(token, score) for token, score in zip(tokens, scores, strict=True)))
        parts = _with_blanks(example, tokenizer).split(tokenizer.mask_token)
        text = parts[0]
        for blank, part in zip(blanks, parts[1:], strict=True):
            token = blank[0].token
            text = text.rstrip() + token.removeprefix("##") if token.startswith("##") else text + token
            text += part
        return Filled(text, tuple(blanks))

    def answer(self, example: RawExample) -> Likelihood:
        """See `Task.answer`."""
        return Likelihood(0.0)

    def to_row(self, prediction: Likelihood | Filled) -> dict[str, Any]:
        """See `Task.to_row`."""
        if isinstance(prediction, Likelihood):
            return asdict(prediction)
        return {"filled": prediction.text, "candidates": [[c._asdict() for c in b] for b in prediction.candidates]}


@lru_cache(maxsize=16)
def special_ids(tokenizer: Any) -> tuple[Array, Array]:
    """Which ids are special, (vocabulary,); and those that are not."""
    import numpy as np

    special = np.zeros(len(tokenizer), dtype=bool)
    special[tokenizer.all_special_ids] = True
    return special, np.flatnonzero(~special)


def _digest(ids: Any) -> int:
    import numpy as np

    return zlib.crc32(np.ascontiguousarray(ids, dtype=np.int64).tobytes())


def _eojeols(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The number of the eojeol in which each token begins."""
    number, cursor = 0, 0
    for start, _ in offsets:
        number += any(character.isspace() for character in text[cursor:start])
        cursor = max(cursor, start)
        yield number


def _with_blanks(example: RawExample, tokenizer: Any) -> str:
    text = example.text.replace(_MASK, tokenizer.mask_token)
    if tokenizer.mask_token not in text:
        raise InputError(
            f"there is nothing to fill in: {example.text[:60]!r}",
            place=example.place,
            expected=f"a text with {_MASK} in it",
            fix=f"{example.text[:20].split(' ')[0]} {_MASK} ...",
        )
    return text


TASKS.register("masked-lm", MaskedLM)
