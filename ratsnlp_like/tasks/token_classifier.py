"""Labelling of the tokens of a text, in overlapping windows, with spans in characters of the original text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from ..errors import InputError
from ..modeling.probabilities import softmax
from ..runtime.types import Array, Noise, Tensor, TokenizerLike
from ..text.spans import context, windows
from ..text.tokens import Offset, Template
from .base import IGNORED, E, P, Raw, Window
from .batches import pad, pad_inputs
from .features import Features, LabelledBatch
from .forward import ForwardTask, report_causal
from .smoothing import SmoothsLabels


class TokenInputFeatures(Features):
    """Features that locate the tokens of a window in the text."""

    first: int
    """Position in the text of the first token of the window."""
    lead: int
    """Number of special tokens before it."""
    starts: list[int]
    ends: list[int]
    """Characters of each token in the original text, `end` exclusive; empty for a token that shows nothing."""


class TokenFeatures(TokenInputFeatures):
    """Features with a class for each token."""

    labels: list[int]
    """Number of the class of each token of the window; -100 for special tokens and where there is none."""


class TokenProbabilities(NamedTuple):
    """All tokens of a text with the probabilities of their classes."""

    starts: list[int]
    ends: list[int]
    """Characters in the original text, `end` exclusive; empty for a token that shows nothing."""
    probabilities: Array
    """Shape: (tokens, classes)."""


@dataclass(frozen=True)
class TokenClassifier(
    SmoothsLabels[E, P, TokenFeatures, LabelledBatch], ForwardTask[E, P, TokenFeatures, LabelledBatch]
):
    """A class for each token. Long texts are cut into overlapping windows, so that nothing is lost.

    A subclass states the text of an example, the classes of its tokens, and what is made of predicted classes.
    """

    outputs: ClassVar[tuple[str, ...]] = ("logits",)

    stride: int = 32
    """Tokens that neighbouring windows of a long text share; at most half a window is used."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride < 0:
            raise InputError(f"stride {self.stride}", place="--stride", expected="0 or more tokens")

    @abstractmethod
    def text(self, example: E) -> str:
        """Return the text of an example."""

    @abstractmethod
    def token_labels(self, example: E, offsets: Sequence[Offset], labels: Sequence[str]) -> list[int]:
        """Return the number of the gold class of each token, -100 for a token that has none.

        Args:
            example: with its gold labels.
            offsets: of the tokens in the original text, empty for a token that shows nothing.
            labels: in the model's order.

        Raises:
            InputError: the example has a label that is not among `labels`.
        """

    def token_targets(self, example: E, offsets: Sequence[Offset], labels: Sequence[str]) -> dict[str, list[int]]:
        """Return the targets of each token by name, -100 for a token that has none: the names of `targets` or some."""
        return {"labels": self.token_labels(example, offsets, labels)}

    def probabilities(self, logits: Array) -> Array:
        """Return the probabilities of the classes of tokens. Shape: (tokens, classes)."""
        return softmax(logits, axis=1)

    @abstractmethod
    def predict_example(self, example: E, tokens: TokenProbabilities, labels: Sequence[str]) -> P:
        """Return the prediction for an example from the probabilities of its tokens."""

    def model_class(self) -> Any:
        from transformers import AutoModelForTokenClassification

        return AutoModelForTokenClassification

    def check_model(self, config: Any) -> None:
        report_causal(config)

    def token_offsets(
        self, examples: Sequence[E], tokenizer: TokenizerLike
    ) -> Iterator[tuple[list[Offset], list[int]]]:
        """Yield the offsets of the tokens in the original text of each example, and their ids."""
        for normalized, (ids, offsets) in self.tokenize([self.text(example) for example in examples], tokenizer):
            yield (offsets if not self.normalization else [normalized.to_original(*o) for o in offsets]), ids

    def encode_inputs(
        self, examples: Sequence[E], tokenizer: TokenizerLike, max_length: int
    ) -> list[TokenInputFeatures]:
        """Encode each text in one window, or in several that overlap."""
        capacity = self.capacity(tokenizer, max_length)
        out: list[TokenInputFeatures] = []
        for i, (offsets, ids) in enumerate(self.token_offsets(examples, tokenizer)):
            out += self._windows(i, offsets, ids, tokenizer, capacity)
        return out

    def encode(
        self, examples: Sequence[E], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[TokenFeatures]:
        capacity = self.capacity(tokenizer, max_length)
        out: list[TokenFeatures] = []
        for i, (example, (offsets, ids)) in enumerate(
            zip(examples, self.token_offsets(examples, tokenizer), strict=True)
        ):
            targets = self.token_targets(example, offsets, labels)
            for window in self._windows(i, offsets, ids, tokenizer, capacity):
                own: Any = {**window, **{name: _of_window(values, window) for name, values in targets.items()}}
                out.append(own)
        return out

    def _windows(
        self, example: int, offsets: list[Offset], ids: list[int], tokenizer: TokenizerLike, capacity: int
    ) -> Iterator[TokenInputFeatures]:
        lead = len(Template.of(tokenizer).single[0])
        for start, end in windows(len(ids), capacity, min(self.stride, capacity // 2)):
            yield {
                **self.window(tokenizer, ids[start:end], example=example),
                "first": start,
                "lead": lead,
                "starts": [offset[0] for offset in offsets[start:end]],
                "ends": [offset[1] for offset in offsets[start:end]],
            }

    def collate(
        self, features: Sequence[TokenFeatures], tokenizer: TokenizerLike, *, noise: Noise | None = None
    ) -> LabelledBatch:
        """Pad windows and targets. Shape: (batch, longest)."""
        rows: Sequence[Any] = features
        names = sorted(self.targets & rows[0].keys())
        batch: Any = pad_inputs(features, tokenizer)
        return batch | {name: pad([row[name] for row in rows], IGNORED) for name in names}

    def compute_loss(self, outputs: Any, batch: LabelledBatch) -> Tensor:
        """Return the mean cross entropy over the tokens that have a class."""
        from torch.nn import functional as F

        logits, labels = outputs.logits, batch["labels"]
        total = F.cross_entropy(
            logits.float().flatten(0, 1),
            labels.flatten(),
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )
        return total / (labels != IGNORED).sum().clamp(min=1)  # a batch of empty texts has loss 0, not NaN

    def num_targets(self, batch: LabelledBatch) -> float:
        """Return the number of tokens that have a class."""
        return int((batch["labels"] != IGNORED).sum())

    def raw(self, outputs: Mapping[str, Array], batch: Mapping[str, Any]) -> list[Raw]:
        """Return the logits of each window. Shape: (tokens, classes)."""
        lengths = batch["attention_mask"].sum(1).tolist()
        return [row[:n].copy() for row, n in zip(outputs["logits"], lengths, strict=True)]

    def decode(
        self,
        example: E,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> P:
        """Return the prediction; a token in several windows is read where it has most context."""
        return self.predict_example(example, self.token_probabilities(windows), labels)

    def token_probabilities(self, windows: Sequence[Window]) -> TokenProbabilities:
        """Return the tokens of a text, each from the window with most context around it."""
        starts, ends, logits = _merge(windows)
        return TokenProbabilities(starts, ends, self.probabilities(logits))

    def oracle_output(self, features: TokenFeatures, labels: Sequence[str]) -> Array:
        """Return the logits of a perfect model for a window. Shape: (tokens, classes)."""
        return certain(features["labels"], len(self.classes(labels)))


def certain(targets: Sequence[int], classes: int) -> Array:
    """Return logits of a model that is certain of its targets. Shape: (tokens, classes)."""
    import numpy as np

    found = np.maximum(np.asarray(targets), 0)  # any class will do where there is no target
    return np.where(np.arange(classes) == found[:, None], 20.0, -20.0)


def _of_window(values: Sequence[int], window: TokenInputFeatures) -> list[int]:
    """Return the targets of the tokens of a window, special tokens included."""
    first, lead, size = window["first"], window["lead"], len(window["starts"])
    own = [IGNORED] * len(window["input_ids"])
    own[lead : lead + size] = values[first : first + size]
    return own


def _merge(windows: Sequence[Window]) -> tuple[list[int], list[int], Array]:
    """Return starts, ends and logits of all tokens of a text, each from the window with most context around it."""
    import numpy as np

    sizes = [len(w.features["starts"]) for w in windows]
    length = max(w.features["first"] + size for w, size in zip(windows, sizes, strict=True))
    starts, ends, most = [0] * length, [0] * length, [-1] * length
    logits = np.zeros((length, windows[0].raw.shape[1]))
    for (features, raw), size in zip(windows, sizes, strict=True):
        first, lead = int(features["first"]), int(features["lead"])
        for k in range(size):
            around = context(first + k, (first, first + size), length)
            if around > most[first + k]:
                most[first + k] = around
                starts[first + k], ends[first + k] = int(features["starts"][k]), int(features["ends"][k])
                logits[first + k] = raw[lead + k]
    return starts, ends, logits
