"""Plots of a trace and of a distribution, with Korean labels.

Each function draws into `axes` if given, and returns the figure. Layers and heads count from 1; layer 0 is the
embeddings.
"""

from __future__ import annotations

from typing import Any

from torch import cosine_similarity

from ..errors import InputError
from .distribution import Decoding
from .drawing import (
    ATTENTION,
    GREY,
    INK,
    LIGHT,
    blues,
    canvas,
    draw_attention,
    draw_bar_pairs,
    heatmap,
    label_of,
    labels_of,
    oranges,
    remove_frame,
    select_attention,
    set_token_axes,
    side_length,
    visible,
    zero_based,
)
from .fonts import check_installed
from .records import Candidates, Trace


def plot_attention(trace: Trace, *, layer: int | None = None, head: int | None = None, axes: Any = None) -> Any:
    """Plot attention weights of one layer: a row for each attending token, darker for larger weights.

    Args:
        trace: trace of a text.
        layer: from 1; default: the last one.
        head: from 1; default: the mean of all heads.
        axes: one matplotlib axes to draw into.

    Raises:
        InputError: the layer or head does not exist.
    """
    weights, title = select_attention(trace, layer, head)
    side = side_length(trace.tokens)
    with canvas(axes, (1, 1), (side + 0.7, side)) as (figure, (ax,)):
        draw_attention(ax, trace, weights, title, most=float(weights.max()))
    return figure


def plot_heads(trace: Trace, *, axes: Any = None) -> Any:
    """Plot the attention of all heads: a row for each layer, a column for each head.

    Args:
        trace: trace of a text.
        axes: layers times heads axes, layer by layer.
    """
    layers, heads = trace.attentions.shape[:2]
    with canvas(axes, (layers, heads), (1.35 * heads + 0.6, 1.35 * layers + 0.6)) as (figure, grid):
        for i, ax in enumerate(grid):
            layer, head = divmod(i, heads)
            ax.imshow(visible(trace, trace.attentions[layer, head]).numpy(), cmap=blues(), vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=LIGHT)
            if layer == 0:
                ax.set_title(f"헤드 {head + 1}", fontsize=9)
            if head == 0:
                ax.set_ylabel(f"{layer + 1}층", fontsize=9, rotation=0, ha="right", va="center")
    return figure


def plot_directions(
    bidirectional: Trace, causal: Trace, *, layer: int | None = None, head: int | None = None, axes: Any = None
) -> Any:
    """Plot bidirectional and causal attention side by side.

    Args:
        bidirectional: trace of a model such as BERT, on the left.
        causal: trace of a model such as GPT, on the right; masked positions are grey.
        layer: of both, from 1; default: the last one.
        head: of both, from 1; default: the mean of all heads.
        axes: two axes.

    Raises:
        InputError: the layer or head does not exist in one of them.
    """
    traces = bidirectional, causal
    side = max(side_length(trace.tokens) for trace in traces)
    chosen = [select_attention(trace, layer, head) for trace in traces]
    most = max(float(weights.max()) for weights, _ in chosen)
    with canvas(axes, (1, 2), (2 * side + 0.6, side)) as (figure, pair):
        for ax, trace, (weights, title) in zip(pair, traces, chosen, strict=True):
            title = f"{'한쪽 방향' if trace.causal else '양방향'} · {title}"
            draw_attention(ax, trace, weights, title, most=most)
    return figure


def plot_stream(trace: Trace, *, axes: Any = None) -> Any:
    """Plot the residual stream: lengths of its vectors by layer, and the updates of the sub-layers.

    Args:
        trace: trace of a text.
        axes: three axes: length of the stream, length of the updates, cosine of update and resulting stream.
    """
    with canvas(axes, (1, 3), (13, 3.8)) as (figure, (length, added, cosine)):
        lines = length.plot(trace.norms.numpy(), color="#cbd2d9", linewidth=1.2)
        lines[0].set_label("토큰별")
        length.plot(trace.norms.mean(dim=1).numpy(), color=INK, linewidth=2.2, marker="o", markersize=4, label="평균")
        length.set_title("잔차 흐름의 크기")
        length.set(xlabel="층 (0은 임베딩)", ylabel="벡터의 길이", xticks=range(trace.layers + 1), ylim=(0, None))
        draw_bar_pairs(added, trace.update_norms.mean(dim=-1), "하위 층이 더하는 벡터의 길이")
        draw_bar_pairs(cosine, trace.update_cosines.mean(dim=-1), "더한 벡터와 결과의 코사인 유사도")
        cosine.set_ylim(min(0.0, float(trace.update_cosines.mean(dim=-1).min()) * 1.1), 1)
        added.set_ylim(0, 1.18 * float(trace.update_norms.mean(dim=-1).max()))  # space for the legend
        length.legend(frameon=False, fontsize=9)
        added.legend(frameon=False, fontsize=9, ncols=2, loc="upper left")
    return figure


def plot_candidates(candidates: Candidates, *, axes: Any = None) -> Any:
    """Plot the most probable words of each layer as a heat map of their probabilities.

    Args:
        candidates: candidates of a trace.
        axes: one axes.
    """
    layers, ranks = candidates.probabilities.shape
    with canvas(axes, (1, 1), (1.45 * ranks + 1.4, 0.5 * layers + 1.0)) as (figure, (ax,)):
        ax.imshow(candidates.probabilities.numpy(), cmap=blues(), vmin=0, vmax=1, aspect="auto")
        for row, words in enumerate(candidates.words):
            for column, word in enumerate(words):
                p = float(candidates.probabilities[row, column])
                label = f"{label_of(word)}  {p:.2f}"
                ax.text(column, row, label, ha="center", va="center", color="white" if p > 0.55 else INK)
        ax.set_xticks(range(ranks), [f"{rank + 1}위" for rank in range(ranks)])
        ax.set_yticks(range(layers), ["임베딩", *(f"{layer}층" for layer in range(1, layers))])
        ax.set_title(f"층마다 읽은 후보: {candidates.position}번 토큰 {label_of(candidates.token)}")
        remove_frame(ax, x=ranks, y=layers)
    return figure


def plot_difference(before: Trace, after: Trace, *, axes: Any = None) -> Any:
    """Plot what fine-tuning changes: two traces of the same text by two models of the same size.

    Args:
        before: trace by the model before fine-tuning.
        after: trace by the fine-tuned model.
        axes: three axes: change of each head's attention, of each token's state, and of the head that changed most.

    Raises:
        InputError: tokens or model sizes differ.
    """
    if before.tokens != after.tokens or before.attentions.shape != after.attentions.shape:
        raise InputError(
            f"the traces do not match: {len(before.tokens)} tokens and attention {tuple(before.attentions.shape)}, "
            f"{len(after.tokens)} tokens and attention {tuple(after.attentions.shape)}",
            expected="the same text, and two models of the same size with the same tokenizer",
        )
    check_installed()
    from matplotlib.colors import Normalize

    difference = after.attentions - before.attentions
    moved = difference.abs().sum(dim=-1).mean(dim=-1) / 2
    turned = 1 - cosine_similarity(before.states, after.states, dim=-1)
    layer, head = divmod(int(moved.argmax()), moved.shape[1])
    side = side_length(before.tokens)
    widths = (3.0, 3.6, side + 0.7)
    with canvas(axes, (1, 3), (sum(widths), side), widths=widths) as (figure, (heads, states, attention)):
        heatmap(heads, moved, "헤드별 어텐션의 변화", oranges(), "옮겨 간 어텐션의 비율", norm=zero_based(moved))
        heads.set_xticks(range(moved.shape[1]), range(1, moved.shape[1] + 1))
        heads.set_yticks(range(len(moved)), [f"{i + 1}층" for i in range(len(moved))])
        heads.set(xlabel="헤드", aspect="equal", anchor="N")
        heatmap(states, turned.T, "토큰별 잔차 흐름의 변화", oranges(), "1 - 코사인 유사도", norm=zero_based(turned))
        states.set_xticks(range(len(turned)), range(len(turned)))
        states.set_yticks(range(len(before.tokens)), labels_of(before.tokens))
        states.set_xlabel("층 (0은 임베딩)")
        bound = float(difference[layer, head].abs().max()) or 1.0
        title = f"가장 많이 변한 {layer + 1}층 헤드 {head + 1}: 나중 - 처음"
        heatmap(attention, difference[layer, head], title, "RdBu_r", "어텐션의 차이", norm=Normalize(-bound, bound))
        set_token_axes(attention, before.tokens)
    return figure


def plot_decoding(decoding: Decoding, *, words: int = 12, axes: Any = None) -> Any:
    """Plot the most probable next words: the model's probabilities, and those after the decoding settings.

    Args:
        decoding: result of `anatomy.decoding` or `Trace.decoding`.
        words: number of words shown.
        axes: one axes.

    Raises:
        InputError: words is below 1.
    """
    if words < 1:
        raise InputError(f"{words}", place="words", expected="at least 1")
    ids = decoding.before.argsort(descending=True, stable=True)[:words]
    rows = range(len(ids))
    with canvas(axes, (1, 1), (7.4, 0.36 * len(ids) + 1.5)) as (figure, (ax,)):
        for shift, values, color, label in (
            (-0.2, decoding.before, "#cbd2d9", "모델의 확률"),
            (0.2, decoding.after, ATTENTION, "설정을 거친 확률"),
        ):
            ax.barh([row + shift for row in rows], values[ids].numpy(), height=0.38, color=color, label=label)
        for row, p in enumerate(decoding.after[ids].tolist()):
            text, color = (f" {p:.3f}", INK) if p else (" 잘림", GREY)
            ax.text(p, row + 0.2, text, va="center", fontsize=8, color=color)
        ax.set_yticks(rows, labels_of([decoding.name_of(int(i)) for i in ids]))
        ax.set_ylim(len(ids) - 0.4, -0.6)
        ax.margins(x=0.12)
        ax.set_xlabel("확률")
        kept, total = int(decoding.kept.sum()), len(decoding.before)
        ax.set_title(f"{decoding.settings or '설정 없음'}: {total:,}개 가운데 {kept:,}개가 남음")
        ax.tick_params(left=False)
        ax.legend(edgecolor="none", loc="lower right")
    return figure
