"""The Transformer from inside: worked values, equality with torch and transformers, traces of real models, pictures."""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

import pytest
import torch
from helpers import new_tokenizer
from tokenizers.processors import ByteLevel
from torch import nn
from torch.nn import functional as F
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    BertConfig,
    ElectraConfig,
    RobertaConfig,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.generation import logits_process as warpers

from ratsnlp_like import InputError, Predictor, anatomy
from ratsnlp_like.anatomy import fonts
from ratsnlp_like.checkpoints.base import load_config, load_model, load_tokenizer, resolve
from ratsnlp_like.text.normalization import Normalizer

EYE = [[1, 0], [0, 1]]
MASKED = "이 영화는 [MASK] 재미있다"
PLAIN = "이 영화는 정말 재미있고 배우들의 연기가"
LONG = (
    "주말에 가족과 함께 봤는데 초반은 조금 지루했지만 중반부터 배우들의 [MASK] 살아나면서 끝까지 눈을 떼지 못했고 "
    "표값 $3 음악값 $2 😀 𝔸 좋았다"
)


@lru_cache
def traced(name: str, text: str) -> anatomy.Trace:
    return anatomy.trace(name, text)


def bert() -> anatomy.Trace:
    return traced("ko-tiny-bert", MASKED)


def gpt() -> anatomy.Trace:
    return traced("ko-tiny-gpt", PLAIN)


def loaded(name: str, auto: Any) -> tuple[Any, Any]:
    folder = resolve(name)
    config = load_config(folder)
    tokenizer = load_tokenizer(folder, config)
    return load_model(folder, config, auto, vocabulary=len(tokenizer)).eval(), tokenizer


def close(a: torch.Tensor, b: Any, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(a, torch.as_tensor(b, dtype=a.dtype), rtol=tolerance, atol=tolerance)


# The worked values of the book


def test_feed_forward_by_hand() -> None:
    steps = anatomy.feed_forward([2, 1], w1=[[3, 2, -4], [2, -3, 1]], b1=1, w2=[[-1, 1], [1, 2], [3, 1]], b2=-1)
    close(steps.hidden, [9, 2, -6])
    close(steps.relu, [9, 2, 0])
    close(steps.output, [-8, 12])
    assert list(steps) == ["x", "hidden", "relu", "output"]
    assert steps.result is steps["output"]


def test_layer_norm_by_hand() -> None:
    steps = anatomy.layer_norm([[1, 2, 3], [1, 1, 1]])
    close(steps.mean, [[2], [1]])
    close(steps.deviation, [[0.8165], [0]], 1e-4)
    close(steps.output, [[-1.2247, 0, 1.2247], [0, 0, 0]], 1e-4)


def test_residual_by_hand() -> None:
    close(anatomy.residual([1, 2], added=[10, 20]).output, [11, 22])
    close(anatomy.residual([1, 2], added=lambda x: x * x).output, [2, 6])
    assert anatomy.residual_paths(3) == [(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)]
    assert anatomy.residual_paths(0) == [()]


def test_dropout_by_hand() -> None:
    steps = anatomy.dropout([1.0] * 200, p=0.2, seed=7)
    assert set(steps.output.tolist()) == {0.0, 1.25}
    assert 20 < int((steps.output == 0).sum()) < 60
    close(anatomy.dropout([1, 2, 3], p=0.2, training=False).output, [1, 2, 3])


def test_first_step_of_adam_by_hand() -> None:
    steps = anatomy.adam([0.0, 0.0], gradients=[100, 0.01], lr=0.1)
    close(steps.m, [[10, 0.001]])
    close(steps.m_hat, [[100, 0.01]])
    close(steps.change, [[-0.1, -0.1]])  # both gradients move their weight by lr


def test_self_attention_by_hand() -> None:
    steps = anatomy.self_attention(
        [[1, 0, 1, 0], [0, 2, 0, 2], [1, 1, 1, 1]],
        w_query=[[1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 1]],
        w_key=[[0, 0, 1], [1, 1, 0], [0, 1, 0], [1, 1, 0]],
        w_value=[[0, 2, 0], [0, 3, 0], [1, 0, 3], [1, 1, 0]],
    )
    close(steps.scores, [[2, 4, 4], [4, 16, 12], [4, 12, 10]])
    close(steps.output[0], [1.8639, 6.3194, 1.7042], 1e-4)


def test_masks_by_hand() -> None:
    steps = anatomy.masks([1, 1, 0])
    close(steps.bert.float(), [[1, 1, 0]] * 3)
    close(steps.gpt.float(), [[1, 0, 0], [1, 1, 0], [1, 1, 0]])
    assert anatomy.masks([[1, 1], [1, 0]]).gpt.tolist() == [
        [[True, False], [True, True]],
        [[True, False], [True, False]],
    ]


def test_only_berts_earlier_tokens_see_a_change_of_the_last() -> None:
    """With one more word behind the same tokens."""
    for name, sees in (("ko-tiny-bert", True), ("ko-tiny-gpt", False)):
        model, tokenizer = loaded(name, AutoModelForMaskedLM if sees else AutoModelForCausalLM)
        first, second = (
            anatomy.trace(model, f"배우들의 연기가 {last}", tokenizer=tokenizer) for last in ("좋다", "재미있다")
        )
        assert first.tokens != second.tokens
        alike = len([1 for a, b in zip(first.tokens, second.tokens, strict=False) if a == b and not a.startswith("[S")])
        assert alike >= 3
        same = torch.allclose(first.states[-1, :alike], second.states[-1, :alike], atol=1e-5)
        assert same is not sees


def test_decoding_by_hand() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    names = ["밥", "빵", "떡", "죽"]
    kept = anatomy.decoding(logits, top_p=0.7, names=names).candidates()
    assert [name for name, _ in kept] == ["밥", "빵"]
    assert [p for _, p in kept] == pytest.approx([0.625, 0.375])
    assert [n for n, _ in anatomy.decoding(logits, top_k=3, names=names).candidates()] == ["밥", "빵", "떡"]
    sharp = anatomy.decoding(logits, temperature=0.5).after
    close(sharp, [0.25 / 0.365, 0.09 / 0.365, 0.0225 / 0.365, 0.0025 / 0.365])
    close(anatomy.decoding(logits, temperature=1e8).after, [0.25] * 4)
    assert anatomy.decoding(logits, top_k=1).after.tolist() == [1, 0, 0, 0]
    close(anatomy.decoding([2.0, -1.0], repetition_penalty=2, previous=[0, 1, 1]).steps.repetition_penalty, [1, -2])
    assert anatomy.decoding(logits).kept.all()


# The same as torch and transformers


@pytest.fixture
def numbers() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def test_blocks_equal_torch(numbers: torch.Generator) -> None:
    x = torch.randn(2, 5, 8, generator=numbers)
    first, second, norm = nn.Linear(8, 16), nn.Linear(16, 8), nn.LayerNorm(8)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    steps = anatomy.feed_forward(x, w1=first.weight.T, b1=first.bias, w2=second.weight.T, b2=second.bias)
    close(steps.output, second(F.relu(first(x))))
    close(anatomy.layer_norm(x, gamma=norm.weight, beta=norm.bias).output, norm(x))
    torch.manual_seed(11)
    close(anatomy.dropout(x, p=0.3, seed=11).output, F.dropout(x, 0.3))


@pytest.mark.parametrize("mask", [None, "causal", "padding"])
def test_attention_equals_torch(mask: str | None, numbers: torch.Generator) -> None:
    q, k, v = (torch.randn(2, 5, 8, generator=numbers) for _ in range(3))
    allowed = {
        None: None,
        "causal": anatomy.masks([1] * 5).gpt,
        "padding": anatomy.masks([[1] * 5, [1] * 3 + [0] * 2]).bert,
    }
    close(
        anatomy.attention(q, key=k, value=v, mask=allowed[mask]).output,
        F.scaled_dot_product_attention(q, k, v, attn_mask=allowed[mask]),
    )
    theirs = nn.MultiheadAttention(8, 4, batch_first=True)
    nn.init.normal_(theirs.in_proj_bias)
    nn.init.normal_(theirs.out_proj.bias)
    weights = zip(("w_query", "w_key", "w_value"), theirs.in_proj_weight.chunk(3), strict=True)
    biases = zip(("b_query", "b_key", "b_value"), theirs.in_proj_bias.chunk(3), strict=True)
    mine = anatomy.multi_head_attention(
        q,
        heads=4,
        **{name: weight.T for name, weight in weights},
        **dict(biases),
        w_output=theirs.out_proj.weight.T,
        b_output=theirs.out_proj.bias,
        mask=allowed[mask],
    )
    hidden = None if allowed[mask] is None else ~allowed[mask]
    if hidden is not None and hidden.dim() == 3:
        hidden = hidden.repeat_interleave(4, dim=0)
    output, attention = theirs(q, q, q, attn_mask=hidden, average_attn_weights=False)
    close(mine.output, output)
    close(mine.weights, attention)
    assert mine.query.shape == (2, 4, 5, 2)


def test_adam_equals_torch(numbers: torch.Generator) -> None:
    start, gradients = torch.randn(3, 2, generator=numbers), torch.randn(6, 3, 2, generator=numbers)
    weight = nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([weight], lr=0.03, betas=(0.8, 0.95))
    steps = anatomy.adam(start, gradients=gradients, lr=0.03, betas=(0.8, 0.95))
    for gradient, mine in zip(gradients, steps.parameter, strict=True):
        weight.grad = gradient.clone()
        optimizer.step()
        close(mine, weight.data)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.6},
        {"top_k": 7},
        {"top_k": 500},
        {"top_p": 0.5},
        {"top_p": 0.001},
        {"repetition_penalty": 1.4},
        {"repetition_penalty": 1.4, "temperature": 1.7, "top_k": 30, "top_p": 0.8},
    ],
)
def test_decoding_equals_transformers(settings: dict[str, Any], numbers: torch.Generator) -> None:
    logits, previous = 3 * torch.randn(50, generator=numbers), [3, 14, 14, 40]
    ids, theirs = torch.tensor([previous]), logits[None].clone()
    for name, warper in (
        ("repetition_penalty", warpers.RepetitionPenaltyLogitsProcessor),
        ("temperature", warpers.TemperatureLogitsWarper),
        ("top_k", warpers.TopKLogitsWarper),
        ("top_p", warpers.TopPLogitsWarper),
    ):
        if name in settings:
            theirs = warper(settings[name])(ids, theirs)
    mine = anatomy.decoding(logits, previous=previous, **settings)
    close(mine.after, theirs[0].softmax(-1))
    assert mine.kept.tolist() == torch.isfinite(theirs[0]).tolist()


@pytest.mark.parametrize(("name", "mask"), [("ko-tiny-bert", "bert"), ("ko-tiny-gpt", "gpt")])
def test_masks_equal_what_the_models_hide(name: str, mask: str) -> None:
    model, tokenizer = loaded(name, AutoModelForMaskedLM if mask == "bert" else AutoModelForCausalLM)
    model.set_attn_implementation("eager")
    batch = tokenizer(["영화", PLAIN], padding=True, padding_side="right", return_tensors="pt")
    assert not batch["attention_mask"].all()
    with torch.no_grad():
        seen = model(**batch, output_attentions=True).attentions[0] > 0
    assert torch.equal(seen, anatomy.masks(batch["attention_mask"])[mask][:, None].expand_as(seen))


# Traces


def small(kind: str) -> tuple[Any, Any]:
    """A model of random weights in two layers, and a tokenizer for it."""
    tokenizer = new_tokenizer()
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    size |= {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "initializer_range": 0.3}
    configs = {"bert": BertConfig, "roberta": RobertaConfig, "electra": ElectraConfig}
    config = configs[kind](**size, **({"embedding_size": 8} if kind == "electra" else {}))
    torch.manual_seed(5)
    return AutoModelForMaskedLM.from_config(config), tokenizer


def traces() -> Iterator[Any]:
    yield pytest.param(lambda: (loaded("ko-tiny-bert", AutoModelForMaskedLM), MASKED), id="ko-tiny-bert")
    yield pytest.param(lambda: (loaded("ko-tiny-gpt", AutoModelForCausalLM), PLAIN), id="ko-tiny-gpt")
    for kind in ("roberta", "electra"):
        yield pytest.param(lambda kind=kind: (small(kind), MASKED), id=kind)


@pytest.mark.parametrize("make", traces())
def test_a_trace_holds_what_the_model_does(make: Any) -> None:
    (model, tokenizer), text = make()
    trace = anatomy.trace(model, text, tokenizer=tokenizer, candidates=5)
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    tokens, width = len(trace.tokens), model.config.hidden_size
    assert trace.attentions.shape == (layers, heads, tokens, tokens)
    assert trace.states.shape == (layers + 1, tokens, width)
    assert trace.added.shape == (layers, 2, tokens, width)
    close(trace.attentions.sum(-1), torch.ones(layers, heads, tokens))
    above = trace.attentions.triu(1)
    assert bool((above == 0).all()) is trace.causal
    scale = float(trace.states.abs().max())
    close(trace.rebuilt() / scale, trace.states[1:] / scale)

    model.eval()
    with torch.no_grad():
        logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
    close(trace.logits, logits, 1e-3)
    top = logits.softmax(-1).topk(5)
    assert torch.equal(trace.lens_ids[-1], top.indices)
    close(trace.lens_probabilities[-1], top.values, 1e-4)


def test_what_stands_between_and_the_cosines() -> None:
    trace = gpt()
    close(trace.between, trace.states[:-1] + trace.added[:, 0])
    by_hand = F.cosine_similarity(trace.added[2, 1, 3], trace.states[3, 3], dim=0)
    assert float(trace.added_cosines[2, 1, 3]) == pytest.approx(float(by_hand))
    assert float(trace.added_norms[2, 1, 3]) == pytest.approx(float(trace.added[2, 1, 3].pow(2).sum().sqrt()))
    assert trace.norms.shape == (5, len(trace.tokens))


def test_candidates_of_the_mask_and_of_the_next_word() -> None:
    found = bert().candidates(k=3)
    assert (found.position, found.token) == (3, "[MASK]")
    assert len(found.words) == 5
    assert found.words[-1][0] == "정말"
    assert bert().candidates(position=-2).position == len(bert().tokens) - 2
    assert gpt().candidates().position == len(gpt().tokens) - 1
    decoding = gpt().decoding(top_k=4)
    assert [word for word, _ in decoding.candidates()] == list(gpt().candidates(k=4).words[-1])


def test_tokens_read_as_korean() -> None:
    assert bert().tokens == ("[CLS]", "이", "영화는", "[MASK]", "재미있다", "[SEP]")
    assert gpt().tokens[:3] == ("<s>", "이", "▁영화는")
    assert "<20 EB>" in traced("ko-tiny-gpt", "이 뷁").tokens  # a part of a syllable is no character


def test_a_predictor_and_a_model_without_a_head() -> None:
    predictor = Predictor.from_pretrained("ko-tiny-bert", device="cpu")
    close(anatomy.trace(predictor, MASKED).states, bert().states)
    normalizing = predictor.with_options(normalization=("shorten-repeats",))
    repeated = "재미있다ㅋㅋㅋㅋㅋㅋㅋㅋ"
    seen = anatomy.trace(normalizing, repeated).tokens
    assert seen == anatomy.trace(predictor, Normalizer(("shorten-repeats",))(repeated).text).tokens
    assert seen != anatomy.trace(predictor, repeated).tokens
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForSequenceClassification)
    trace = anatomy.trace(model, MASKED, tokenizer=tokenizer)
    close(trace.states, bert().states)
    with pytest.raises(InputError, match="no head of a language model"):
        trace.candidates()


def test_a_checkpoint_whose_weights_have_no_head_gets_none(tmp_path: Any) -> None:
    """A head of random weights would name candidates, too."""
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForSequenceClassification)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    trace = anatomy.trace(tmp_path, MASKED)
    assert trace.logits is None
    close(trace.states, bert().states)


def test_two_texts_and_the_mask_of_another_tokenizer() -> None:
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForMaskedLM)
    pair = anatomy.trace(model, "재미있다", tokenizer=tokenizer, text_pair="영화는 [MASK]")
    assert pair.tokens == ("[CLS]", "재미있다", "[SEP]", "영화는", "[MASK]", "[SEP]")
    tokenizer.mask_token = "[UNK]"
    assert anatomy.trace(model, MASKED, tokenizer=tokenizer).candidates().token == "[UNK]"


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_stays_as_it_is(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = small("bert")
    model.train()
    model.bert.encoder.layer[0].eval()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    implementation = model.config._attn_implementation
    assert implementation != "eager"
    if fails:
        monkeypatch.setattr(type(model.base_model.encoder), "forward", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            anatomy.trace(model, MASKED, tokenizer=tokenizer)
    else:
        anatomy.trace(model, MASKED, tokenizer=tokenizer)
    assert [module.training for module in model.modules()] == modes
    assert model.config._attn_implementation == implementation
    hooks = [hook for m in model.modules() for hook in (*m._forward_hooks.values(), *m._forward_pre_hooks.values())]
    assert all(hook.__module__.startswith("transformers.") for hook in hooks)  # it keeps its own for the next time
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


# What prints


def test_steps_print_as_a_table() -> None:
    steps = anatomy.layer_norm([[1, 2, 3], [4, 5, 7]])
    lines = repr(steps).splitlines()
    assert lines[0] == "layer normalisation"
    assert lines[1].split() == ["step", "formula", "shape", "first", "values"]
    assert lines[3].split() == ["x", "input", "2", "x", "3", "1,", "2,", "3,", "4,", "5,", "7"]
    assert "<td" in steps._repr_html_()
    assert "<b>" not in anatomy.decoding([1.0], names=["<b>"])._repr_html_()
    assert copy.deepcopy(steps).x.tolist() == [[1, 2, 3], [4, 5, 7]]
    with pytest.raises(AttributeError, match="no step"):
        steps.scores  # noqa: B018
    assert "정말 0." in repr(bert().candidates())
    assert "4 x 4 x 6 x 6" in repr(bert())
    assert "3 of 4 words remain" in repr(anatomy.decoding([4, 3, 2, 1], top_k=3))


def test_columns_align_where_hangul_is_two_wide() -> None:
    lines = repr(anatomy.decoding([2.0, 1.0], names=["가나다", "abc"])).splitlines()
    assert lines[3].startswith("가나다  0.7311")
    assert lines[4].startswith("abc     0.2689")


# Pictures


@pytest.fixture
def strict() -> Iterator[None]:
    """A glyph that is missing is a warning of matplotlib, and here an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield


def drawn(figure: Any) -> Any:
    figure.savefig(BytesIO(), dpi=40)
    return figure


def texts(labels: Any) -> list[str]:
    return [label.get_text() for label in labels]


PICTURES = {
    "attention": lambda a, b, **axes: anatomy.plot_attention(a, layer=1, head=2, **axes),
    "heads": lambda a, b, **axes: anatomy.plot_heads(a, **axes),
    "directions": lambda a, b, **axes: anatomy.plot_directions(a, b, **axes),
    "stream": lambda a, b, **axes: anatomy.plot_stream(a, **axes),
    "candidates": lambda a, b, **axes: anatomy.plot_candidates(a.candidates(), **axes),
    "difference": lambda a, b, **axes: anatomy.plot_difference(a, a, **axes),
    "decoding": lambda a, b, **axes: anatomy.plot_decoding(b.decoding(top_k=5), **axes),
}
COUNTS = {"attention": 1, "heads": 16, "directions": 2, "stream": 3, "candidates": 1, "difference": 3, "decoding": 1}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.usefixtures("strict")
def test_pictures_have_all_glyphs(name: str) -> None:
    """Also of a long text with emoji, dollars and letters that hardly a font has."""
    from matplotlib import rcParams
    from matplotlib.figure import Figure

    before = dict(rcParams)
    plain = LONG.replace("[MASK]", "연기가")
    assert len(traced("ko-tiny-bert", LONG).tokens) > 25
    figure = PICTURES[name](traced("ko-tiny-bert", LONG), traced("ko-tiny-gpt", plain))
    assert isinstance(drawn(figure), Figure)
    assert len([ax for ax in figure.axes if ax.get_label() != "<colorbar>"]) == COUNTS[name]
    assert dict(rcParams) == before


@pytest.mark.usefixtures("strict")
def test_a_font_without_hangul_would_be_noticed() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0, 0, "한글", family="DejaVu Sans")
    with pytest.raises(UserWarning, match="missing"):
        drawn(figure)


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.usefixtures("strict")
def test_pictures_take_axes(name: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots(1, COUNTS[name])
    assert PICTURES[name](bert(), gpt(), axes=axes) is figure
    assert drawn(figure).axes  # with all glyphs, though the axes were made with another font
    with pytest.raises(InputError, match="axes"):
        PICTURES[name](bert(), gpt(), axes=Figure().subplots(1, COUNTS[name] + 1))


def test_a_notebook_shows_a_figure_by_itself() -> None:
    figure = anatomy.plot_candidates(bert().candidates(k=1))
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_tokens_stand_on_the_axes() -> None:
    ax = drawn(anatomy.plot_attention(bert())).axes[0]
    assert texts(ax.get_xticklabels()) == texts(ax.get_yticklabels()) == list(bert().tokens)
    left, right = drawn(anatomy.plot_directions(bert(), gpt())).axes[:2]
    assert texts(left.get_xticklabels()) == list(bert().tokens)
    assert texts(right.get_yticklabels()) == [token.replace("▁", "_") for token in gpt().tokens]
    shown = right.images[0].get_array()
    assert shown.mask[0].tolist() == [False] + [True] * (len(gpt().tokens) - 1)  # hidden, not 0
    assert not left.images[0].get_array().mask.any()


def test_numbers_in_the_pictures() -> None:
    ax = drawn(anatomy.plot_attention(bert(), layer=2, head=3)).axes[0]
    close(torch.tensor(ax.images[0].get_array().data), bert().attentions[1, 2])
    ax = drawn(anatomy.plot_candidates(bert().candidates(k=2))).axes[0]
    assert texts(ax.texts)[-2].startswith("정말  0.")
    assert texts(ax.get_yticklabels()) == ["임베딩", "1층", "2층", "3층", "4층"]
    heights = [bar.get_height() for bar in drawn(anatomy.plot_stream(gpt())).axes[1].patches]
    assert heights == pytest.approx(gpt().added_norms.mean(-1).T.flatten().tolist())


def test_the_difference_of_a_model_that_was_changed_in_one_layer() -> None:
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


def test_bars_of_a_distribution() -> None:
    decoding = anatomy.decoding(torch.tensor([0.1, 0.6, 0.3]).log(), top_k=2, names=["하나", "둘", "셋"])
    ax = drawn(anatomy.plot_decoding(decoding)).axes[0]
    assert texts(ax.get_yticklabels()) == ["둘", "셋", "하나"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.6, 0.3, 0.1, 2 / 3, 1 / 3, 0])
    assert [text.strip() for text in texts(ax.texts)] == ["0.667", "0.333", "잘림"]


def test_the_font() -> None:
    assert set("한글ㅋ뷁") <= fonts.characters_of(fonts._chosen()[0][1])
    assert fonts.families()[-1] == "DejaVu Sans"
    assert fonts.drawable("가▁\U000f0000") == "가▁<F0000>"
    assert fonts._shipped()[0][0] == "NanumGothic"
    assert "koreanize_matplotlib" not in sys.modules  # importing it would change the fonts of all plots
    assert fonts.characters_of(__file__) == frozenset()
    latin = fonts._chosen()[1]
    with pytest.raises(InputError, match="pip install koreanize-matplotlib"):
        fonts._first_with_hangul([latin, ("broken", __file__)])


def test_no_matplotlib_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"ratsnlp_like\[plots\]"):
        anatomy.plot_stream(bert())


# Bad input


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: anatomy.feed_forward([1, 2, 3], w1=[[1], [2]], w2=[[1]]), "w1"),
        (lambda: anatomy.feed_forward([1, 2], w1=[[1], [2]], b1=[1, 2], w2=[[1]]), "b1"),
        (lambda: anatomy.layer_norm([[1, 2], [3]]), "rows of the same length"),
        (lambda: anatomy.layer_norm("글"), "x"),
        (lambda: anatomy.residual([1, 2], added=[1]), "same shape"),
        (lambda: anatomy.residual_paths(21), "0 to 20"),
        (lambda: anatomy.dropout([1], p=1), "p: 1"),
        (lambda: anatomy.attention([[1, 2]], key=[[1]], value=[[1]]), "one width"),
        (lambda: anatomy.attention([[1]], key=[[1]], value=[[1]], mask=[[0]]), "look nowhere"),
        (lambda: anatomy.attention([[1]], key=[[1]], value=[[1]], mask=[[1, 1]]), "mask"),
        (
            lambda: anatomy.multi_head_attention([[1, 2]], heads=3, w_query=EYE, w_key=EYE, w_value=EYE, w_output=EYE),
            "heads: 3",
        ),
        (lambda: anatomy.adam([1, 2], gradients=[[1, 2, 3]]), "gradients"),
        (lambda: anatomy.adam([1], gradients=[1], betas=(0.9, 1)), "betas"),
        (lambda: anatomy.masks([2]), "0 and 1"),
        (lambda: anatomy.decoding([1, 2], temperature=0), "top_k=1"),
        (lambda: anatomy.decoding([1, 2], top_k=0), "top_k: 0"),
        (lambda: anatomy.decoding([1, 2], top_p=0), "top_p: 0"),
        (lambda: anatomy.decoding([1, 2], repetition_penalty=0), "repetition_penalty: 0"),
        (lambda: anatomy.decoding([1, 2], temperature=-1, top_k=0), "2 problems"),
        (lambda: anatomy.decoding([[1, 2]]), "logits"),
        (lambda: anatomy.decoding([1, 2], previous=[2]), "0 to 1"),
        (lambda: anatomy.trace("ko-tiny-brt", MASKED), "ko-tiny-bert"),
        (lambda: anatomy.trace("ko-tiny-bert", "영화 " * 600), "at most 512"),
        (lambda: anatomy.trace("ko-tiny-bert", ["영화"]), "one text"),
        (lambda: anatomy.trace("ko-tiny-bert", MASKED, candidates=0), "candidates: 0"),
        (lambda: anatomy.trace(7, MASKED), "a int"),
        (lambda: anatomy.trace(small("bert")[0], MASKED), "tokenizer=..."),
        (lambda: traced("ko-tiny-bert", "이 영화는 재미있다").candidates(), r"write \[MASK\]"),
        (lambda: bert().candidates(k=0), "1 to 10"),
        (lambda: bert().candidates(k=11), "larger `candidates`"),
        (lambda: bert().candidates(position=6), "0 to 5"),
        (lambda: gpt().decoding(temperature=0), "temperature: 0"),
        (lambda: anatomy.plot_attention(bert(), layer=5), "layer: 5"),
        (lambda: anatomy.plot_attention(bert(), head=0), "head: 0"),
        (lambda: anatomy.plot_difference(bert(), gpt()), "do not match"),
        (lambda: anatomy.plot_decoding(gpt().decoding(), words=0), "words: 0"),
    ],
)
def test_bad_input_is_told_in_one_message(call: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        call()


def test_an_unknown_kind_of_model_is_told() -> None:
    size = {"d_model": 8, "d_ff": 8, "d_kv": 4, "num_heads": 2, "num_layers": 1, "vocab_size": 16}
    with pytest.raises(InputError, match=r"type 't5'[\s\S]*bert, roberta"):
        anatomy.trace(T5ForConditionalGeneration(T5Config(**size)), MASKED, tokenizer=new_tokenizer())


def test_an_empty_text_is_told() -> None:
    model, tokenizer = loaded("ko-tiny-gpt", AutoModelForCausalLM)
    tokenizer.backend_tokenizer.post_processor = ByteLevel()  # without <s>
    with pytest.raises(InputError, match="no tokens"):
        anatomy.trace(model, "", tokenizer=tokenizer)
