"""Building blocks: values worked by hand and equality with torch and transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from anatomy_helpers import PLAIN, close, loaded
from torch import nn
from torch.nn import functional as F
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from ratsnlp_like import InputError, anatomy

EYE = [[1, 0], [0, 1]]


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
    close(anatomy.residual([1, 2], sublayer=[10, 20]).output, [11, 22])
    close(anatomy.residual([1, 2], sublayer=lambda x: x * x).output, [2, 6])
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
    close(steps.update, [[-0.1, -0.1]])  # each weight moves by lr


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


@pytest.mark.parametrize(("name", "mask"), [("ko-tiny-bert", "bert"), ("ko-tiny-gpt", "gpt")])
def test_masks_equal_the_attention_masks_of_the_models(name: str, mask: str) -> None:
    model, tokenizer = loaded(name, AutoModelForMaskedLM if mask == "bert" else AutoModelForCausalLM)
    model.set_attn_implementation("eager")
    batch = tokenizer(["영화", PLAIN], padding=True, padding_side="right", return_tensors="pt")
    assert not batch["attention_mask"].all()
    with torch.no_grad():
        seen = model(**batch, output_attentions=True).attentions[0] > 0
    assert torch.equal(seen, anatomy.masks(batch["attention_mask"])[mask][:, None].expand_as(seen))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: anatomy.feed_forward([1, 2, 3], w1=[[1], [2]], w2=[[1]]), "w1"),
        (lambda: anatomy.feed_forward([1, 2], w1=[[1], [2]], b1=[1, 2], w2=[[1]]), "b1"),
        (lambda: anatomy.layer_norm([[1, 2], [3]]), "rows of the same length"),
        (lambda: anatomy.layer_norm("글"), "x"),
        (lambda: anatomy.residual([1, 2], sublayer=[1]), "same shape"),
        (lambda: anatomy.residual_paths(21), "0 to 20"),
        (lambda: anatomy.dropout([1], p=1), "p: 1"),
        (lambda: anatomy.attention([[1, 2]], key=[[1]], value=[[1]]), "the same width"),
        (lambda: anatomy.attention([[1]], key=[[1]], value=[[1]], mask=[[0]]), "attend to nothing"),
        (lambda: anatomy.attention([[1]], key=[[1]], value=[[1]], mask=[[1, 1]]), "mask"),
        (
            lambda: anatomy.multi_head_attention([[1, 2]], heads=3, w_query=EYE, w_key=EYE, w_value=EYE, w_output=EYE),
            "heads: 3",
        ),
        (lambda: anatomy.adam([1, 2], gradients=[[1, 2, 3]]), "gradients"),
        (lambda: anatomy.adam([1], gradients=[1], betas=(0.9, 1)), "betas"),
        (lambda: anatomy.masks([2]), "0 and 1"),
    ],
)
def test_bad_input_is_an_input_error(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
