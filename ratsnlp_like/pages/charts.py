"""Charts as SVG: curves, intervals, reliability. Colours are those of the style sheet, light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .html import Markup, element

Point = tuple[float, float]

_WIDTH, _HEIGHT = 440, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 40
_POINTS = 240
"""Points of a curve that are drawn; of more, the means of neighbours are."""


def line_chart(series: Mapping[str, Sequence[Point]], *, label: str, x_label: str, least: float = 0.0) -> Markup:
    """Return curves in one diagram.

    Args:
        series: name -> points, by x.
        label: description of the diagram, for screen readers.
        x_label: name of the horizontal axis.
        least: smallest range of the vertical axis, so that noise does not look like a trend.
    """
    drawn = {name: thinned(points) for name, points in series.items() if points}
    xs, ys = ([point[k] for points in drawn.values() for point in points] for k in (0, 1))
    margin = max(0.0, least - (max(ys) - min(ys))) / 2
    x_ticks, y_ticks = ticks(min(0, *xs), max(xs)), ticks(min(ys) - margin, max(ys) + margin)
    x = _Scale(min(0, *xs), max(xs), _LEFT, _WIDTH - _RIGHT)
    y = _Scale(y_ticks[0], y_ticks[-1], _HEIGHT - _BOTTOM, _TOP)
    parts = [_grid(x(x_ticks[0]), x(max(xs)), [(y(t), number(t)) for t in y_ticks])]
    parts += [_text(x(t), _HEIGHT - _BOTTOM + 16, number(t), anchor="middle") for t in x_ticks if t <= max(xs)]
    parts.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 6, x_label, anchor="middle"))
    for k, (name, points) in enumerate(drawn.items()):
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in points)
        parts.append(element("polyline", points=path, class_=f"curve c{k % 6}"))
        if len(points) <= 20:
            parts += [_dot(x(a), y(b), f"{name}: {number(b)} ({number(a)})", k) for a, b in points]
    return element("figure", _svg(_WIDTH, _HEIGHT, label, parts), legend(list(drawn)))


def thinned(points: Sequence[Point]) -> list[Point]:
    """Return a curve of at most 240 points: each is the mean of as many neighbours."""
    size = math.ceil(len(points) / _POINTS)
    groups = [points[k : k + size] for k in range(0, len(points), size)] if size > 1 else [[p] for p in points]
    return [(sum(p[0] for p in own) / len(own), sum(p[1] for p in own) / len(own)) for own in groups]


def legend(names: Sequence[str]) -> Markup | None:
    """Return the names of curves with their colours."""
    keys = [element("li", element("i", class_=f"key c{k % 6}"), name) for k, name in enumerate(names)]
    return element("ul", keys, class_="legend") if names else None


def interval_chart(rows: Sequence[tuple[str, float, Sequence[float] | None]], *, label: str) -> Markup:
    """Return a line for each score, from 0 to 1: a dot, and its confidence interval.

    Args:
        rows: name, value, and low and high end of the interval where there is one.
        label: description of the diagram.
    """
    line, left = 28, 150
    height = line * len(rows) + 34
    lowest = math.floor(10 * min(0.5, *(min(value, *(ends or [value])) for _, value, ends in rows))) / 10
    x = _Scale(lowest, 1, left, _WIDTH - 56)
    marks = [t for t in ticks(lowest, 1) if t <= 1]
    parts = [element("line", x1=x(t), x2=x(t), y1=8, y2=height - 26, class_="grid") for t in marks]
    parts += [_text(x(t), height - 10, number(t), anchor="middle") for t in marks]
    for k, (name, value, ends) in enumerate(rows):
        y = 24 + line * k
        parts.append(_text(left - 12, y + 4, name, anchor="end", class_="name"))
        if ends:
            parts.append(element("line", x1=x(ends[0]), x2=x(ends[1]), y1=y, y2=y, class_="whisker"))
        parts.append(_dot(x(value), y, f"{name}: {value:.4f}", 0))
        parts.append(_text(_WIDTH - 48, y + 4, f"{value:.3f}", class_="value"))
    return element("figure", _svg(_WIDTH, height, label, parts))


def reliability_chart(bins: Sequence[Mapping[str, float]], *, label: str, x_label: str, y_label: str) -> Markup:
    """Return the accuracy at each confidence, and the diagonal on which both are equal.

    Args:
        bins: `confidence`, `accuracy` and `count`; the area of a dot is its share of the predictions.
        label: description of the diagram.
        x_label: name of the horizontal axis.
        y_label: name of the vertical axis.
    """
    size, left, top, bottom = 320, 46, 22, 274
    x, y = _Scale(0, 1, left, size - 14), _Scale(0, 1, bottom, top)
    marks = [0.0, 0.25, 0.5, 0.75, 1.0]
    parts = [_grid(x(0), x(1), [(y(t), number(t)) for t in marks])]
    parts += [_text(x(t), bottom + 16, number(t), anchor="middle") for t in marks]
    parts.append(_text(x(0.5), size - 8, x_label, anchor="middle"))
    parts.append(_text(4, 12, y_label))
    parts.append(element("line", x1=x(0), y1=y(0), x2=x(1), y2=y(1), class_="diagonal"))
    for own in bins:  # the gap, as a line from the diagonal to the dot
        at = x(own["confidence"])
        parts.append(element("line", x1=at, x2=at, y1=y(own["confidence"]), y2=y(own["accuracy"]), class_="gap"))
    points = " ".join(f"{x(own['confidence']):.1f},{y(own['accuracy']):.1f}" for own in bins)
    parts.append(element("polyline", points=points, class_="curve c0"))
    total = sum(own["count"] for own in bins)
    for own in bins:
        title = f"{own['confidence']:.3f} → {own['accuracy']:.3f} ({own['count']:,.0f})"
        radius = 3 + 9 * math.sqrt(own["count"] / total)
        parts.append(_dot(x(own["confidence"]), y(own["accuracy"]), title, 0, radius))
    return element("figure", _svg(size, size, label, parts), class_="square")


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Return round numbers that span an interval, about `count` of them."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def number(value: float) -> str:
    """Return a number in few digits: 1,200, 0.25, 1.5e-07."""
    if value and abs(value) < 1e-4:
        return f"{value:.1e}"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


class _Scale:
    """A linear map from the values `low` to `high` to the positions `start` to `end`."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._span = low, (high - low) or 1.0
        self._start, self._length = start, end - start

    def __call__(self, value: float) -> float:
        return round(self._start + self._length * (value - self._low) / self._span, 2)


def _svg(width: float, height: float, label: str, parts: Sequence[Markup]) -> Markup:
    return element("svg", parts, viewBox=f"0 0 {width} {height}", role="img", aria_label=label)


def _grid(left: float, right: float, rows: Sequence[tuple[float, str]]) -> Markup:
    lines = [element("line", x1=left, x2=right, y1=y, y2=y, class_="grid") for y, _ in rows]
    return element("g", lines, [_text(left - 7, y + 4, text, anchor="end") for y, text in rows])


def _text(x: float, y: float, text: str, *, anchor: str | None = None, class_: str | None = None) -> Markup:
    return element("text", text, x=round(x, 2), y=round(y, 2), text_anchor=anchor, class_=class_)


def _dot(x: float, y: float, title: str, colour: int, radius: float = 3.5) -> Markup:
    circle = element("circle", cx=x, cy=y, r=round(radius, 2), class_=f"dot c{colour % 6}")
    return element("g", element("title", title), circle)
