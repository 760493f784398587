"""Drawing helpers of the plots: canvases, heat maps, colour maps, labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ..errors import InputError
from .fonts import check_installed, drawable, font_families
from .records import Trace

INK, GREY, LIGHT = "#1f2933", "#9aa5b1", "#e4e7eb"
ATTENTION, FEED_FORWARD = "#2f6fb3", "#e07b39"
_HIDDEN = "#eef0f2"
_SUBLAYERS = (("어텐션", ATTENTION), ("피드포워드", FEED_FORWARD))
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlepad": 9,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.unicode_minus": False,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign starts no formula
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


@contextmanager
def canvas(
    axes: Any, grid: tuple[int, int], size: tuple[float, float], *, widths: Sequence[float] | None = None
) -> Iterator[tuple[Any, list[Any]]]:
    """Provide a figure and its axes with a Hangul font; matplotlib's global settings are left unchanged."""
    check_installed()
    from matplotlib import rc_context

    with rc_context({**_STYLE, "font.family": list(font_families())}):
        if axes is None:
            figure = _figure(size)
            panels = figure.subplots(*grid, squeeze=False, gridspec_kw={"width_ratios": widths}).ravel().tolist()
        else:
            panels = _given(axes, grid[0] * grid[1])
            figure = panels[0].get_figure()
        yield figure, panels
        if axes is not None:
            _set_font(panels)


def _set_font(axes: Sequence[Any]) -> None:
    """Set the Hangul font in axes created by the caller, whose texts have another one."""
    from matplotlib.text import Text

    for ax in axes:
        for text in ax.findobj(Text):
            text.set_fontfamily(font_families())
            text.set_parse_math(False)


def _given(axes: Any, wanted: int) -> list[Any]:
    import numpy as np

    panels = np.asarray(axes, dtype=object).ravel().tolist()
    if len(panels) != wanted:
        raise InputError(f"{len(panels)}", place="axes", expected=f"{wanted} axes of matplotlib")
    return list(panels)


def _figure(size: tuple[float, float]) -> Any:
    """Return a figure that notebooks display, not registered in pyplot: it is shown once and then freed."""
    from io import BytesIO

    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            out = BytesIO()
            self.savefig(out, format="png")
            return out.getvalue()

    return Picture(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.05), dpi=110)


def select_attention(trace: Trace, layer: int | None, head: int | None) -> tuple[Tensor, str]:
    """Return the attention weights of a layer and head (default: last layer, mean of heads) and their title."""
    layers, heads = trace.attentions.shape[:2]
    at = _checked("layer", layers if layer is None else layer, layers)
    if head is None:
        return trace.attentions[at].mean(dim=0), f"{at + 1}층, 헤드 평균"
    which = _checked("head", head, heads)
    return trace.attentions[at, which], f"{at + 1}층, 헤드 {which + 1}"


def _checked(name: str, number: int, most: int) -> int:
    """Return a number that counts from 1 as an index."""
    if not 1 <= number <= most:
        raise InputError(f"{number}", place=name, expected=f"1 to {most}")
    return number - 1


def visible(trace: Trace, weights: Tensor) -> Tensor:
    """Return attention weights with NaN at the positions that a causal model masks."""
    if not trace.causal:
        return weights
    return weights.masked_fill(weights.new_ones(weights.shape).triu(1).bool(), float("nan"))


def draw_attention(ax: Any, trace: Trace, weights: Tensor, title: str, *, most: float) -> None:
    """Draw attention weights as a heat map with tokens on both axes."""
    from matplotlib.colors import PowerNorm

    heatmap(ax, visible(trace, weights), title, blues(), "어텐션", norm=PowerNorm(0.6, vmin=0, vmax=most))
    set_token_axes(ax, trace.tokens)


def heatmap(ax: Any, values: Tensor, title: str, cmap: Any, label: str, *, norm: Any) -> None:
    """Draw a heat map with a labelled colour bar."""
    image = ax.imshow(values.numpy(), cmap=cmap, norm=norm, aspect="auto")
    bar = ax.get_figure().colorbar(image, cax=ax.inset_axes((1.02, 0, 0.04, 1)))
    bar.outline.set_visible(False)
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8, length=2)
    ax.set_title(title)
    remove_frame(ax, x=values.shape[1], y=values.shape[0])


def zero_based(values: Tensor) -> Any:
    """Return a colour norm from 0 to the largest value."""
    from matplotlib.colors import Normalize

    return Normalize(0, float(values.max()) or 1.0)


def set_token_axes(ax: Any, tokens: Sequence[str]) -> None:
    """Label both axes with tokens."""
    labels = labels_of(tokens)
    if len(tokens) > 12:
        ax.set_xticks(range(len(tokens)), labels, rotation=90)
    else:
        ax.set_xticks(range(len(tokens)), labels, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(tokens)), labels)
    ax.set(xlabel="보이는 토큰", ylabel="보는 토큰")


def remove_frame(ax: Any, *, x: int, y: int) -> None:
    """Remove the frame and draw thin white lines between the cells."""
    ax.spines[:].set_visible(False)
    ax.set_xticks([i - 0.5 for i in range(1, x)], minor=True)
    ax.set_yticks([i - 0.5 for i in range(1, y)], minor=True)
    ax.grid(which="minor", color="white", linewidth=1)
    ax.tick_params(which="both", length=0)


def draw_bar_pairs(ax: Any, values: Tensor, title: str) -> None:
    """Draw two bars for each layer: attention and feed-forward network."""
    for column, (label, color) in enumerate(_SUBLAYERS):
        at = [layer + 1 + 0.4 * (column - 0.5) for layer in range(len(values))]
        ax.bar(at, values[:, column].numpy(), width=0.38, color=color, label=label)
    ax.set_title(title)
    ax.set(xlabel="층", xticks=range(1, len(values) + 1))


def labels_of(tokens: Sequence[str]) -> list[str]:
    """Return tokens as axis labels."""
    return [label_of(token, 12) for token in tokens]


def label_of(token: str, most: int = 10) -> str:
    """Return a token as a label; a leading space is `_`, which is narrower than `▁`."""
    text = drawable(token).replace("▁", "_")
    return text if len(text) <= most else text[: most - 1] + "…"


def side_length(tokens: Sequence[str]) -> float:
    """Return the side length, in inches, of an attention map with these tokens."""
    return min(11.0, max(3.6, 0.36 * len(tokens) + 1.6))


def blues() -> Any:
    """Return a colour map from light to dark blue."""
    return _scale(("#f7fafd", "#c6dbef", "#6baed6", "#2171b5", "#08306b"))


def oranges() -> Any:
    """Return a colour map from light to dark orange."""
    return _scale(("#fffaf5", "#fdd0a2", "#fd8d3c", "#d94801", "#7f2704"))


def _scale(colors: Sequence[str]) -> Any:
    """Return a colour map from light to dark, with grey for NaN."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("light to dark", list(colors)).with_extremes(bad=_HIDDEN)
