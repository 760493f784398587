"""The forward of encoders whose layers are wired as those of BERT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ...checkpoints.architectures import architecture_of
from .attention import attend
from .packing import Unpadded, can_pack, in_a_row, pack, padded, unpack
from .segments import Segments


def forward(
    base: Any,
    input_ids: Tensor | None = None,
    attention_mask: Tensor | None = None,
    token_type_ids: Tensor | None = None,
    position_ids: Tensor | None = None,
    inputs_embeds: Tensor | None = None,
    *,
    kept: Tensor | None = None,
    lengths: Sequence[int] | None = None,
    counts: Sequence[int] | None = None,
    **options: Any,
) -> Any:
    """Compute the forward of the body on one row.

    Args:
        base: the body.
        input_ids: as transformers takes it, and so are the others. *Shape:* (batch, longest).
        attention_mask: likewise.
        token_type_ids: likewise.
        position_ids: likewise.
        inputs_embeds: computed with padding.
        kept: sorted indices in the flattened batch of the tokens that the head reads; all by default. *Shape:* (kept,).
        lengths: number of tokens of each text, if all padding is on the right; saves a synchronisation with a GPU.
        counts: number of tokens in `kept` of each text; likewise.
        options: as transformers takes them.

    Returns:
        An output of transformers. *Shape:* of the last states (batch, longest, width), 0 for padding; (1, kept, width)
        with `kept`; (batch, 1, width) where the head reads only first tokens.
    """
    from transformers.modeling_outputs import BaseModelOutputWithPooling

    if input_ids is None or attention_mask is None or not can_pack(base, attention_mask, inputs_embeds, options):
        given = {"token_type_ids": token_type_ids, "position_ids": position_ids, "inputs_embeds": inputs_embeds}
        return padded(base, kept, input_ids=input_ids, attention_mask=attention_mask, **given, **options)
    if position_ids is None:
        position_ids = _positions(base.config, input_ids)
    packing = pack(attention_mask, lengths, kept, counts, first=base.unpadded.first)
    inner = {"input_ids": input_ids, "token_type_ids": token_type_ids, "position_ids": position_ids}
    hidden = base.embeddings(**{name: in_a_row(value, input_ids, packing.rows) for name, value in inner.items()})
    if hasattr(base, "embeddings_project"):
        hidden = base.embeddings_project(hidden)
    layers = base.encoder.layer
    for layer in layers[:-1]:
        hidden = layer(hidden, unpadded=base.unpadded, segments=packing.segments)
    hidden = layers[-1](hidden, unpadded=base.unpadded, segments=packing.last, kept=packing.kept)
    states = unpack(hidden, packing, input_ids.shape, first=base.unpadded.first)
    pooler = getattr(base, "pooler", None)
    return BaseModelOutputWithPooling(states, None if pooler is None else pooler(states))


def _positions(config: Any, ids: Tensor) -> Tensor:
    """Return position ids as the model computes them. *Shape:* (batch, tokens)."""
    if not architecture_of(config).offset_positions:
        return torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    real = ids.ne(config.pad_token_id).long()
    return real.cumsum(1) * real + config.pad_token_id


def layer_forward(
    layer: Any,
    hidden: Tensor,
    *arguments: Any,
    unpadded: Unpadded | None = None,
    segments: Segments | None = None,
    kept: Tensor | None = None,
    **options: Any,
) -> Tensor:
    """Compute a layer on a row, for the kept tokens. *Shape:* (1, tokens, width) -> (1, queries, width)."""
    if unpadded is None or segments is None:
        return type(layer).forward(layer, hidden, *arguments, **options)
    own = layer.attention.self
    queries = hidden if kept is None else hidden.index_select(1, kept)
    heads, size = own.num_attention_heads, own.attention_head_size
    q, k, v = (part.view(-1, heads, size) for part in (own.query(queries), own.key(hidden), own.value(hidden)))
    p = own.dropout.p if layer.training else 0.0
    attended = attend(q, k, v, segments, own.scaling, p, eager=unpadded.eager)
    return layer.feed_forward_chunk(layer.attention.output(attended.reshape(1, -1, heads * size), queries))


def first_of_padded(layer: Any, hidden: Tensor, mask: Tensor | None = None, *arguments: Any, **options: Any) -> Tensor:
    """*Shape:* hidden (batch, tokens, width), mask (batch, 1, tokens, tokens) to be added -> (batch, 1, width)."""
    own, queries = layer.attention.self, hidden[:, :1]
    q, k, v = (
        part.unflatten(-1, (own.num_attention_heads, own.attention_head_size)).transpose(1, 2)
        for part in (own.query(queries), own.key(hidden), own.value(hidden))
    )
    scores = q @ k.transpose(2, 3) * own.scaling
    weights = (scores if mask is None else scores + mask[:, :, :1]).softmax(-1)
    made: Tensor = layer.feed_forward_chunk(layer.attention.output((weights @ v).transpose(1, 2).flatten(2), queries))
    return made
