"""Views of a mistake: the text, cut to what matters, with gold and predicted spans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..examples.base import Example
from ..tasks.abilities import SupportsOracle
from ..tasks.base import AnyTask
from ..tasks.predictions import Prediction

_AROUND = 60
"""Characters that are shown before the first span and after the last one."""
_LONGEST = 400
"""Characters of a text without spans that are shown."""


def mistake_view(task: AnyTask, prediction: Prediction, example: Example) -> dict[str, Any]:
    """Return a row for the page: `texts` (field -> text), and for spans `passage`, `gold_spans`, `predicted_spans`."""
    texts = {name: _cut(str(value)) for name, value in example.inputs().items()}
    view: Mapping[str, Any] = task.view(prediction, example)
    if view["kind"] != "spans" or not isinstance(task, SupportsOracle):
        return {"texts": texts}
    gold: Mapping[str, Any] = task.view(task.gold_prediction(example), example)
    if gold["kind"] != "spans":
        return {"texts": texts}
    spans = [*gold["spans"], *view["spans"]]
    first = max(0, min((span["start"] for span in spans), default=0) - _AROUND)
    last = max((span["end"] for span in spans), default=_LONGEST) + _AROUND
    passage = view["text"][first:last]
    others = {name: text for name, text in texts.items() if example.inputs()[name] != view["text"]}
    return {
        "texts": others,
        "passage": passage,
        "cut": [first > 0, last < len(view["text"])],
        "gold_spans": _moved(gold["spans"], first),
        "predicted_spans": _moved(view["spans"], first),
    }


def _moved(spans: Sequence[Mapping[str, Any]], first: int) -> list[dict[str, Any]]:
    """Return spans in characters of a passage that begins at `first`."""
    return [
        {"start": span["start"] - first, "end": span["end"] - first, "label": span["label"] or ""} for span in spans
    ]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
