"""Pictures of a trace and of a distribution, with Korean labels.

Each function draws into `axes` where it is given some, and returns the figure. Layers and heads count from 1 here, as
in the pictures; the embeddings are layer 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from ..errors import InputError
from .distribution import Decoding
from .fonts import check_installed, drawable, families
from .tracing import Candidates, Trace

_INK, _GREY, _LIGHT = "#1f2933", "#9aa5b1", "#e4e7eb"
_ATTENTION, _FEED_FORWARD = "#2f6fb3", "#e07b39"
_HIDDEN = "#eef0f2"
_SUBLAYERS = (("어텐션", _ATTENTION), ("피드포워드", _FEED_FORWARD))
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlepad": 9,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _INK,
    "axes.unicode_minus": False,
    "text.color": _INK,
    "text.parse_math": False,  # a price in dollars is no formula
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def plot_attention(trace: Trace, *, layer: int | None = None, head: int | None = None, axes: Any = None) -> Any:
    """Whom each token looks at: a row for each token, darker where it looks more.

    Args:
        trace: of a text.
        layer: from 1; the last one by default.
        head: from 1; the mean of all by default.
        axes: of matplotlib, to draw into.

    Raises:
        InputError: there is no such layer or head.
    """
    weights, title = _chosen_attention(trace, layer, head)
    side = _side(trace.tokens)
    with _canvas(axes, (1, 1), (side + 0.7, side)) as (figure, (ax,)):
        _draw_attention(ax, trace, weights, title, most=float(weights.max()))
    return figure


def plot_heads(trace: Trace, *, axes: Any = None) -> Any:
    """All heads of all layers at a glance: a row for each layer, a column for each head.

    Args:
        trace: of a text.
        axes: as many as heads in all, layer by layer.
    """
    layers, heads = trace.attentions.shape[:2]
    with _canvas(axes, (layers, heads), (1.35 * heads + 0.6, 1.35 * layers + 0.6)) as (figure, grid):
        for i, ax in enumerate(grid):
            layer, head = divmod(i, heads)
            ax.imshow(_shown(trace, trace.attentions[layer, head]).numpy(), cmap=_blues(), vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=_LIGHT)
            if layer == 0:
                ax.set_title(f"헤드 {head + 1}", fontsize=9)
            if head == 0:
                ax.set_ylabel(f"{layer + 1}층", fontsize=9, rotation=0, ha="right", va="center")
    return figure


def plot_directions(
    bidirectional: Trace, causal: Trace, *, layer: int | None = None, head: int | None = None, axes: Any = None
) -> Any:
    """BERT's attention beside GPT's: everywhere, and only to what stands before.

    Args:
        bidirectional: the left one.
        causal: the right one; what its tokens must not see is grey.
        layer: of both, from 1; the last one by default.
        head: of both, from 1; the mean of all by default.
        axes: two.

    Raises:
        InputError: one of them has no such layer or head.
    """
    traces = bidirectional, causal
    side = max(_side(trace.tokens) for trace in traces)
    chosen = [_chosen_attention(trace, layer, head) for trace in traces]
    most = max(float(weights.max()) for weights, _ in chosen)
    with _canvas(axes, (1, 2), (2 * side + 0.6, side)) as (figure, pair):
        for ax, trace, (weights, title) in zip(pair, traces, chosen, strict=True):
            title = f"{'한쪽 방향' if trace.causal else '양방향'} · {title}"
            _draw_attention(ax, trace, weights, title, most=most)
    return figure


def plot_stream(trace: Trace, *, axes: Any = None) -> Any:
    """The residual stream: how long its vectors are after each layer, and what the sub-layers add to it.

    Args:
        trace: of a text.
        axes: three: the length of the stream, of what is added, and its cosine to the stream behind it.
    """
    with _canvas(axes, (1, 3), (13, 3.8)) as (figure, (length, added, cosine)):
        lines = length.plot(trace.norms.numpy(), color="#cbd2d9", linewidth=1.2)
        lines[0].set_label("토큰별")
        length.plot(trace.norms.mean(dim=1).numpy(), color=_INK, linewidth=2.2, marker="o", markersize=4, label="평균")
        length.set_title("잔차 흐름의 크기")
        length.set(xlabel="층 (0은 임베딩)", ylabel="벡터의 길이", xticks=range(trace.layers + 1), ylim=(0, None))
        _draw_pairs(added, trace.added_norms.mean(dim=-1), "하위 층이 더하는 벡터의 길이")
        _draw_pairs(cosine, trace.added_cosines.mean(dim=-1), "더한 벡터와 결과의 코사인 유사도")
        cosine.set_ylim(min(0.0, float(trace.added_cosines.mean(dim=-1).min()) * 1.1), 1)
        added.set_ylim(0, 1.18 * float(trace.added_norms.mean(dim=-1).max()))  # room for the legend
        length.legend(frameon=False, fontsize=9)
        added.legend(frameon=False, fontsize=9, ncols=2, loc="upper left")
    return figure


def plot_candidates(candidates: Candidates, *, axes: Any = None) -> Any:
    """The likeliest words of each layer, written into a heat map of their probabilities.

    Args:
        candidates: of a trace.
        axes: one.
    """
    layers, ranks = candidates.probabilities.shape
    with _canvas(axes, (1, 1), (1.45 * ranks + 1.4, 0.5 * layers + 1.0)) as (figure, (ax,)):
        ax.imshow(candidates.probabilities.numpy(), cmap=_blues(), vmin=0, vmax=1, aspect="auto")
        for row, words in enumerate(candidates.words):
            for column, word in enumerate(words):
                p = float(candidates.probabilities[row, column])
                label = f"{_label(word)}  {p:.2f}"
                ax.text(column, row, label, ha="center", va="center", color="white" if p > 0.55 else _INK)
        ax.set_xticks(range(ranks), [f"{rank + 1}위" for rank in range(ranks)])
        ax.set_yticks(range(layers), ["임베딩", *(f"{layer}층" for layer in range(1, layers))])
        ax.set_title(f"층마다 읽은 후보: {candidates.position}번 토큰 {_label(candidates.token)}")
        _bare(ax, x=ranks, y=layers)
    return figure


def plot_difference(before: Trace, after: Trace, *, axes: Any = None) -> Any:
    """What fine-tuning changes: two traces of one text, by two models of one size.

    Args:
        before: by the model as it was.
        after: by the fine-tuned one.
        axes: three: the change of each head's attention, of each token's state, and of the attention that changed most.

    Raises:
        InputError: the traces are of other tokens, or of models of other sizes.
    """
    if before.tokens != after.tokens or before.attentions.shape != after.attentions.shape:
        raise InputError(
            f"the traces do not match: {len(before.tokens)} tokens and attention {tuple(before.attentions.shape)}, "
            f"{len(after.tokens)} tokens and attention {tuple(after.attentions.shape)}",
            expected="one text, and two models of one size with one tokenizer",
        )
    check_installed()
    from matplotlib.colors import Normalize

    difference = after.attentions - before.attentions
    moved = difference.abs().sum(dim=-1).mean(dim=-1) / 2
    turned = 1 - _cosines(before.states, after.states)
    layer, head = divmod(int(moved.argmax()), moved.shape[1])
    side = _side(before.tokens)
    widths = (3.0, 3.6, side + 0.7)
    with _canvas(axes, (1, 3), (sum(widths), side), widths=widths) as (figure, (heads, states, attention)):
        _heat(heads, moved, "헤드별 어텐션의 변화", _oranges(), "옮겨 간 어텐션의 비율", norm=_from_zero(moved))
        heads.set_xticks(range(moved.shape[1]), range(1, moved.shape[1] + 1))
        heads.set_yticks(range(len(moved)), [f"{i + 1}층" for i in range(len(moved))])
        heads.set(xlabel="헤드", aspect="equal", anchor="N")
        _heat(states, turned.T, "토큰별 잔차 흐름의 변화", _oranges(), "1 - 코사인 유사도", norm=_from_zero(turned))
        states.set_xticks(range(len(turned)), range(len(turned)))
        states.set_yticks(range(len(before.tokens)), _labels(before.tokens))
        states.set_xlabel("층 (0은 임베딩)")
        bound = float(difference[layer, head].abs().max()) or 1.0
        title = f"가장 많이 변한 {layer + 1}층 헤드 {head + 1}: 나중 - 처음"
        _heat(attention, difference[layer, head], title, "RdBu_r", "어텐션의 차이", norm=Normalize(-bound, bound))
        _token_axes(attention, before.tokens)
    return figure


def plot_decoding(decoding: Decoding, *, words: int = 12, axes: Any = None) -> Any:
    """The likeliest next words: the model's probabilities, and those that are drawn from.

    Args:
        decoding: of a distribution.
        words: how many of the likeliest.
        axes: one.

    Raises:
        InputError: not one word is to be shown.
    """
    if words < 1:
        raise InputError(f"{words}", place="words", expected="at least 1")
    ids = decoding.before.argsort(descending=True, stable=True)[:words]
    rows = range(len(ids))
    with _canvas(axes, (1, 1), (7.4, 0.36 * len(ids) + 1.5)) as (figure, (ax,)):
        for shift, values, color, label in (
            (-0.2, decoding.before, "#cbd2d9", "모델의 확률"),
            (0.2, decoding.after, _ATTENTION, "설정을 거친 확률"),
        ):
            ax.barh([row + shift for row in rows], values[ids].numpy(), height=0.38, color=color, label=label)
        for row, p in enumerate(decoding.after[ids].tolist()):
            text, color = (f" {p:.3f}", _INK) if p else (" 잘림", _GREY)
            ax.text(p, row + 0.2, text, va="center", fontsize=8, color=color)
        ax.set_yticks(rows, _labels([decoding.name_of(int(i)) for i in ids]))
        ax.set_ylim(len(ids) - 0.4, -0.6)
        ax.margins(x=0.12)
        ax.set_xlabel("확률")
        ax.set_title(f"{decoding.settings}: {len(decoding.before):,}개 가운데 {int(decoding.kept.sum()):,}개가 남음")
        ax.tick_params(left=False)
        ax.legend(edgecolor="none", loc="lower right")
    return figure


@contextmanager
def _canvas(
    axes: Any, grid: tuple[int, int], size: tuple[float, float], *, widths: Sequence[float] | None = None
) -> Iterator[tuple[Any, list[Any]]]:
    """A figure and its axes, drawn with a font that has Hangul; the settings of other plots stay as they are."""
    check_installed()
    from matplotlib import rc_context

    with rc_context({**_STYLE, "font.family": list(families())}):
        if axes is None:
            figure = _figure(size)
            made = figure.subplots(*grid, squeeze=False, gridspec_kw={"width_ratios": widths}).ravel().tolist()
        else:
            made = _given(axes, grid[0] * grid[1])
            figure = made[0].get_figure()
        yield figure, made
        if axes is not None:
            _rewrite(made)


def _rewrite(axes: Sequence[Any]) -> None:
    """Axes made elsewhere have titles and labels that were made with another font."""
    from matplotlib.text import Text

    for ax in axes:
        for text in ax.findobj(Text):
            text.set_fontfamily(families())
            text.set_parse_math(False)


def _given(axes: Any, wanted: int) -> list[Any]:
    import numpy as np

    made = np.asarray(axes, dtype=object).ravel().tolist()
    if len(made) != wanted:
        raise InputError(f"{len(made)}", place="axes", expected=f"{wanted} axes of matplotlib")
    return list(made)


def _figure(size: tuple[float, float]) -> Any:
    """A figure that notebooks show by itself, and pyplot knows nothing of: it is shown once, and freed."""
    from io import BytesIO

    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Picture(Figure):
        def _repr_png_(self) -> bytes:
            out = BytesIO()
            self.savefig(out, format="png")
            return out.getvalue()

    return Picture(figsize=size, layout=ConstrainedLayoutEngine(wspace=0.05), dpi=110)


def _chosen_attention(trace: Trace, layer: int | None, head: int | None) -> tuple[Tensor, str]:
    layers, heads = trace.attentions.shape[:2]
    at = _checked("layer", layers if layer is None else layer, layers)
    if head is None:
        return trace.attentions[at].mean(dim=0), f"{at + 1}층, 헤드 평균"
    which = _checked("head", head, heads)
    return trace.attentions[at, which], f"{at + 1}층, 헤드 {which + 1}"


def _checked(name: str, number: int, most: int) -> int:
    """A number from 1 as an index."""
    if not 1 <= number <= most:
        raise InputError(f"{number}", place=name, expected=f"1 to {most}")
    return number - 1


def _shown(trace: Trace, weights: Tensor) -> Tensor:
    """Attention with gaps where a causal model must not look."""
    if not trace.causal:
        return weights
    return weights.masked_fill(weights.new_ones(weights.shape).triu(1).bool(), float("nan"))


def _draw_attention(ax: Any, trace: Trace, weights: Tensor, title: str, *, most: float) -> None:
    from matplotlib.colors import PowerNorm

    _heat(ax, _shown(trace, weights), title, _blues(), "어텐션", norm=PowerNorm(0.6, vmin=0, vmax=most))
    _token_axes(ax, trace.tokens)


def _heat(ax: Any, values: Tensor, title: str, cmap: Any, label: str, *, norm: Any) -> None:
    image = ax.imshow(values.numpy(), cmap=cmap, norm=norm, aspect="auto")
    bar = ax.get_figure().colorbar(image, cax=ax.inset_axes((1.02, 0, 0.04, 1)))
    bar.outline.set_visible(False)
    bar.set_label(label, fontsize=9)
    bar.ax.tick_params(labelsize=8, length=2)
    ax.set_title(title)
    _bare(ax, x=values.shape[1], y=values.shape[0])


def _from_zero(values: Tensor) -> Any:
    from matplotlib.colors import Normalize

    return Normalize(0, float(values.max()) or 1.0)


def _token_axes(ax: Any, tokens: Sequence[str]) -> None:
    labels = _labels(tokens)
    if len(tokens) > 12:
        ax.set_xticks(range(len(tokens)), labels, rotation=90)
    else:
        ax.set_xticks(range(len(tokens)), labels, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(tokens)), labels)
    ax.set(xlabel="보이는 토큰", ylabel="보는 토큰")


def _bare(ax: Any, *, x: int, y: int) -> None:
    """No frame; thin white lines between the cells."""
    ax.spines[:].set_visible(False)
    ax.set_xticks([i - 0.5 for i in range(1, x)], minor=True)
    ax.set_yticks([i - 0.5 for i in range(1, y)], minor=True)
    ax.grid(which="minor", color="white", linewidth=1)
    ax.tick_params(which="both", length=0)


def _draw_pairs(ax: Any, values: Tensor, title: str) -> None:
    """Two bars for each layer: attention and feed-forward network."""
    for column, (label, color) in enumerate(_SUBLAYERS):
        at = [layer + 1 + 0.4 * (column - 0.5) for layer in range(len(values))]
        ax.bar(at, values[:, column].numpy(), width=0.38, color=color, label=label)
    ax.set_title(title)
    ax.set(xlabel="층", xticks=range(1, len(values) + 1))


def _labels(tokens: Sequence[str]) -> list[str]:
    return [_label(token, 12) for token in tokens]


def _label(token: str, most: int = 10) -> str:
    """A token as a label; its leading space is a thinner line here, which does not hide its neighbours."""
    text = drawable(token).replace("▁", "_")
    return text if len(text) <= most else text[: most - 1] + "…"


def _side(tokens: Sequence[str]) -> float:
    """Inches of an attention map with these tokens on its axes."""
    return min(11.0, max(3.6, 0.36 * len(tokens) + 1.6))


def _cosines(a: Tensor, b: Tensor) -> Tensor:
    from torch import cosine_similarity

    return cosine_similarity(a, b, dim=-1)


def _blues() -> Any:
    return _scale(("#f7fafd", "#c6dbef", "#6baed6", "#2171b5", "#08306b"))


def _oranges() -> Any:
    return _scale(("#fffaf5", "#fdd0a2", "#fd8d3c", "#d94801", "#7f2704"))


def _scale(colors: Sequence[str]) -> Any:
    """Light to dark; what must not be seen is grey."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("light to dark", list(colors)).with_extremes(bad=_HIDDEN)
