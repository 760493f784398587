"""Predicted entities of a text."""

from __future__ import annotations

from dataclasses import dataclass

from ..examples.base import Example
from .predictions import Prediction, SpansView


@dataclass(frozen=True)
class FoundEntity:
    """A predicted entity; start and end in characters of the original text, `end` exclusive."""

    text: str
    start: int
    end: int
    label: str
    score: float
    """Mean probability of the classes of its tokens, calibrated; 0 to 1."""


@dataclass(frozen=True)
class EntityPrediction(Prediction):
    """The entities of a text, in order."""

    entities: tuple[FoundEntity, ...]

    def cells(self) -> list[dict[str, str]]:
        return [
            {
                "entity": entity.text,
                "label": entity.label,
                "start": f"{entity.start:,}",
                "end": f"{entity.end:,}",
                "score": f"{entity.score:.4f}",
            }
            for entity in self.entities
        ]

    def view(self, example: Example) -> SpansView:
        return {
            "kind": "spans",
            "text": str(example.inputs()["text"]),
            "spans": [{"start": e.start, "end": e.end, "label": e.label, "share": e.score} for e in self.entities],
            "headline": None,
            "bars": [],
        }
