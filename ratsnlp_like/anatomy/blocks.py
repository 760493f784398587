"""The building blocks of a Transformer; each function returns every step of its calculation.

Weight matrices multiply from the right, as in textbooks: for x of shape (tokens, width) and w of shape
(width, new width) a linear layer is `x w + b`. Leading batch dimensions are allowed.
"""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .steps import Step, Steps, tensor


def feed_forward(x: Any, *, w1: Any, b1: Any = 0.0, w2: Any, b2: Any = 0.0) -> Steps:
    """Compute the feed-forward network of a layer: linear, ReLU, linear.

    Args:
        x: (..., width).
        w1: (width, inner width).
        b1: (inner width) or a number.
        w2: (inner width, width).
        b2: (width) or a number.

    Raises:
        InputError: the shapes do not match.
    """
    x = tensor(x, "x")
    hidden = _linear(x, w1, b1, "w1")
    relu = hidden.clamp(min=0)
    return Steps(
        "feed-forward network",
        {
            "x": Step(x, "input"),
            "hidden": Step(hidden, "x w1 + b1"),
            "relu": Step(relu, "max(hidden, 0)"),
            "output": Step(_linear(relu, w2, b2, "w2"), "relu w2 + b2"),
        },
    )


def residual(x: Any, *, sublayer: Any) -> Steps:
    """Compute a residual connection: the input of a sub-layer plus its output.

    Args:
        x: input of the sub-layer.
        sublayer: the sub-layer F as a function, or its output F(x), of the same shape as x.

    Raises:
        InputError: the shapes differ.
    """
    x = tensor(x, "x")
    f = tensor(sublayer(x) if callable(sublayer) else sublayer, "sublayer")
    if f.shape != x.shape:
        raise InputError(f"sublayer has the shape {_shape(f)}, x has {_shape(x)}", expected="the same shape")
    return Steps(
        "residual connection",
        {"x": Step(x, "input"), "sublayer": Step(f, "F(x)"), "output": Step(x + f, "x + sublayer")},
    )


def residual_paths(blocks: int) -> list[tuple[int, ...]]:
    """Return all paths through consecutive residual blocks; a path runs through each block or around it.

    Args:
        blocks: number of blocks, at most 20: there are 2 ** blocks paths.

    Returns:
        For each path the numbers of the blocks it runs through, from 1; the shortest path first.

    Raises:
        InputError: the number of blocks is out of range.
    """
    if not 0 <= blocks <= 20:
        raise InputError(f"{blocks}", place="blocks", expected="0 to 20: there are 2 ** blocks paths")
    numbers = range(1, blocks + 1)
    return list(chain.from_iterable(combinations(numbers, length) for length in range(blocks + 1)))


def layer_norm(x: Any, *, gamma: Any = 1.0, beta: Any = 0.0, eps: float = 1e-5) -> Steps:
    """Compute layer normalisation: mean 0 and variance 1 for each token's vector, then scale and shift.

    Args:
        x: (..., width).
        gamma: trained scale, (width) or a number.
        beta: trained shift, (width) or a number.
        eps: added to the variance, against a division by zero.
    """
    x = tensor(x, "x")
    mean = x.mean(-1, keepdim=True)
    variance = x.var(-1, keepdim=True, correction=0)
    normalized = (x - mean) / (variance + eps).sqrt()
    return Steps(
        "layer normalisation",
        {
            "x": Step(x, "input"),
            "mean": Step(mean, "mean of x over its width"),
            "variance": Step(variance, "mean of (x - mean)²"),
            "deviation": Step(variance.sqrt(), "√variance"),
            "normalized": Step(normalized, "(x - mean) / √(variance + eps)"),
            "output": Step(normalized * tensor(gamma, "gamma") + tensor(beta, "beta"), "gamma normalized + beta"),
        },
    )


def dropout(x: Any, *, p: float, training: bool = True, seed: int | None = None) -> Steps:
    """Compute dropout: random values become 0, the others are scaled by 1 / (1 - p) to keep the expected sum.

    Args:
        x: of any shape.
        p: probability of dropping a value, 0 <= p < 1.
        training: False returns x unchanged.
        seed: of the random choice; a different choice each time for None.

    Raises:
        InputError: p is out of range.
    """
    if not 0 <= p < 1:
        raise InputError(f"{p}", place="p", expected="0 <= p < 1")
    x = tensor(x, "x")
    generator = None if seed is None else torch.Generator(x.device).manual_seed(seed)
    kept = torch.empty_like(x).bernoulli_(1 - p if training else 1, generator=generator)
    scale = 1 / (1 - p) if training else 1.0
    return Steps(
        f"dropout of {p:g}" if training else "dropout in evaluation",
        {
            "x": Step(x, "input"),
            "kept": Step(kept, f"1 with probability {1 - p:g}" if training else "1"),
            "scale": Step(torch.tensor(scale), f"1 / (1 - {p:g})" if training else "1"),
            "output": Step(x * kept * scale, "x kept scale"),
        },
    )


def attention(query: Any, *, key: Any, value: Any, mask: Any = None) -> Steps:
    """Compute scaled dot-product attention: for each query a mean of the values, weighted by query-key similarity.

    Args:
        query: (..., queries, width).
        key: (..., keys, width).
        value: (..., keys, any width).
        mask: true where a query may attend, (queries, keys), with the same leading batch dimensions.

    Raises:
        InputError: the shapes do not match, or a query may attend to no key.
    """
    q, k, v = tensor(query, "query"), tensor(key, "key"), tensor(value, "value")
    if q.shape[-1] != k.shape[-1] or k.shape[-2:-1] != v.shape[-2:-1]:
        raise InputError(
            f"query {_shape(q)}, key {_shape(k)}, value {_shape(v)}",
            expected="query and key of the same width, and as many keys as values",
        )
    steps = {"query": Step(q, "input"), "key": Step(k, "input"), "value": Step(v, "input")}
    return Steps("scaled dot-product attention", steps | _attend(q, k, v, mask))


def self_attention(x: Any, *, w_query: Any, w_key: Any, w_value: Any, mask: Any = None) -> Steps:
    """Compute self-attention with one head: query, key and value are projections of the same tokens.

    Args:
        x: (..., tokens, width).
        w_query: (width, head width).
        w_key: (width, head width).
        w_value: (width, any width).
        mask: as for `attention`.

    Raises:
        InputError: the shapes do not match, or a token may attend to no token.
    """
    x = tensor(x, "x")
    q = _linear(x, w_query, 0.0, "w_query")
    k = _linear(x, w_key, 0.0, "w_key")
    v = _linear(x, w_value, 0.0, "w_value")
    made = {"query": Step(q, "x w_query"), "key": Step(k, "x w_key"), "value": Step(v, "x w_value")}
    attended = attention(q, key=k, value=v, mask=mask)
    return Steps("self-attention", {"x": Step(x, "input"), **attended.steps, **made})


def multi_head_attention(
    x: Any,
    *,
    heads: int,
    w_query: Any,
    w_key: Any,
    w_value: Any,
    w_output: Any,
    b_query: Any = 0.0,
    b_key: Any = 0.0,
    b_value: Any = 0.0,
    b_output: Any = 0.0,
    mask: Any = None,
) -> Steps:
    """Compute self-attention with several heads, each on its own slice of query, key and value.

    Args:
        x: (..., tokens, width).
        heads: number of heads; it must divide the width evenly.
        w_query: (width, width).
        w_key: (width, width).
        w_value: (width, width).
        w_output: (width, width); projects the concatenated outputs of the heads.
        b_query: a number or (width).
        b_key: a number or (width).
        b_value: a number or (width).
        b_output: a number or (width).
        mask: as for `attention`; shared by all heads.

    Raises:
        InputError: the shapes do not match, or a token may attend to no token.
    """
    x = tensor(x, "x")
    q = _split(_linear(x, w_query, b_query, "w_query"), heads)
    k = _split(_linear(x, w_key, b_key, "w_key"), heads)
    v = _split(_linear(x, w_value, b_value, "w_value"), heads)
    if mask is not None and (mask := torch.as_tensor(mask)).dim() > 2:
        mask = mask.unsqueeze(-3)  # the same for each head
    steps = {
        "x": Step(x, "input"),
        "query": Step(q, "x w_query + b_query, split into heads"),
        "key": Step(k, "x w_key + b_key, split into heads"),
        "value": Step(v, "x w_value + b_value, split into heads"),
        **_attend(q, k, v, mask),
    }
    steps["head_outputs"] = steps.pop("output")
    concatenated = steps["head_outputs"].value.transpose(-3, -2).flatten(-2)
    steps["concatenated"] = Step(concatenated, "head_outputs, concatenated")
    steps["output"] = Step(_linear(concatenated, w_output, b_output, "w_output"), "concatenated w_output + b_output")
    return Steps(f"multi-head attention, {heads} heads", steps)


def adam(
    parameter: Any,
    *,
    gradients: Any,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> Steps:
    """Compute the first steps of Adam: each weight moves by about `lr`, however large its gradient is.

    Args:
        parameter: weights before the first step, of any shape.
        gradients: one gradient of the same shape, or one for each step: (steps, ...).
        lr: learning rate.
        betas: decay of the running means of gradient and squared gradient.
        eps: added to the root, against a division by zero.

    Returns:
        The calculation; the first dimension of its tensors is the steps of Adam.

    Raises:
        InputError: the gradients have another shape, or a beta is out of range.
    """
    w, g = tensor(parameter, "parameter"), tensor(gradients, "gradients")
    g = g.unsqueeze(0) if g.shape == w.shape else g
    if g.shape[1:] != w.shape:
        raise InputError(
            f"{_shape(g)}", place="gradients", expected=f"{_shape(w)}, or (steps, ...) followed by this shape"
        )
    if not all(0 <= beta < 1 for beta in betas):
        raise InputError(f"{betas}", place="betas", expected="two numbers, 0 <= beta < 1")
    times = torch.arange(1, len(g) + 1, dtype=torch.float64).reshape(-1, *[1] * w.dim())
    m, v = _running_mean(g, betas[0]), _running_mean(g**2, betas[1])
    m_hat, v_hat = m / (1 - betas[0] ** times).to(w), v / (1 - betas[1] ** times).to(w)
    update = -lr * m_hat / (v_hat.sqrt() + eps)
    return Steps(
        "Adam",
        {
            "before": Step(w, "input"),
            "gradient": Step(g, "input, one for each step"),
            "m": Step(m, f"{betas[0]:g} m + {1 - betas[0]:g} gradient, initially 0"),
            "v": Step(v, f"{betas[1]:g} v + {1 - betas[1]:g} gradient², initially 0"),
            "m_hat": Step(m_hat, f"m / (1 - {betas[0]:g}^t): bias correction"),
            "v_hat": Step(v_hat, f"v / (1 - {betas[1]:g}^t): bias correction"),
            "update": Step(update, f"-{lr:g} m_hat / (√v_hat + eps)"),
            "parameter": Step(w + update.cumsum(0), "parameter + update"),
        },
    )


def masks(attention_mask: Any) -> Steps:
    """Compute the attention masks of BERT (padding is hidden) and of GPT (later tokens are hidden too).

    Args:
        attention_mask: of a tokenizer: 1 for a token, 0 for padding; (tokens) or (batch, tokens).

    Returns:
        Masks of shape (..., tokens, tokens): 1 where the token of the row may attend to the token of the column.

    Raises:
        InputError: there are numbers other than 0 and 1.
    """
    given = tensor(attention_mask, "attention_mask")
    if not bool(((given == 0) | (given == 1)).all()):
        raise InputError("numbers other than 0 and 1", place="attention_mask", expected="1 for a token, 0 for padding")
    kept = given.bool()
    tokens = kept.shape[-1]
    padding = kept.unsqueeze(-2).expand(*kept.shape[:-1], tokens, tokens)
    causal = torch.ones(tokens, tokens, dtype=torch.bool, device=kept.device).tril()
    return Steps(
        "attention masks",
        {
            "attention_mask": Step(kept, "input"),
            "bert": Step(padding, "1 where the column is not padding"),
            "causal": Step(causal, "1 where the column is not later than the row"),
            "gpt": Step(padding & causal, "bert and causal"),
        },
    )


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Any) -> dict[str, Step]:
    """Return the steps from query, key and value to the output. Shape: (..., queries, width of the values)."""
    width = query.shape[-1]
    scores = query @ key.transpose(-2, -1)
    scaled = scores / math.sqrt(width)
    steps = {"scores": Step(scores, "query keyᵀ"), "scaled": Step(scaled, f"scores / √{width}")}
    if mask is not None:
        scaled = _hide(scaled, torch.as_tensor(mask).bool())
        steps["masked"] = Step(scaled, "scaled, -∞ where the mask is 0")
    weights = scaled.softmax(-1)
    steps["weights"] = Step(weights, f"softmax of {list(steps)[-1]}")
    steps["output"] = Step(weights @ value, "weights value")
    return steps


def _hide(scores: Tensor, mask: Tensor) -> Tensor:
    try:
        allowed = mask.expand_as(scores)
    except RuntimeError:
        raise InputError(f"{_shape(mask)}", place="mask", expected=f"{_shape(scores)}, one for each score") from None
    if not bool(allowed.any(-1).all()):
        raise InputError(
            "a row without a 1: its token may attend to nothing",
            place="mask",
            fix="let each token attend at least to itself",
        )
    return scores.masked_fill(~allowed, -math.inf)


def _split(x: Tensor, heads: int) -> Tensor:
    """Reshape (..., tokens, width) to (..., heads, tokens, width of a head)."""
    if heads < 1 or x.shape[-1] % heads:
        raise InputError(f"{heads}", place="heads", expected=f"a number that divides the width {x.shape[-1]} evenly")
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _linear(x: Tensor, weight: Any, bias: Any, name: str) -> Tensor:
    w, b = tensor(weight, name).to(x.dtype), tensor(bias, name.replace("w", "b", 1)).to(x.dtype)
    if w.dim() != 2 or not x.dim() or x.shape[-1] != w.shape[0]:
        raise InputError(
            f"{_shape(w)}", place=name, expected=f"(width, new width), where width is the last dimension of {_shape(x)}"
        )
    if b.dim() and b.shape != w.shape[1:]:
        raise InputError(f"{_shape(b)}", place=name.replace("w", "b", 1), expected=f"a number or ({w.shape[1]})")
    return x @ w + b


def _running_mean(values: Tensor, kept: float) -> Tensor:
    """Return the exponential moving average with decay `kept`, initially 0; one row for each value."""
    means = [torch.zeros_like(values[0])]
    for value in values:
        means.append(kept * means[-1] + (1 - kept) * value)
    return torch.stack(means[1:])


def _shape(x: Tensor) -> str:
    return str(tuple(x.shape))
