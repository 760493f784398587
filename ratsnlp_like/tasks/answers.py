"""Answers as spans of a text: predictions of question answering, and the search for the best spans of a window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import InputError
from ..examples.base import Example
from ..examples.question import QuestionExample
from ..metrics.answers import answer_scores
from ..runtime.types import Array
from ..text.tokens import Offset
from .predictions import Prediction, Span, SpansView


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
        Start and end in characters of the context, and the sum of the two logits.
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
            yield int(starts[firsts[first]]), int(ends[lasts[last]]), float(score)


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
