"""Cut classes: outputs of a token head that state where in its first and its last token a span begins and ends.

A particle is often part of the last token of a name (서울에서), so that no token edge is the end of the name. The head
then has, besides the classes of its task, a class for each number of characters that are cut off the front of the first
token of a span, and one for each number that is cut off the end of the last token. The three groups of logits are
distributions of their own: each has a softmax and a cross entropy, and only the edges of spans have a target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..modeling.probabilities import softmax
from ..runtime.types import Array, Tensor
from ..text.tokens import Offset
from .base import IGNORED

_SHIFT = -20.0
"""Initial bias of the cut classes. A softmax over a group of classes does not depend on it, but one over all classes
does: a program that knows no groups, such as the pipeline of transformers, never predicts a cut class."""
_RARE = -5.0
"""Logarithm of the initial odds of any cut at the front: such cuts are rare in every vocabulary."""


class Edges(NamedTuple):
    """A span in characters of the original text."""

    start: int
    end: int
    probability: float
    """Of the two cuts; 1 where nothing can be cut."""


@dataclass(frozen=True)
class CutClasses:
    """The largest number of characters that can be cut off the first and the last token of a span."""

    front: int
    end: int

    @property
    def names(self) -> list[str]:
        """Names of the classes, those of the front first."""
        return [f"cut-front-{k}" for k in range(self.front + 1)] + [f"cut-end-{k}" for k in range(self.end + 1)]

    def split(self, outputs: Any) -> tuple[Any, Any, Any]:
        """Return the classes of the task, of the front and of the end, from a tensor or an array.

        Args:
            outputs: of the whole head. Shape: (..., classes).
        """
        main = outputs.shape[-1] - len(self.names)
        front = main + self.front + 1
        return outputs[..., :main], outputs[..., main:front], outputs[..., front:]

    def probabilities(self, outputs: Array) -> list[Array]:
        """Return the probabilities of the cuts at the front and at the end. Shapes: (tokens, classes)."""
        return [softmax(group) for group in self.split(outputs)[1:]]

    def targets(self, first: Offset, last: Offset, start: int, end: int) -> tuple[int, int]:
        """Return the classes of the two cuts of a span, -100 for one that there is no class for.

        Args:
            first: offset of the first token of the span.
            last: offset of the last one.
            start: of the span, in characters.
            end: of the span, exclusive.
        """
        cuts = cuts_of(first, last, start, end)
        return tuple(k if k <= most else IGNORED for k, most in zip(cuts, (self.front, self.end), strict=True))  # type: ignore[return-value]

    def best(self, front: Array, end: Array, first: Offset, last: Offset) -> Edges:
        """Return the most probable edges of a span that leave a character of its first and of its last token.

        Args:
            front: probabilities of the cuts of the first token. Shape: (front + 1,).
            end: those of the last token. Shape: (end + 1,).
            first: offset of the first token.
            last: offset of the last token.
        """
        import numpy as np

        if first == last:
            joint = np.outer(front, end)
            left = np.add.outer(np.arange(len(front)), np.arange(len(end)))
            joint[left >= last[1] - first[0]] = -1.0
            i, j = np.unravel_index(joint.argmax(), joint.shape)
        else:
            i, j = front[: first[1] - first[0]].argmax(), end[: last[1] - last[0]].argmax()
        return Edges(first[0] + int(i), last[1] - int(j), float(front[i] * end[j]))

    def initialize(self, model: Any, ends: Sequence[int] = ()) -> None:
        """Set the biases of the cut classes in the output layer of a new model.

        They begin with the frequencies of the cuts, so that the first steps need not learn them in place of the classes
        of the task; see also `_SHIFT`.

        Args:
            model: with a new head.
            ends: how often 0, 1, ... characters are cut at the end in the training data.
        """
        import torch

        size = model.config.num_labels
        layers = [m for m in model.modules() if isinstance(m, torch.nn.Linear) and m.out_features == size]
        cut = layers[-1].bias[size - len(self.names) :] if layers and layers[-1].bias is not None else None
        if cut is not None and cut.mean() > _SHIFT / 2:  # otherwise the head was trained with cut classes before
            with torch.no_grad():
                cut += _SHIFT + cut.new_tensor(self._log_frequencies(ends))

    def _log_frequencies(self, ends: Sequence[int]) -> list[float]:
        """Return the logarithm of the frequency of each class, up to a constant for each group."""
        counts = [*ends, *[0] * (self.end + 1)][: self.end + 1]
        end = [math.log((count + 1) / (sum(counts) + len(counts))) for count in counts]
        return [0.0, *[_RARE - math.log(max(1, self.front))] * self.front, *end]


def cuts_of(first: Offset, last: Offset, start: int, end: int) -> tuple[int, int]:
    """Return the number of characters of a span's first and last token that are before and after the span."""
    return max(0, start - first[0]), max(0, last[1] - end)


def cut_loss(logits: Sequence[Tensor], targets: Sequence[Tensor], *, label_smoothing: float = 0.0) -> Tensor:
    """Return the sum of the cross entropies of cuts; targets of -100 are left out. Shape: ().

    Args:
        logits: of the front and of the end. Shape: (..., classes).
        targets: classes. Shape: (...).
        label_smoothing: share of the probability that is spread over all classes.
    """
    from torch.nn import functional as F

    parts = [
        F.cross_entropy(
            one.float().flatten(0, -2),
            own.flatten(),
            ignore_index=IGNORED,
            label_smoothing=label_smoothing,
            reduction="sum",
        )
        for one, own in zip(logits, targets, strict=True)
    ]
    return parts[0] + parts[1]
