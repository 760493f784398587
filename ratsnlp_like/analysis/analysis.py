"""Mistakes of a model by kind and by confidence, weak slices of the data, reliability of the confidences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import InputError
from ..runtime.types import TokenizerLike
from ..tasks.abilities import SupportsMatches
from ..tasks.base import AnyTask
from ..tasks.forward import can_be_wrong
from ..tasks.matches import Match
from .slices import Row, Slice, find_slices
from .tokens import TokenView, token_views
from .views import mistake_view

_BINS = 10
_TOKENS = 400
"""Characters of the tokens of a mistake that a page shows."""


@dataclass(frozen=True)
class Analysis:
    """The predictions of a model on examples with gold labels, compared with them one by one."""

    task: AnyTask
    predictions: Sequence[Any]
    examples: Sequence[Any]
    matches: Sequence[Sequence[Match]]
    tokens: Sequence[TokenView]
    columns: Mapping[str, Sequence[str]]
    """Further columns to make slices by: name -> value of each example."""

    @classmethod
    def of(
        cls,
        task: AnyTask,
        predictions: Sequence[Any],
        examples: Sequence[Any],
        tokenizer: TokenizerLike,
        *,
        columns: Mapping[str, Sequence[str]] | None = None,
    ) -> Analysis:
        """Compare predictions with gold labels.

        Args:
            task: of the model.
            predictions: one per example.
            examples: with gold labels.
            tokenizer: of the model.
            columns: see `Analysis.columns`; the files that the examples are from are one in any case.

        Raises:
            InputError: the task has no gold label that a prediction could be compared with.
        """
        check_matches(task)
        matches = [_matches(task, p, e) for p, e in zip(predictions, examples, strict=True)]
        tokens = list(token_views(task, tokenizer, examples))
        files = [example.place.file if example.place else "" for example in examples]
        return cls(task, predictions, examples, matches, tokens, {"file": files, **(columns or {})})

    @cached_property
    def wrong(self) -> list[int]:
        """Rows with a mistake; those of which the model is most confident come first."""
        rows = [k for k, own in enumerate(self.matches) if not all(match.correct for match in own)]
        return sorted(rows, key=lambda k: -(self._confidence(k) or 0.0))

    def _confidence(self, row: int) -> float | None:
        """Return the highest confidence of a mistake of a row; None where nothing was predicted."""
        known = [m.confidence for m in self.matches[row] if not m.correct and m.confidence is not None]
        return max(known, default=None)

    @cached_property
    def kinds(self) -> dict[str, int]:
        """Kinds of mistakes with their numbers, most frequent first."""
        return dict(Counter(m.kind for own in self.matches for m in own if not m.correct).most_common())

    @cached_property
    def slices(self) -> list[Slice]:
        """Slices with a higher error rate than the rest, most significant first."""
        columns = {name: values for name, values in self.columns.items() if len(set(values)) > 1}
        return find_slices(
            [
                Row(
                    _text(self.task, example),
                    tokens.count,
                    tokens.unknown,
                    matches,
                    {name: str(values[k]) for name, values in columns.items()},
                )
                for k, (example, tokens, matches) in enumerate(
                    zip(self.examples, self.tokens, self.matches, strict=True)
                )
            ]
        )

    @cached_property
    def reliability(self) -> list[dict[str, float]]:
        """Mean confidence and accuracy of predictions, in ten bins of confidence; empty ones are left out."""
        known = [(m.confidence, m.correct) for own in self.matches for m in own if m.confidence is not None]
        if not known:
            return []
        confidences, correct = np.array(known, dtype=float).T
        at = np.clip(np.ceil(confidences * _BINS).astype(int) - 1, 0, _BINS - 1)
        return [
            {
                "confidence": float(confidences[at == k].mean()),
                "accuracy": float(correct[at == k].mean()),
                "count": int((at == k).sum()),
            }
            for k in np.unique(at)
        ]

    def mistake(self, row: int) -> dict[str, Any]:
        """Return a row as JSON: input, gold labels, predictions, confidence, kinds of mistakes, and tokens."""
        example, own = self.examples[row], self.matches[row]
        confidence = self._confidence(row)
        return {
            "row": row + 1,
            "place": str(example.place) if example.place else None,
            **example.inputs(),
            "gold": ", ".join(m.gold for m in own if m.gold is not None),
            "predicted": ", ".join(m.predicted for m in own if m.predicted is not None),
            "confidence": None if confidence is None else round(confidence, 4),
            "kinds": [m.kind for m in own if not m.correct],
            "matches": [m.to_dict() for m in own],
            "tokens": self.tokens[row].text,
        }

    def summary(self) -> dict[str, Any]:
        """Return the numbers of rows and mistakes, the kinds of mistakes and the slices as JSON."""
        return {
            "rows": len(self.examples),
            "wrong_rows": len(self.wrong),
            "matches": sum(map(len, self.matches)),
            "kinds": self.kinds,
            "slices": [own.to_dict() for own in self.slices],
        }

    def to_dict(self, limit: int) -> dict[str, Any]:
        """Return the analysis as JSON.

        Args:
            limit: largest number of mistakes, each with its views.
        """
        return {
            **self.summary(),
            "reliability": self.reliability,
            "mistakes": [self._viewed(k) for k in self.wrong[:limit]],
        }

    def _viewed(self, row: int) -> dict[str, Any]:
        own = self.mistake(row)
        views = mistake_view(self.task, self.predictions[row], self.examples[row])
        facts = {name: own[name] for name in ("row", "place", "gold", "predicted", "confidence", "kinds")}
        return {**facts, **views, "tokens": "" if any(views.get("cut", ())) else own["tokens"][:_TOKENS]}


def check_matches(task: AnyTask) -> None:
    """Check that predictions of a task can be right or wrong.

    Raises:
        InputError: they cannot.
    """
    if not can_be_wrong(task):
        raise InputError(
            f"{task.name} has no mistakes to list: many continuations of a text are right, and the corpus has one",
            expected="a model with gold labels: classes, pairs, scores, entities, answers",
        )


def _matches(task: Any, prediction: Any, example: Any) -> Sequence[Match]:
    if isinstance(task, SupportsMatches):
        return task.matches(prediction, example)
    gold = task.gold_prediction(example)
    right, found = (_short(task.to_row(own)) for own in (gold, prediction))
    return [Match(right, found, "" if task.agrees(prediction, gold) else "wrong")]


def _short(row: Mapping[str, Any]) -> str:
    return str(next(iter(row.values()), ""))


def _text(task: AnyTask, example: Any) -> str:
    """Return the text that spans refer to, else all texts of an input."""
    inputs = example.inputs()
    return str(inputs["context"]) if "context" in inputs else str(example).replace("\t", " / ")
