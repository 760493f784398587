"""The parts of a Transformer, one function each, that return every step of the calculation.

Matrices stand to the right of what they multiply, as in a textbook: x is (tokens, width), a matrix (width, new width),
and `x w + b`. A dimension for the batch may stand in front.
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
    """The feed-forward network of a block: wider, ReLU, narrower again.

    Args:
        x: (..., width).
        w1: (width, inner width).
        b1: (inner width) or a number.
        w2: (inner width, width).
        b2: (width) or a number.

    Raises:
        InputError: the shapes do not fit.
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


def residual(x: Any, *, added: Any) -> Steps:
    """A residual connection: what goes in is added to what the sub-layer makes of it.

    Args:
        x: what goes into the sub-layer.
        added: what the sub-layer F makes of it, of the same shape; or F itself.

    Raises:
        InputError: the shapes differ.
    """
    x = tensor(x, "x")
    f = tensor(added(x) if callable(added) else added, "added")
    if f.shape != x.shape:
        raise InputError(f"added has the shape {_shape(f)}, x has {_shape(x)}", expected="the same shape")
    return Steps(
        "residual connection", {"x": Step(x, "input"), "added": Step(f, "F(x)"), "output": Step(x + f, "x + added")}
    )


def residual_paths(blocks: int) -> list[tuple[int, ...]]:
    """All ways through a row of blocks with residual connections: each is passed through or passed by.

    Args:
        blocks: how many, 20 at most: the ways are 2 to this power.

    Returns:
        The numbers of the blocks that a way passes through, from 1; the shortest way first.

    Raises:
        InputError: fewer than no blocks, or too many.
    """
    if not 0 <= blocks <= 20:
        raise InputError(f"{blocks}", place="blocks", expected="0 to 20: the ways are 2 to this power")
    numbers = range(1, blocks + 1)
    return list(chain.from_iterable(combinations(numbers, length) for length in range(blocks + 1)))


def layer_norm(x: Any, *, gamma: Any = 1.0, beta: Any = 0.0, eps: float = 1e-5) -> Steps:
    """Layer normalisation: each token's vector gets mean 0 and variance 1, then a scale and a shift.

    Args:
        x: (..., width).
        gamma: the learnt scale, (width) or a number.
        beta: the learnt shift, (width) or a number.
        eps: added to the variance, so that equal values do not divide by zero.
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
    """Dropout: some values become 0, the others grow by 1 / (1 - p), so that their expected sum stays.

    Args:
        x: of any shape.
        p: the share that is dropped, from 0 up to but not including 1.
        training: without it nothing is dropped and nothing grows.
        seed: of the choice; another choice each time without one.

    Raises:
        InputError: p is no such share.
    """
    if not 0 <= p < 1:
        raise InputError(f"{p}", place="p", expected="from 0 up to but not including 1")
    x = tensor(x, "x")
    generator = None if seed is None else torch.Generator(x.device).manual_seed(seed)
    kept = torch.empty_like(x).bernoulli_(1 - p if training else 1, generator=generator)
    scale = 1 / (1 - p) if training else 1.0
    return Steps(
        f"dropout of {p:g}" if training else "dropout when it is not training",
        {
            "x": Step(x, "input"),
            "kept": Step(kept, f"1 with probability {1 - p:g}" if training else "1"),
            "scale": Step(torch.tensor(scale), f"1 / (1 - {p:g})" if training else "1"),
            "output": Step(x * kept * scale, "x kept scale"),
        },
    )


def attention(query: Any, *, key: Any, value: Any, mask: Any = None) -> Steps:
    """Scaled dot-product attention: each query takes a mean of the values, weighted by how well the keys fit.

    Args:
        query: (..., queries, width).
        key: (..., keys, width).
        value: (..., keys, any width).
        mask: true where a query may look, (queries, keys), with the dimensions of the batch in front where it has
            some.

    Raises:
        InputError: the shapes do not fit, or a query may look nowhere.
    """
    q, k, v = tensor(query, "query"), tensor(key, "key"), tensor(value, "value")
    if q.shape[-1] != k.shape[-1] or k.shape[-2:-1] != v.shape[-2:-1]:
        raise InputError(
            f"query {_shape(q)}, key {_shape(k)}, value {_shape(v)}",
            expected="query and key of one width, and as many keys as values",
        )
    steps = {"query": Step(q, "input"), "key": Step(k, "input"), "value": Step(v, "input")}
    return Steps("scaled dot-product attention", steps | _attend(q, k, v, mask))


def self_attention(x: Any, *, w_query: Any, w_key: Any, w_value: Any, mask: Any = None) -> Steps:
    """Self-attention with one head: query, key and value are made of the same tokens.

    Args:
        x: (..., tokens, width).
        w_query: (width, head width).
        w_key: (width, head width).
        w_value: (width, any width).
        mask: as for `attention`.

    Raises:
        InputError: the shapes do not fit, or a token may look nowhere.
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
    """Self-attention with several heads: each looks at its own slice of query, key and value.

    Args:
        x: (..., tokens, width).
        heads: how many; they share the width evenly.
        w_query: (width, width), and b_query (width); so are those of key, value and output.
        w_key: see w_query.
        w_value: see w_query.
        w_output: mixes what the heads found.
        b_query: a number or (width).
        b_key: a number or (width).
        b_value: a number or (width).
        b_output: a number or (width).
        mask: as for `attention`; all heads share it.

    Raises:
        InputError: the shapes do not fit, or a token may look nowhere.
    """
    x = tensor(x, "x")
    q = _split(_linear(x, w_query, b_query, "w_query"), heads)
    k = _split(_linear(x, w_key, b_key, "w_key"), heads)
    v = _split(_linear(x, w_value, b_value, "w_value"), heads)
    if mask is not None and (mask := torch.as_tensor(mask)).dim() > 2:
        mask = mask.unsqueeze(-3)  # the same for each head
    steps = {
        "x": Step(x, "input"),
        "query": Step(q, "x w_query + b_query, cut into heads"),
        "key": Step(k, "x w_key + b_key, cut into heads"),
        "value": Step(v, "x w_value + b_value, cut into heads"),
        **_attend(q, k, v, mask),
    }
    found = steps.pop("output")
    joined = found.value.transpose(-3, -2).flatten(-2)
    steps["found"] = found
    steps["joined"] = Step(joined, "what the heads found, side by side")
    steps["output"] = Step(_linear(joined, w_output, b_output, "w_output"), "joined w_output + b_output")
    return Steps(f"multi-head attention, {heads} heads", steps)


def adam(
    parameter: Any,
    *,
    gradients: Any,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> Steps:
    """Steps of Adam from the start: each weight moves by about `lr`, however large its gradient is.

    Args:
        parameter: the weights before the first step, of any shape.
        gradients: one gradient of the same shape, or several in a row, one for each step.
        lr: the learning rate.
        betas: how much of the running means of gradient and squared gradient is kept in a step.
        eps: added to the root, so that a gradient of 0 does not divide by zero.

    Returns:
        Each step of the calculation has the steps of Adam as its first dimension.

    Raises:
        InputError: the gradients have another shape, or a rate lies outside its range.
    """
    w, g = tensor(parameter, "parameter"), tensor(gradients, "gradients")
    g = g.unsqueeze(0) if g.shape == w.shape else g
    if g.shape[1:] != w.shape:
        raise InputError(
            f"{_shape(g)}", place="gradients", expected=f"{_shape(w)}, or (steps, ...) with this shape behind"
        )
    if not all(0 <= beta < 1 for beta in betas):
        raise InputError(f"{betas}", place="betas", expected="two numbers from 0 up to but not including 1")
    times = torch.arange(1, len(g) + 1, dtype=torch.float64).reshape(-1, *[1] * w.dim())
    m, v = _running_mean(g, betas[0]), _running_mean(g**2, betas[1])
    m_hat, v_hat = m / (1 - betas[0] ** times).to(w), v / (1 - betas[1] ** times).to(w)
    change = -lr * m_hat / (v_hat.sqrt() + eps)
    return Steps(
        "Adam",
        {
            "before": Step(w, "input"),
            "gradient": Step(g, "input, one for each step"),
            "m": Step(m, f"{betas[0]:g} m + {1 - betas[0]:g} gradient, from 0"),
            "v": Step(v, f"{betas[1]:g} v + {1 - betas[1]:g} gradient², from 0"),
            "m_hat": Step(m_hat, f"m / (1 - {betas[0]:g}^t): bias correction"),
            "v_hat": Step(v_hat, f"v / (1 - {betas[1]:g}^t): bias correction"),
            "change": Step(change, f"-{lr:g} m_hat / (√v_hat + eps)"),
            "parameter": Step(w + change.cumsum(0), "parameter + change"),
        },
    )


def masks(attended: Any) -> Steps:
    """Who may look at whom: BERT's mask hides padding, GPT's the words to come as well.

    Args:
        attended: `attention_mask` of a tokenizer: 1 for a token, 0 for padding; (tokens) or (batch, tokens).

    Returns:
        Masks of shape (..., tokens, tokens), a row for each token that looks, 1 where it may.

    Raises:
        InputError: there are other numbers than 0 and 1.
    """
    given = tensor(attended, "attended")
    if not bool(((given == 0) | (given == 1)).all()):
        raise InputError("numbers other than 0 and 1", place="attended", expected="1 for a token, 0 for padding")
    kept = given.bool()
    tokens = kept.shape[-1]
    padding = kept.unsqueeze(-2).expand(*kept.shape[:-1], tokens, tokens)
    causal = torch.ones(tokens, tokens, dtype=torch.bool, device=kept.device).tril()
    return Steps(
        "masks of attention",
        {
            "attended": Step(kept, "input"),
            "bert": Step(padding, "1 where the column is no padding"),
            "causal": Step(causal, "1 where the column is no later than the row"),
            "gpt": Step(padding & causal, "bert and causal"),
        },
    )


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Any) -> dict[str, Step]:
    """From query, key and value to the output, (..., queries, width of the values)."""
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
            "a row holds no 1: its token may look nowhere", place="mask", fix="let each token look at itself at least"
        )
    return scores.masked_fill(~allowed, -math.inf)


def _split(x: Tensor, heads: int) -> Tensor:
    """(..., tokens, width) to (..., heads, tokens, width of a head)."""
    if heads < 1 or x.shape[-1] % heads:
        raise InputError(f"{heads}", place="heads", expected=f"a number that divides the width {x.shape[-1]} evenly")
    return x.unflatten(-1, (heads, -1)).transpose(-3, -2)


def _linear(x: Tensor, weight: Any, bias: Any, name: str) -> Tensor:
    w, b = tensor(weight, name).to(x.dtype), tensor(bias, name.replace("w", "b", 1)).to(x.dtype)
    if w.dim() != 2 or not x.dim() or x.shape[-1] != w.shape[0]:
        raise InputError(
            f"{_shape(w)}", place=name, expected=f"(width, new width), where the width of {_shape(x)} is the last"
        )
    if b.dim() and b.shape != w.shape[1:]:
        raise InputError(f"{_shape(b)}", place=name.replace("w", "b", 1), expected=f"a number or ({w.shape[1]})")
    return x @ w + b


def _running_mean(values: Tensor, kept: float) -> Tensor:
    """`kept` of the mean so far and the rest of each value, from 0; one row for each value."""
    means = [torch.zeros_like(values[0])]
    for value in values:
        means.append(kept * means[-1] + (1 - kept) * value)
    return torch.stack(means[1:])


def _shape(x: Tensor) -> str:
    return str(tuple(x.shape))
