"""Plots: glyphs, labels and plotted values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import torch
from anatomy_helpers import MASKED, bert, close, gpt, loaded, traced
from transformers import AutoModelForMaskedLM

from ratsnlp_like import InputError, anatomy

LONG = (
    "주말에 가족과 함께 봤는데 초반은 조금 지루했지만 중반부터 배우들의 [MASK] 살아나면서 끝까지 눈을 떼지 못했고 "
    "표값 $3 음악값 $2 😀 𝔸 좋았다"
)


@pytest.fixture
def strict() -> Iterator[None]:
    """Turn matplotlib's warning about a missing glyph into an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def drawn(figure: Any) -> Any:
    figure.savefig(BytesIO(), dpi=40)
    return figure


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


PLOTS = {
    "attention": lambda a, b, **axes: anatomy.plot_attention(a, layer=1, head=2, **axes),
    "heads": lambda a, b, **axes: anatomy.plot_heads(a, **axes),
    "directions": lambda a, b, **axes: anatomy.plot_directions(a, b, **axes),
    "stream": lambda a, b, **axes: anatomy.plot_stream(a, **axes),
    "candidates": lambda a, b, **axes: anatomy.plot_candidates(a.candidates(), **axes),
    "difference": lambda a, b, **axes: anatomy.plot_difference(a, a, **axes),
    "decoding": lambda a, b, **axes: anatomy.plot_decoding(b.decoding(top_k=5), **axes),
}
COUNTS = {"attention": 1, "heads": 16, "directions": 2, "stream": 3, "candidates": 1, "difference": 3, "decoding": 1}


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.usefixtures("strict")
def test_plots_have_all_glyphs(name: str) -> None:
    """Includes a long text with emoji, dollar signs and letters that few fonts have."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    before = dict(rcParams)
    plain = LONG.replace("[MASK]", "연기가")
    assert len(traced("ko-tiny-bert", LONG).tokens) > 25
    figure = PLOTS[name](traced("ko-tiny-bert", LONG), traced("ko-tiny-gpt", plain))
    assert isinstance(drawn(figure), Figure)
    assert len([ax for ax in figure.axes if ax.get_label() != "<colorbar>"]) == COUNTS[name]
    assert dict(rcParams) == before


@pytest.mark.usefixtures("strict")
def test_a_font_without_hangul_raises_a_warning() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0, 0, "한글", family="DejaVu Sans")
    with pytest.raises(UserWarning, match="missing"):
        drawn(figure)


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.usefixtures("strict")
def test_plots_draw_into_given_axes(name: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, COUNTS[name])
    assert PLOTS[name](bert(), gpt(), axes=axes) is figure
    assert drawn(figure).axes  # all glyphs, although the axes were created with another font
    with pytest.raises(InputError, match="axes"):
        PLOTS[name](bert(), gpt(), axes=Figure().subplots(1, COUNTS[name] + 1))


def test_a_notebook_displays_a_figure() -> None:
    figure = anatomy.plot_candidates(bert().candidates(k=1))
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.slow
def test_tokens_are_the_axis_labels() -> None:
    ax = drawn(anatomy.plot_attention(bert())).axes[0]
    assert texts(ax.get_xticklabels()) == texts(ax.get_yticklabels()) == list(bert().tokens)
    left, right = drawn(anatomy.plot_directions(bert(), gpt())).axes[:2]
    assert texts(left.get_xticklabels()) == list(bert().tokens)
    assert texts(right.get_yticklabels()) == [token.replace("▁", "_") for token in gpt().tokens]
    shown = right.images[0].get_array()
    assert shown.mask[0].tolist() == [False] + [True] * (len(gpt().tokens) - 1)  # hidden, not 0
    assert not left.images[0].get_array().mask.any()


@pytest.mark.slow
def test_plotted_values_equal_the_trace() -> None:
    ax = drawn(anatomy.plot_attention(bert(), layer=2, head=3)).axes[0]
    close(torch.tensor(ax.images[0].get_array().data), bert().attentions[1, 2])
    ax = drawn(anatomy.plot_candidates(bert().candidates(k=2))).axes[0]
    assert texts(ax.texts)[-2].startswith("정말  0.")
    assert texts(ax.get_yticklabels()) == ["임베딩", "1층", "2층", "3층", "4층"]
    heights = [bar.get_height() for bar in drawn(anatomy.plot_stream(gpt())).axes[1].patches]
    assert heights == pytest.approx(gpt().update_norms.mean(-1).T.flatten().tolist())


@pytest.mark.slow
def test_difference_to_a_model_changed_in_one_layer() -> None:
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForMaskedLM)
    with torch.no_grad():
        model.bert.encoder.layer[2].attention.self.query.weight.neg_()
    after = anatomy.trace(model, MASKED, tokenizer=tokenizer)
    heads, states, attention = drawn(anatomy.plot_difference(bert(), after)).axes[:3]
    moved = heads.images[0].get_array()
    assert moved[:2].max() == pytest.approx(0, abs=1e-6)
    assert moved[2].min() > 0.01
    assert states.images[0].get_array()[:, :3].max() == pytest.approx(0, abs=1e-5)
    assert texts(attention.get_xticklabels()) == list(bert().tokens)


def test_plotted_bars_of_a_distribution() -> None:
    decoding = anatomy.decoding(torch.tensor([0.1, 0.6, 0.3]).log(), top_k=2, names=["하나", "둘", "셋"])
    ax = drawn(anatomy.plot_decoding(decoding)).axes[0]
    assert texts(ax.get_yticklabels()) == ["둘", "셋", "하나"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.6, 0.3, 0.1, 2 / 3, 1 / 3, 0])
    assert [text.strip() for text in texts(ax.texts)] == ["0.667", "0.333", "잘림"]
    assert ax.get_title() == "top_k=2: 3개 가운데 2개가 남음"
    plain = anatomy.decoding([1.0, 2.0])
    assert drawn(anatomy.plot_decoding(plain)).axes[0].get_title() == "설정 없음: 2개 가운데 2개가 남음"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: anatomy.plot_attention(bert(), layer=5), "layer: 5"),
        (lambda: anatomy.plot_attention(bert(), head=0), "head: 0"),
        (lambda: anatomy.plot_difference(bert(), gpt()), "do not match"),
        (lambda: anatomy.plot_decoding(gpt().decoding(), words=0), "words: 0"),
    ],
)
def test_bad_input_is_an_input_error(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
