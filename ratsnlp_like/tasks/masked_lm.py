"""Masked language modelling: filling in blanks, as BERT is pretrained, from scratch or continued."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, ClassVar, NamedTuple, NotRequired

from ..errors import InputError, raise_together, with_article
from ..examples.base import Example
from ..examples.text import RawExample
from ..modeling.probabilities import softmax
from ..registry import TASKS
from ..runtime.types import Array, ModelLike, Noise, Tensor, TokenizerLike
from ..text.tokens import Template
from .abilities import SupportsExport
from .base import Window
from .batches import input_arrays, model_inputs, pad_inputs, to_array
from .features import Features, PositionsBatch, TargetBatch
from .language_model import LanguageModel, Likelihood, split_text
from .predictions import BlanksView, Prediction

_MASK = "[MASK]"
"""A blank in a text to be filled in, whatever the tokenizer's own mask token."""
_MASKED, _REPLACED = 0.8, 0.1
"""Shares of the targets that are replaced by the mask token and by a random token; the rest is kept (Devlin et al.
2019, arXiv:1810.04805)."""


class MaskedFeatures(Features):
    """Features of a text to train on."""

    words: NotRequired[list[int]]
    """Number of the eojeol of each token, -1 for special tokens; where whole words are masked."""


class Candidate(NamedTuple):
    """A token for a blank."""

    token: str
    score: float
    """Probability, 0 to 1."""


class Blank(NamedTuple):
    """The most probable tokens of a blank, best first."""

    ids: list[int]
    probabilities: list[float]


@dataclass(frozen=True)
class Filled(Prediction):
    """A text whose blanks are filled in."""

    text: str
    """With the most probable token in each blank, each predicted on its own."""
    candidates: tuple[tuple[Candidate, ...], ...]
    """The most probable tokens of each blank, best first."""

    def to_row(self) -> dict[str, Any]:
        return {"filled": self.text, "candidates": [[c._asdict() for c in blank] for blank in self.candidates]}

    def cells(self) -> list[dict[str, str]]:
        blanks = ["  ".join(f"{c.token} {c.score:.3f}" for c in blank) for blank in self.candidates]
        return [{"filled": self.text if i == 0 else "", "candidates": blank} for i, blank in enumerate(blanks)]

    def view(self, example: Example) -> BlanksView:
        return {
            "kind": "blanks",
            "parts": str(example.inputs()["text"]).split(_MASK),
            "blanks": [
                [{"label": c.token, "share": c.score, "chosen": k == 0} for k, c in enumerate(blank)]
                for blank in self.candidates
            ],
        }


@dataclass(frozen=True)
class MaskedLM(SupportsExport[Likelihood | Filled], LanguageModel[RawExample, Likelihood | Filled, MaskedFeatures]):
    """Predict the tokens that are masked. Masks are redrawn in every epoch, and are fixed in evaluation."""

    name: ClassVar[str] = "masked-lm"
    description: ClassVar[str] = "pretrain a BERT on raw text, or adapt one to it: text"
    example: ClassVar[type[Example]] = RawExample
    skips_empty: ClassVar[bool] = True
    inference_options: ClassVar[frozenset[str]] = frozenset({"candidates"})
    example_input: ClassVar[tuple[str, ...]] = ("오늘은 [MASK] 좋다",)

    mask_share: float = 0.15
    """Share of the tokens that are targets; 80% of them are masked, 10% replaced by a random token, 10% kept."""
    whole_words: bool = False
    """Mask all tokens of an eojeol (the text between spaces), or none of them."""
    candidates: int = 5
    """Number of candidates for a blank."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = []
        if not 0 < self.mask_share < 1:
            wrong.append(InputError(f"{self.mask_share}", place="--mask_share", expected="a share between 0 and 1"))
        if self.candidates < 1:
            wrong.append(InputError(f"{self.candidates}", place="--candidates", expected="at least 1"))
        raise_together(wrong)

    def model_class(self) -> Any:
        from transformers import AutoModelForMaskedLM

        return AutoModelForMaskedLM

    def check_model(self, config: Any) -> None:
        """Check that a model is of a type that is pretrained on masks, whatever tokens its vocabulary has."""
        from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

        if config.model_type not in MASKED:
            raise InputError(
                f"the checkpoint is {with_article(config.model_type)}, which does not fill in blanks",
                place=f"--task {self.name}",
                expected="a BERT, a RoBERTa, an ELECTRA generator",
                fix="--task causal-lm for a GPT",
            )

    def check_tokenizer(self, tokenizer: TokenizerLike) -> None:
        """Check that there is a mask token."""
        if tokenizer.mask_token_id is None:
            raise InputError(
                "the tokenizer of this checkpoint has no mask token",
                place="--task masked-lm",
                expected="a BERT, a RoBERTa, an ELECTRA generator",
                fix="--task causal-lm for a GPT",
            )

    def encode(
        self, examples: Sequence[RawExample], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[MaskedFeatures]:
        """Encode texts in windows without overlap; masks are drawn in `collate`."""
        size = self.capacity(tokenizer, max_length)
        out: list[MaskedFeatures] = []
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=self.whole_words)
        for i, (normalized, (ids, offsets)) in enumerate(tokens):
            words = list(_eojeols(normalized.text, offsets)) if self.whole_words else []
            for start, end in split_text(len(ids), size):
                built, _, lead = Template.of(tokenizer).build(ids[start:end])
                window: MaskedFeatures = {"input_ids": built, "example": i, "lost": 0}
                if self.whole_words:
                    after = len(built) - lead - (end - start)
                    window["words"] = [-1] * lead + words[start:end] + [-1] * after
                out.append(window)
        return out

    def encode_inputs(
        self, examples: Sequence[RawExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode texts with blanks in windows without overlap.

        Raises:
            InputError: the tokenizer has no mask token, or a text has no blank.
        """
        size = self.capacity(tokenizer, max_length)
        self.check_tokenizer(tokenizer)
        texts = [_with_mask_tokens(example, tokenizer) for example in examples]
        out = []
        tokens = self.tokenize(texts, tokenizer, offsets=False, keep=tokenizer.mask_token)
        for i, (_, (ids, _)) in enumerate(tokens):
            for start, end in split_text(len(ids), size) or [(0, 0)]:
                built, _, _ = Template.of(tokenizer).build(ids[start:end])
                window: Features = {"input_ids": built, "example": i, "lost": 0}
                out.append(window)
        return out

    def collate(
        self, features: Sequence[MaskedFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> TargetBatch:
        """Pad windows and mask tokens; `labels` are the true tokens at `positions`. Shape: (targets,)."""
        import numpy as np
        import torch

        batch = pad_inputs(features, tokenizer)
        flat = batch["input_ids"].numpy().reshape(-1)
        special, ordinary = special_ids(tokenizer)  # type: ignore[arg-type]  # hashable, as all tokenizers are
        own, fates, others = [], [], []
        longest = batch["input_ids"].shape[1]
        for i, window in enumerate(features):
            # in evaluation by the window's own content: the same masks in any batch
            rng = noise if noise is not None else np.random.default_rng(_digest(window["input_ids"]))
            chosen = self._choose(window, special, rng)
            own.append(i * longest + chosen)
            fates.append(rng.random(len(chosen)))
            others.append(ordinary[rng.integers(len(ordinary), size=len(chosen))])
        positions, fate, other = np.concatenate(own), np.concatenate(fates), np.concatenate(others)
        labels = torch.from_numpy(flat[positions])
        replaced = fate >= 1 - _REPLACED
        flat[positions[fate < _MASKED]] = tokenizer.mask_token_id
        flat[positions[replaced]] = other[replaced]
        return {**batch, "positions": torch.from_numpy(positions), "labels": labels}

    def _choose(self, window: MaskedFeatures, special: Array, rng: Noise) -> Array:
        """Return the positions of the targets of a window, at least one. Shape: (targets,)."""
        import numpy as np

        places = np.flatnonzero(~special[window["input_ids"]])
        if not len(places):
            return places
        groups = np.arange(len(places))
        if self.whole_words:
            groups = np.unique(np.asarray(window["words"])[places], return_inverse=True)[1]
        draws = rng.random(int(groups[-1]) + 1)
        taken = draws < self.mask_share
        taken[draws.argmin()] = True
        return places[taken[groups]]

    def collate_inputs(self, features: Sequence[Features], tokenizer: TokenizerLike) -> PositionsBatch:
        """Pad windows; `positions` are those of the blanks in the flattened batch. Shape: (blanks,)."""
        import torch

        batch: Any = {name: torch.from_numpy(a) for name, a in self.graph_inputs(features, tokenizer).items()}
        return batch

    def graph_inputs(self, features: Sequence[Features], tokenizer: TokenizerLike) -> dict[str, Array]:
        """Return `collate_inputs` as arrays."""
        import numpy as np

        batch = input_arrays(features, tokenizer)
        return batch | {"positions": np.flatnonzero(batch["input_ids"].reshape(-1) == tokenizer.mask_token_id)}

    def graph_outputs(self, model: ModelLike, batch: Mapping[str, Any]) -> list[Tensor]:
        """Return the logits at the blanks. Shape: (blanks, vocabulary)."""
        from ..modeling.losses import gather

        gathered = gather(model, model_inputs(batch), batch["positions"])
        return [gathered.hidden if gathered.head is None else gathered.head(gathered.hidden)]

    def predict_batch(self, model: ModelLike, batch: PositionsBatch) -> list[list[Blank]]:
        """Return the blanks of each window."""
        from ..modeling.losses import gather

        logits = gather(model, model_inputs(batch), batch["positions"]).logits()
        return self._blanks(chain.from_iterable(map(to_array, logits)), batch)

    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[list[Blank]]:
        """Return the blanks of each window; logits are those at `positions`. Shape: (blanks, vocabulary)."""
        return self._blanks(outputs["logits"], batch)

    def _blanks(self, logits_at_positions: Iterable[Array], batch: Mapping[str, Any]) -> list[list[Blank]]:
        import numpy as np

        rows, longest = batch["input_ids"].shape
        raw: list[list[Blank]] = [[] for _ in range(rows)]
        for position, logits in zip(batch["positions"].tolist(), logits_at_positions, strict=True):
            number = min(self.candidates, len(logits))
            ids = np.argpartition(-logits, number - 1)[:number]
            ids = ids[np.argsort(-logits[ids], kind="stable")]
            raw[position // longest].append(Blank(ids.tolist(), softmax(logits)[ids].tolist()))
        return raw

    def difference(self, one: Likelihood, other: Likelihood) -> float:
        """Return the difference between two log likelihoods of a window."""
        return abs(one.loss - other.loss)

    def decode(
        self,
        example: RawExample,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> Likelihood | Filled:
        """Return the likelihood of a text, or the text with its blanks filled in, by the type of the raw outputs.

        A token that continues a word (##) is joined to it.
        """
        raw = [window.raw for window in windows]
        if isinstance(raw[0], Likelihood):
            return Likelihood.total(raw)
        assert tokenizer is not None
        blanks = []
        for ids, probabilities in chain.from_iterable(raw):
            tokens = [tokenizer.decode([token]).strip() for token in ids]
            blanks.append(tuple(Candidate(*candidate) for candidate in zip(tokens, probabilities, strict=True)))
        parts = _with_mask_tokens(example, tokenizer).split(str(tokenizer.mask_token))
        text = parts[0]
        for blank, part in zip(blanks, parts[1:], strict=True):
            token = blank[0].token
            text = text.rstrip() + token.removeprefix("##") if token.startswith("##") else text + token
            text += part
        return Filled(text, tuple(blanks))

    def gold_prediction(self, example: RawExample) -> Likelihood:
        return Likelihood(0.0)


@lru_cache(maxsize=16)
def special_ids(tokenizer: Any) -> tuple[Array, Array]:
    """Return which ids are special, shape (vocabulary,), and the ids that are not."""
    import numpy as np

    special = np.zeros(len(tokenizer), dtype=bool)
    special[tokenizer.all_special_ids] = True
    return special, np.flatnonzero(~special)


def _digest(ids: Any) -> int:
    import numpy as np

    return zlib.crc32(np.ascontiguousarray(ids, dtype=np.int64).tobytes())


def _eojeols(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[int]:
    """Yield the number of the eojeol in which each token begins."""
    number, cursor = 0, 0
    for start, _ in offsets:
        number += any(character.isspace() for character in text[cursor:start])
        cursor = max(cursor, start)
        yield number


def _with_mask_tokens(example: RawExample, tokenizer: TokenizerLike) -> str:
    mask = str(tokenizer.mask_token)
    text = example.text.replace(_MASK, mask)
    if mask not in text:
        raise InputError(
            f"there is nothing to fill in: {example.text[:60]!r}",
            place=example.place,
            expected=f"a text with {_MASK} in it",
            fix=f"{example.text[:20].split(' ')[0]} {_MASK} ...",
        )
    return text


TASKS.register("masked-lm", MaskedLM)
