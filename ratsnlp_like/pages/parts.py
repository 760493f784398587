"""Parts of a page that several sections use: tables, bars, passages with coloured spans."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .html import Child, Markup, element

NUMBER = "number"


def section(identifier: str, title: str, *children: Child) -> Markup:
    """Return a section with its heading, which the contents link to."""
    return element("section", element("h2", title), children, id=identifier, class_="card")


def note(text: str) -> Markup:
    """Return a remark."""
    return element("p", text, class_="note")


def table(header: Sequence[str], rows: Iterable[Sequence[Child]], *, left: int = 1) -> Markup:
    """Return a table whose first `left` columns are text and whose others are numbers."""
    kinds = [None if k < left else NUMBER for k in range(len(header))]
    head = [element("th", name, class_=kind, scope="col") for name, kind in zip(header, kinds, strict=True)]
    body = [
        element("tr", [element("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True)]) for row in rows
    ]
    return element(
        "div", element("table", element("thead", element("tr", head)), element("tbody", body)), class_="scroll"
    )


def bar(share: float, text: str, *, kind: str | None = None) -> Markup:
    """Return a bar with its value; a share of 1 fills it."""
    width = f"--share:{100 * min(1.0, max(0.0, share)):.1f}%"
    fill = element("span", element("i", style=width), class_="track")
    return element("span", fill, element("b", text), class_=f"bar {kind}" if kind else "bar")


def definitions(items: Mapping[str, Child]) -> Markup:
    """Return names with their values."""
    pairs = [element("div", element("dt", name), element("dd", value)) for name, value in items.items()]
    return element("dl", pairs, class_="facts")


def passage(
    text: str,
    spans: Sequence[Mapping[str, Any]],
    wrong: Iterable[int],
    *,
    cut: Sequence[bool],
    colours: Mapping[str, int],
) -> Markup:
    """Return a text with coloured spans.

    Args:
        text: a part of the original.
        spans: `start`, `end` and `label`, in characters of `text`.
        wrong: positions of the spans that are marked as mistakes.
        cut: whether the original begins before the text, and whether it continues.
        colours: label -> number of its colour.
    """
    marked, parts, reached = set(wrong), [], 0
    for k, span in sorted(enumerate(spans), key=lambda item: item[1]["start"]):
        start, end = max(reached, span["start"]), max(reached, span["end"])
        parts.append(text[reached:start])
        label = element("span", span["label"], class_="tag") if span["label"] else None
        parts.append(
            element("mark", text[start:end], label, class_=hue(colours.get(span["label"], 0), wrong=k in marked))
        )
        reached = end
    return element("p", "…" if cut[0] else None, parts, text[reached:], "…" if cut[1] else None, class_="passage")


def hue(colour: int, *, wrong: bool = False) -> str:
    """Return the classes of a coloured span; there are 12 colours."""
    return f"hue h{colour % 12}{' wrong' if wrong else ''}"


def percent(share: float) -> str:
    """Return a share as 12.3%."""
    return f"{100 * share:.1f}%"


def score(value: float) -> str:
    """Return a metric in four decimals, a large one in fewer, a number of things in none."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4f}" if abs(value) < 100 else f"{value:,.1f}"


def interval(ends: Sequence[float] | None) -> str:
    """Return a confidence interval; nothing where there is none."""
    return " – ".join(f"{end:.3f}" if abs(end) < 100 else f"{end:,.1f}" for end in ends) if ends else ""
