"""Predictions, which render themselves: as JSON, as rows of a terminal table, and as a view of the web page.

A view is a dictionary whose `kind` names one of a few generic ways of drawing it; the page knows no task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypedDict

from ..examples.base import Example


class Bar(TypedDict):
    """A labelled bar."""

    label: str
    share: float
    """Length of the bar, 0 to 1."""
    chosen: bool
    """Whether it belongs to what was predicted."""


class Span(TypedDict):
    """A highlighted part of a text."""

    start: int
    end: int
    """In characters, `end` exclusive."""
    label: str | None
    share: float
    """Probability, 0 to 1."""


class BarsView(TypedDict):
    """Chosen labels above a bar chart of all labels."""

    kind: Literal["bars"]
    chosen: list[str]
    several: bool
    """Whether any number of labels can be chosen."""
    threshold: float | None
    """Probability from which a label is chosen, where several can be."""
    bars: list[Bar]


class SpansView(TypedDict):
    """A text with highlighted spans, and other candidates as bars."""

    kind: Literal["spans"]
    text: str
    spans: list[Span]
    headline: str | None
    """The text of the one span that was looked for; empty where none was found, None where there may be several."""
    bars: list[Bar]


class BlanksView(TypedDict):
    """A text with blanks and the candidates for each."""

    kind: Literal["blanks"]
    parts: list[str]
    """The text around the blanks, one part more than there are blanks."""
    blanks: list[list[Bar]]


class TextView(TypedDict):
    """Generated texts after the text that was given."""

    kind: Literal["text"]
    given: str
    texts: list[str]


class GaugeView(TypedDict):
    """A number on a scale."""

    kind: Literal["gauge"]
    value: float
    lowest: float
    highest: float


class FieldsView(TypedDict):
    """Names and values, the default for a prediction that defines no view."""

    kind: Literal["fields"]
    fields: dict[str, Any]


View = BarsView | SpansView | BlanksView | TextView | GaugeView | FieldsView


@dataclass(frozen=True)
class Prediction:
    """Base class of predictions: a frozen dataclass whose fields are what was predicted.

    The defaults render the fields; a subclass overrides what it shows better.
    """

    def to_row(self) -> dict[str, Any]:
        """Return the prediction as JSON."""
        return asdict(self)

    def cells(self) -> list[dict[str, str]]:
        """Return the rows of a terminal table, column -> text: one row, or one for each thing that was found."""
        return [{name: cell(value) for name, value in self.to_row().items()}]

    def view(self, example: Example) -> View:
        """Return the view of the web page.

        Args:
            example: the input that the prediction is for.
        """
        return {"kind": "fields", "fields": self.to_row()}


def cell(value: Any) -> str:
    """Return the text of a value in a terminal table: three decimals, and the parts of a collection in one line."""
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {cell(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "  ".join(map(cell, value))
    return str(value)


def without_floats(value: Any) -> Any:
    """Return JSON without its floating point numbers, to compare what two models predict apart from their scores."""
    if isinstance(value, Mapping):
        return {name: without_floats(inner) for name, inner in value.items() if not isinstance(inner, float)}
    if isinstance(value, (list, tuple)):
        return [without_floats(inner) for inner in value if not isinstance(inner, float)]
    return value
