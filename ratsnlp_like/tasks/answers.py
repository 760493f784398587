"""Answers as spans of a text: features and predictions of question answering, and the search for the best spans."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NotRequired

from ..errors import InputError
from ..examples.base import Example
from ..examples.question import QuestionExample
from ..metrics.answers import answer_scores
from ..runtime.types import Array
from ..text.tokens import Offset
from .base import IGNORED
from .cuts import CutClasses
from .features import Features
from .predictions import Prediction, Span, SpansView

NOTE_ON_CUTS = (
    "Transformers opens the model as a token classifier: its outputs `start` and `end` are the logits of the first and "
    "the last token of an answer, the others those of the characters that are cut off these two."
)
"""Note in the card of a model with cut classes."""
NO_ANSWER = (0, 0)
"""Positions of the first and the last token where a window has no answer: those of [CLS]."""


class ContextFeatures(Features):
    """Features that locate the tokens of a window in the context."""

    lead: int
    """Number of tokens before the context: the question and special tokens."""
    starts: list[int]
    ends: list[int]
    """Characters of each token in the original context, `end` exclusive; empty for a token that shows nothing."""


class AnswerFeatures(ContextFeatures):
    """Features with an answer."""

    labels: list[int]
    """Positions of the first and the last token of the answer; 0 and 0 where the window does not contain it."""
    cuts: NotRequired[list[int]]
    """Cuts of these two tokens, -100 where the window does not contain the answer; for a model with cut classes."""


class EncodedContext(NamedTuple):
    """An example as windows."""

    offsets: list[Offset]
    spans: list[tuple[int, int]]
    """Tokens of the context in each window."""
    windows: list[ContextFeatures]
    size: int
    """Tokens of the context that fit in a window."""


class Candidate(NamedTuple):
    """A possible answer."""

    text: str
    start: int
    end: int
    """In characters of the context, `end` exclusive; 0 and 0 for no answer."""
    score: float
    """Probability among the candidates of all windows, 0 to 1."""


@dataclass(frozen=True)
class AnswerPrediction(Prediction):
    """The answer to a question."""

    text: str
    """As it is in the context; empty where there is no answer."""
    start: int
    end: int
    """In characters of the context, `end` exclusive."""
    score: float
    """Probability among the candidates."""
    candidates: tuple[Candidate, ...] = ()
    """The most probable spans, best first."""
    null_margin: float = -math.inf
    """Logit of "no answer" minus that of the best span."""

    def to_row(self) -> dict[str, Any]:
        return {
            "answer": self.text,
            "start": self.start,
            "end": self.end,
            "score": self.score,
            "candidates": [candidate._asdict() for candidate in self.candidates],
        }

    def cells(self) -> list[dict[str, str]]:
        return [{"answer": self.text or "no answer", "score": f"{self.score:.3f}"}]

    def view(self, example: Example) -> SpansView:
        found: Span = {"start": self.start, "end": self.end, "label": None, "share": self.score}
        return {
            "kind": "spans",
            "text": str(example.inputs()["context"]),
            "spans": [found] if self.end > self.start else [],
            "headline": self.text,
            "bars": [
                {"label": c.text, "share": c.score, "chosen": (c.start, c.end) == (self.start, self.end)}
                for c in self.candidates
            ],
        }


def best_spans(
    features: Mapping[str, Any], raw: Array, *, n_best: int, max_answer_length: int
) -> Iterator[tuple[int, int, float]]:
    """Yield the spans of a window with the highest logits.

    Args:
        features: of the window.
        raw: logits of the first and the last token of an answer. Shape: (tokens, 2).
        n_best: number of first tokens, of last tokens, and of spans.
        max_answer_length: in tokens.

    Yields:
        Numbers of the first and of the last token of the context in this window, and the sum of their logits.
    """
    import numpy as np

    starts, ends = np.asarray(features["starts"]), np.asarray(features["ends"])
    lead, count = int(features["lead"]), len(starts)
    shown = starts < ends  # no answer begins or ends with a token that shows nothing
    begin, finish = (np.where(shown, raw[lead : lead + count, k], -np.inf) for k in (0, 1))
    firsts = np.argsort(-begin, kind="stable")[:n_best]
    lasts = np.argsort(-finish, kind="stable")[:n_best]
    scores = begin[firsts][:, None] + finish[lasts]
    length = lasts - firsts[:, None]  # less one
    scores[(length < 0) | (length >= max_answer_length)] = -np.inf
    order = np.argsort(-scores, axis=None, kind="stable")[:n_best]
    for first, last, score in zip(*np.unravel_index(order, scores.shape), scores.flat[order], strict=True):
        if score > -np.inf:
            yield int(firsts[first]), int(lasts[last]), float(score)


def answer_tokens(offsets: Sequence[Offset], example: QuestionExample) -> tuple[int, int] | None:
    """Return the first and the last token that show characters of the gold answer; None where there is no answer.

    Raises:
        InputError: no token shows any of them.
    """
    if not example.answers:
        return None
    text, start = example.answers[0]
    finish = start + len(text)
    inside = [k for k, (s, e) in enumerate(offsets) if s < e and s < finish and start < e]
    if not inside:
        raise InputError(
            f"the tokenizer and the normalisation leave nothing of the answer {text[:60]!r}",
            place=example.place,
            fix="take the row out, or use another --normalization",
        )
    return inside[0], inside[-1]


def exact_match(text: str, example: QuestionExample) -> int:
    """Return KLUE-MRC's exact match of a text with the answers to a question, 0 or 1."""
    return round(answer_scores([[answer.text for answer in example.answers or ()]], [text])["klue_mrc_em"])


def answer_cuts(
    classes: CutClasses, offsets: Sequence[Offset], example: QuestionExample, tokens: tuple[int, int] | None
) -> list[int]:
    """Return the cuts of the first and the last token of the gold answer; -100 where there is no answer."""
    if tokens is None or not example.answers:
        return [IGNORED, IGNORED]
    text, start = example.answers[0]
    first, last = (offsets[k] for k in tokens)
    return list(classes.targets(first, last, start, start + len(text)))


def best_threshold(gains: Sequence[tuple[float, float]]) -> float:
    """Return the margin above which "no answer" is predicted that has the highest sum of gains.

    Args:
        gains: margin of "no answer" over the best span, and what its prediction gains in score, of each question.
    """
    ordered = sorted(gains, reverse=True)
    best, total, threshold = 0.0, 0.0, ordered[0][0]
    for k, (margin, gain) in enumerate(ordered):  # "no answer" for the k + 1 most likely ones
        total += gain
        following = ordered[k + 1][0] if k + 1 < len(ordered) else margin - 1.0
        if total > best and following < margin:
            best, threshold = total, (margin + following) / 2
    return float(threshold)
