"""Matches of predictions with gold labels: what is right, and the kind of each mistake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from ..examples.entity import Entity
from ..examples.question import Answer
from ..metrics.answers import answer_row_scores
from ..text.particles import is_particle


@dataclass(frozen=True)
class Match:
    """A gold label with the prediction for it; one of the two may be missing."""

    gold: str | None
    """In words; None where something was predicted that does not exist."""
    predicted: str | None
    """In words; None where nothing was predicted."""
    kind: str = ""
    """Kind of mistake, such as `missed`; empty where the prediction is right."""
    label: str | None = None
    """The gold label, or the predicted one where there is none."""
    confidence: float | None = None
    """Probability of what was predicted, 0 to 1; None where there is none."""
    end: int | None = None
    """End of the gold span in characters of the text, where there is one."""
    overlap: float | None = None
    """F1 of the characters that an answer shares with the gold answer."""

    @property
    def correct(self) -> bool:
        """True if the prediction is right."""
        return not self.kind

    def to_dict(self) -> dict[str, Any]:
        """Return what is known as JSON, without the position."""
        return {name: value for name, value in asdict(self).items() if value is not None and name != "end"}


class Found(Protocol):
    """A predicted span."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """Character after the last."""

    @property
    def label(self) -> str:
        """Type of the entity."""

    @property
    def score(self) -> float:
        """Probability, 0 to 1."""


def class_match(gold: str, predicted: str, confidence: float) -> Match:
    """Return the match of one class; a mistake is of the kind `GOLD > PREDICTED`."""
    return Match(gold, predicted, "" if gold == predicted else f"{gold} > {predicted}", gold, confidence)


def label_set_match(gold: Sequence[str], predicted: Sequence[str], confidence: float) -> Match:
    """Return the match of a set of labels: labels are missing, or there are extra ones, or both."""
    missing, extra = set(gold) - set(predicted), set(predicted) - set(gold)
    kind = " and ".join([*["missing label"] * bool(missing), *["extra label"] * bool(extra)])
    right, found = (", ".join(own) or "-" for own in (gold, predicted))
    return Match(right, found, kind, right, confidence)


def number_match(gold: float, predicted: float, tolerance: float) -> Match:
    """Return the match of a number, which is right up to a tolerance."""
    off = abs(predicted - gold) > tolerance
    kind = ("too high" if predicted > gold else "too low") if off else ""
    return Match(f"{gold:g}", f"{predicted:.2f}", kind)


def entity_matches(text: str, gold: Sequence[Entity], found: Sequence[Found]) -> list[Match]:
    """Return the matches of entities, in the order of the text.

    The same span and type match first, then each other gold entity and what overlaps it most.

    Kinds of mistakes:
        missed: nothing overlaps the entity.
        invented: what was found overlaps no entity.
        wrong type: the span is right.
        particle: the type is right, and the span has a particle too much or too little (서울에서 for 서울).
        boundary: the type is right, and the span is not.
        wrong type and boundary: the two overlap.
    """
    left = {(e.start, e.end, e.label): e for e in found}
    matches: list[tuple[int, Match]] = []
    others = []
    for entity in gold:
        same = left.pop((entity.start, entity.end, entity.label), None)
        if same is None:
            others.append(entity)
        else:
            matches.append((entity.start, _entity_match(text, entity, same, "")))
    for entity in others:
        near = max(left.values(), key=lambda e: _nearness(entity, e), default=None)
        if near is None or not _shared(entity, near):
            matches.append((entity.start, _entity_match(text, entity, None, "missed")))
        else:
            del left[near.start, near.end, near.label]
            matches.append((entity.start, _entity_match(text, entity, near, _kind(text, entity, near))))
    for rest in left.values():
        part = any(_shared(entity, rest) for entity in gold)
        matches.append((rest.start, _entity_match(text, None, rest, "boundary" if part else "invented")))
    return [match for _, match in sorted(matches, key=lambda pair: pair[0])]


def _entity_match(text: str, gold: Entity | None, found: Found | None, kind: str) -> Match:
    right, named = (None if e is None else f"{text[e.start : e.end]} ({e.label})" for e in (gold, found))
    label = gold.label if gold is not None else found.label if found is not None else None
    confidence = None if found is None else found.score
    return Match(right, named, kind, label, confidence, None if gold is None else gold.end)


def _shared(gold: Entity, found: Found | Entity) -> int:
    """Return the number of characters that two spans share."""
    return max(0, min(gold.end, found.end) - max(gold.start, found.start))


def _nearness(gold: Entity, found: Found) -> tuple[int, bool]:
    return _shared(gold, found), gold.label == found.label


def _kind(text: str, gold: Entity, found: Found) -> str:
    same_span = (gold.start, gold.end) == (found.start, found.end)
    if gold.label != found.label:
        return "wrong type" if same_span else "wrong type and boundary"
    return "particle" if _differs_by_particle(text, gold, found) else "boundary"


def _differs_by_particle(text: str, gold: Any, found: Any) -> bool:
    first, last = sorted((gold.end, found.end))
    return gold.start == found.start and is_particle(text[first:last])


def answer_match(context: str, answers: Sequence[Answer], start: int, end: int, confidence: float) -> Match:
    """Return the match of an answer, the characters `start` to `end` of the context; empty for no answer.

    An answer is right if it equals a gold answer after KorQuAD's normalisation. Kinds of mistakes:
        invented: there is no answer to the question.
        missed: there is one, and none was predicted.
        elsewhere: the answer is at another place.
        particle: it has a particle too much or too little.
        too long, too short: it contains a gold answer, or is part of it.
        boundary: the two overlap.
    """
    scores = answer_row_scores([[answer.text for answer in answers]], [context[start:end]])
    overlap = scores["char_f1"][0]
    kind = (
        "" if scores["korquad_em"][0] or (not answers and start == end) else _answer_kind(context, answers, start, end)
    )
    gold = answers[0].text if answers else None
    last = answers[0].start + len(answers[0].text) if answers else None
    return Match(gold, context[start:end] or None, kind, None, confidence, last, overlap)


def _answer_kind(context: str, answers: Sequence[Answer], start: int, end: int) -> str:
    if not answers:
        return "invented"
    if start == end:
        return "missed"
    found = Entity(start, end, "")
    spans = [Entity(answer.start, answer.start + len(answer.text), "") for answer in answers]
    gold = max(spans, key=lambda span: _shared(span, found))
    if not _shared(gold, found):
        return "elsewhere"
    if _differs_by_particle(context, gold, found):
        return "particle"
    if start <= gold.start and gold.end <= end:
        return "too long"
    return "too short" if gold.start <= start and end <= gold.end else "boundary"
