"""Edges of spans within tokens: the choice of `--spans`, which named entities and answers share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, NamedTuple, Self, get_args

from ..examples.entity import Entity
from ..runtime.slices import slices
from ..runtime.types import Array, TokenizerLike
from ..text.endings import EndingCounts, ending_evidence
from ..text.neighbours import NeighbourCounts
from ..text.particles import ParticleCounts, without_particle
from ..text.spans import entity_tokens
from ..text.tokens import Offset
from .abilities import SupportsDiagnostics
from .base import B, E, F, P
from .cuts import CutClasses, Edges, cuts_of
from .forward import ForwardTask

Spans = Literal["tokens", "particles", "cuts"]


class MarkedText(NamedTuple):
    """A text with its tokens and its gold spans."""

    text: str
    offsets: Sequence[Offset]
    spans: Sequence[Entity]


class EdgeCounts:
    """Counts that `--spans` is fitted from: endings that are cut off spans, the largest cuts, spans in one token."""

    def __init__(self) -> None:
        self.particles, self.endings, self.neighbours = ParticleCounts(), EndingCounts(), NeighbourCounts()
        self._front = self._end = 0

    def add(self, marked: Iterable[MarkedText]) -> None:
        """Count the spans of texts."""
        for text, offsets, spans in marked:
            self.particles.add(text, offsets, spans)
            self.neighbours.add(text, offsets, spans)
            for span, first, last in entity_tokens(offsets, spans):
                front, end = cuts_of(offsets[first], offsets[last], span.start, span.end)
                self._front, self._end = max(self._front, front), max(self._end, end)
                self.endings.add(text[slice(*offsets[last])], end)

    def largest_cuts(self) -> tuple[int, int]:
        """Return the largest cut of a first and of a last token."""
        return self._front, self._end


@dataclass(frozen=True)
class SpanTask(SupportsDiagnostics[E, P], ForwardTask[E, P, F, B], Generic[E, P, F, B]):
    """A task whose predictions are spans of a text that need not begin and end with a token."""

    spans: Spans = "particles"
    """Where a span may begin and end. tokens: where a token does. particles: the last token loses an ending, such as
    에서, that is more often cut off than kept in the training data. cuts: the model predicts how many characters of
    the first and of the last token are outside the span, with further classes of the same head."""

    particles: dict[str, list[str]] | None = None
    """Endings that `--spans particles` cuts off, by label; by default those of the training data."""

    cuts: tuple[int, int] | None = None
    """Largest cut at the front and at the end, in characters, that `--spans cuts` has a class for; by default the
    largest of the training data."""

    endings: dict[str, list[int]] | None = None
    """How often 0, 1, ... characters are cut off a token with an ending, in the training data. `--spans cuts` weighs
    the predicted cuts with it; {} leaves them as predicted."""

    @abstractmethod
    def marked_texts(self, examples: Sequence[E], tokenizer: TokenizerLike) -> Iterator[MarkedText]:
        """Yield each text with the offsets of its tokens and its gold spans."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        if "spans" not in values:  # task.json of a version without the choice
            values = {**values, "spans": "particles" if values.get("particles") else "tokens"}
        return super().from_dict(values)

    @property
    def cut_classes(self) -> CutClasses | None:
        """The cut classes of the model; None for a model without."""
        return CutClasses(*self.cuts) if self.cuts is not None else None

    @property
    def has_cuts(self) -> bool:
        """True if the model has, or will be given, cut classes."""
        return self.spans == "cuts" or self.cuts is not None

    @property
    def needs_edges(self) -> bool:
        """True if a field is to be fitted to the training data."""
        fitted: dict[str, object] = {"particles": self.particles, "cuts": self.cuts}
        return fitted.get(self.spans, ()) is None

    def with_edges(self, counts: EdgeCounts) -> Self:
        """Return this task with the field filled in that `spans` needs, unless it is given."""
        if not self.needs_edges:
            return self
        if self.spans == "particles":
            return replace(self, particles=counts.particles.particles())
        endings = counts.endings.counts() if self.endings is None else self.endings
        return replace(self, cuts=counts.largest_cuts(), endings=endings)

    def alternatives(self, examples: Iterable[E], tokenizer: TokenizerLike) -> dict[str, Self]:
        counts = EdgeCounts()
        for part in slices(examples):
            counts.add(self.marked_texts(part, tokenizer))
        others = [spans for spans in get_args(Spans) if spans != self.spans]
        return {f"--spans {spans}": self.unfitted(spans).with_edges(counts) for spans in others}

    def unfitted(self, spans: Spans) -> Self:
        """Return this task with another choice of `spans`, without the fields that are fitted for it."""
        return replace(self, spans=spans, particles=None, cuts=None, endings=None)

    def prepare_model(self, model: Any) -> None:
        if self.cut_classes is not None:
            self.cut_classes.initialize(model, (self.endings or {}).get("", ()))

    def edges(self, text: str, label: str, first: Offset, last: Offset, cuts: Sequence[Array]) -> Edges:
        """Return the edges of a span by `spans`.

        Args:
            text: the original one.
            label: of the span.
            first: offset of its first token.
            last: offset of its last token.
            cuts: probabilities of the cuts of these tokens, where the model has cut classes.
        """
        if self.spans == "cuts" and self.cut_classes is not None:
            front, end = cuts
            if self.endings:  # the state of a token and its characters as independent evidence of the cut
                end = end * ending_evidence(self.endings, text[slice(*last)], len(end))
                end = end / end.sum()
            return self.cut_classes.best(front, end, first, last)
        if self.spans == "particles" and self.particles is not None:
            return Edges(first[0], max(first[0] + 1, without_particle(text, last, label, self.particles)), 1.0)
        return Edges(first[0], last[1], 1.0)
