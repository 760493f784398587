"""The forward of ModernBERT: rotary positions, layers that attend to a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .attention import attend
from .packing import Unpadded, can_pack, has_gaps, in_a_row, pack, padded, unpack
from .segments import Segments


def forward(
    base: Any,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    position_ids: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
    *,
    kept: Tensor | None = None,
    lengths: Sequence[int] | None = None,
    counts: Sequence[int] | None = None,
    **options: Any,
) -> Any:
    """Compute the forward of the body on one row; arguments and outputs are those of `bert.forward`."""
    from transformers.modeling_outputs import BaseModelOutput

    if (
        input_ids is None
        or attention_mask is None
        or not can_pack(base, attention_mask, inputs_embeds, options)
        or (lengths is None and has_gaps(attention_mask))  # windows are counted in columns of the batch
    ):
        given = {"position_ids": position_ids, "inputs_embeds": inputs_embeds}
        return padded(base, kept, input_ids=input_ids, attention_mask=attention_mask, **given, **options)
    packing = pack(attention_mask, lengths, kept, counts, first=base.unpadded.first)
    hidden = base.embeddings(in_a_row(input_ids, input_ids, packing.rows))
    if position_ids is None:
        position_ids = torch.arange(input_ids.shape[1], device=input_ids.device)
    positions = in_a_row(position_ids, input_ids, packing.rows)
    rotary = {kind: base.rotary_emb(hidden, positions, kind) for kind in set(base.config.layer_types)}
    segments, last = (
        {"full_attention": of, "sliding_attention": of.within(base.config.sliding_window)}
        for of in (packing.segments, packing.last)
    )
    layers = base.layers
    for layer in layers[:-1]:
        kind = layer.attention_type
        hidden = layer(hidden, unpadded=base.unpadded, segments=segments[kind], rotary=rotary[kind])
    kind = layers[-1].attention_type
    hidden = layers[-1](hidden, unpadded=base.unpadded, segments=last[kind], rotary=rotary[kind], kept=packing.kept)
    states = unpack(base.final_norm(hidden), packing, input_ids.shape, first=base.unpadded.first)
    return BaseModelOutput(states)


def layer_forward(
    layer: Any,
    hidden: Tensor,
    *arguments: Any,
    unpadded: Unpadded | None = None,
    segments: Segments | None = None,
    rotary: tuple[Tensor, Tensor] | None = None,
    kept: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Compute a layer on a row, for the kept tokens. *Shape:* (1, tokens, width) -> (1, queries, width).

    Args:
        layer: the layer.
        hidden: the row.
        arguments: as transformers takes them, for its own forward.
        unpadded: None for the forward of transformers.
        segments: where texts end.
        rotary: cosines and sines of the positions. *Shape:* (1, tokens, size of a head).
        kept: indices of the kept tokens in the row; all by default.
        options: as transformers takes them.
    """
    if unpadded is None or segments is None or rotary is None:
        made: Tensor = type(layer).forward(layer, hidden, *arguments, **options)
        return made
    own = layer.attn
    q, k, v = _projected(own, layer.attn_norm(hidden), rotary, kept)
    p = own.attention_dropout if layer.training else 0.0
    attended = attend(q, k, v, segments, own.head_dim**-0.5, p, eager=unpadded.eager)
    queries = hidden if kept is None else hidden.index_select(1, kept)
    queries = queries + own.out_drop(own.Wo(attended.reshape(1, len(attended), -1)))
    return queries + layer.mlp(layer.mlp_norm(queries))


def first_of_padded(
    layer: Any,
    hidden: Tensor,
    attention_mask: Tensor | None = None,
    position_embeddings: tuple[Tensor, Tensor] | None = None,
    **options: Any,
) -> Tensor:
    """*Shape:* hidden (batch, tokens, width), mask (batch, 1, tokens, tokens) to be added -> (batch, 1, width)."""
    assert position_embeddings is not None
    own, (cos, sin) = layer.attn, (part[:, :, None] for part in position_embeddings)
    q, k, v = own.Wqkv(layer.attn_norm(hidden)).unflatten(-1, (3, -1, own.head_dim)).unbind(2)
    q, k = _rotated(q[:, :1], cos[:, :1], sin[:, :1]), _rotated(k, cos, sin)
    q, k, v = (part.transpose(1, 2) for part in (q, k, v))
    scores = q @ k.transpose(2, 3) * own.head_dim**-0.5
    weights = (scores if attention_mask is None else scores + attention_mask[:, :, :1]).softmax(-1)
    first: Tensor = hidden[:, :1] + own.Wo((weights @ v).transpose(1, 2).flatten(2))
    return first + layer.mlp(layer.mlp_norm(first))


def _projected(
    own: Any, states: Tensor, rotary: tuple[Tensor, Tensor], kept: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return rotated queries and keys, and values. *Shape:* each (tokens, heads, size)."""
    cos, sin = (part[0][:, None, None] for part in rotary)
    if kept is None:
        qkv = own.Wqkv(states).view(-1, 3, own.config.num_attention_heads, own.head_dim)
        q, k = _rotated(qkv[:, :2], cos, sin).unbind(1)
        return q, k, qkv[:, 2]
    queries, others = _split(own.Wqkv, states, kept)
    q = queries.view(-1, 1, own.config.num_attention_heads, own.head_dim)
    k, v = others.view(-1, 2, own.config.num_attention_heads, own.head_dim).unbind(1)
    q = _rotated(q, cos.index_select(0, kept), sin.index_select(0, kept))
    return q[:, 0], _rotated(k[:, None], cos, sin)[:, 0], v


def _split(fused: Any, states: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Return queries of the kept tokens, keys and values of all. *Shape:* (kept, width), (tokens, 2 * width)."""
    row = states[0]
    if type(fused) is not nn.Linear:  # an adapter or quantized weights
        made = fused(row)
        width = made.shape[1] // 3
        return made[:, :width].index_select(0, kept), made[:, width:]
    width = fused.out_features // 3
    bias = (None, None) if fused.bias is None else (fused.bias[:width], fused.bias[width:])
    q = F.linear(row.index_select(0, kept), fused.weight[:width], bias[0])
    return q, F.linear(row, fused.weight[width:], bias[1])


def _rotated(states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply rotary positions in fp32, as transformers does. *Shape:* (tokens, ..., size)."""
    half = states.shape[-1] // 2
    turned = states.float()
    turned = torch.cat([-turned[..., half:], turned[..., :half]], -1)
    return (states.float() * cos + turned * sin).to(states.dtype)
