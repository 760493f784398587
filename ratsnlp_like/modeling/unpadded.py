"""A forward without padding, over the modules and weights of transformers as they are.

The tokens of a batch are concatenated to one row, each text with its own positions; all layers compute on that row, and
only attention depends on where a text ends. GPUs have kernels for that (torch.nn.attention.varlen); elsewhere attention
is computed in groups of texts of similar length, padded to the longest of them. After the last layer, the states are
returned in the shape that heads expect. The last layer is computed only for the tokens that the head reads: the first
token of a text for a classifier, the masked ones for a masked language model. Apart from dropout, logits and gradients
equal those of the padded forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from inspect import signature
from types import MethodType
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..checkpoints.architectures import architecture_of
from ..runtime.types import Array
from .dropout import dropout
from .dropout import install as install_dropout

_ALIKE = 0.75
"""Minimum length of a text relative to the longest of its group in attention."""


class Group(NamedTuple):
    """Texts of similar length, padded to the longest."""

    query_lengths: Tensor
    """Indices of their queries in the row of queries. *Shape:* (texts, most queries), padded with 0."""
    tokens: Tensor
    """Indices of their tokens in the row. *Shape:* (texts, longest), padded with 0."""
    real: Tensor | None
    """True for tokens that are not padding; None if none is padding. *Shape:* (texts, 1, 1, longest)."""


@dataclass(frozen=True)
class Segments:
    """Lengths of the texts in a row: a query attends to the tokens of its own text."""

    query_lengths: Array
    """Number of queries of each text, in the order of the row. *Shape:* (texts,)."""
    lengths: Array
    """Number of tokens of each text, likewise. *Shape:* (texts,)."""
    device: torch.device

    @cached_property
    def alike(self) -> tuple[int, int] | None:
        """Numbers of queries and tokens of a text if they are equal for all texts, so that nothing is padded."""
        query_lengths, tokens = int(self.query_lengths[0]), int(self.lengths[0])
        return (
            (query_lengths, tokens)
            if (self.query_lengths == query_lengths).all() and (self.lengths == tokens).all()
            else None
        )

    @cached_property
    def borders(self) -> tuple[Tensor, Tensor]:
        """Start of each text among the queries and among the tokens, and their totals. *Shape:* (texts + 1,)."""
        first, second = (np.append(0, np.cumsum(of)).astype(np.int32) for of in (self.query_lengths, self.lengths))
        return _moved(first, self.device), _moved(second, self.device)

    @cached_property
    def groups(self) -> tuple[list[Group], Tensor]:
        """Groups of similar length, and the index of each query of the row in their flattened outputs."""
        query_lengths, lengths = self.query_lengths, self.lengths
        first_query, first_token = np.cumsum(query_lengths) - query_lengths, np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        groups: list[Group] = []
        restored = np.empty(int(query_lengths.sum()), dtype=np.int64)
        done = start = 0
        while start < len(order):
            end = start + int(np.searchsorted(-lengths[order[start:]], -_ALIKE * lengths[order[start]], side="right"))
            own = order[start:end]
            tokens, real = _side_by_side(first_token[own], lengths[own])
            queries, real_queries = _side_by_side(first_query[own], query_lengths[own])
            restored[queries[real_queries]] = done + np.flatnonzero(real_queries)
            done += real_queries.size
            mask = None if real.all() else _moved(real[:, None, None], self.device)
            groups.append(Group(_moved(queries, self.device), _moved(tokens, self.device), mask))
            start = end
        return groups, _moved(restored, self.device)


class Packing(NamedTuple):
    """The row of a batch without padding."""

    rows: Tensor | None
    """Indices of the tokens in the flattened batch; None if it has no padding. *Shape:* (tokens,)."""
    segments: Segments
    """Segments of all layers except the last."""
    kept: Tensor | None
    """Indices in the row of the tokens that the head reads; None for all. *Shape:* (kept,)."""
    last: Segments
    """Segments of the last layer, where only these tokens have queries."""


@dataclass(frozen=True)
class Unpadded:
    """Settings of a model that runs without padding."""

    eager: bool
    """Compute attention step by step (faster in training on a CPU) instead of with torch's fused kernel."""
    first: bool
    """The head reads only the first token of a text."""


def install(model: Any) -> bool:
    """Replace the forward of a model by one without padding; models of other types are not changed.

    Calls without an `attention_mask` of (batch, tokens), or with attentions or hidden states as outputs, are computed
    as before.

    Args:
        model: of transformers.

    Returns:
        True if the model was changed.
    """
    attention = model.config._attn_implementation
    if not _is_encoder(model) or attention not in {"eager", "sdpa"}:
        return False
    base = model.base_model
    base.unpadded = Unpadded(eager=attention == "eager", first=_reads_first(model))
    base.forward = MethodType(_forward, base)
    for layer in base.encoder.layer:
        layer.forward = MethodType(_layer, layer)
    install_dropout(model)
    return True


def remove(model: Any) -> None:
    """Restore the forward of transformers."""
    if installed(model):
        base = model.base_model
        base.unpadded = None
        for module in (base, *base.encoder.layer):
            del module.forward


@contextmanager
def first_alone(model: Any) -> Iterator[None]:
    """Compute the last layer of the padded forward for first tokens only, where the head reads no others (for export).

    Models of other types are not changed.

    Args:
        model: with eager attention, and in evaluation.
    """
    if not _is_encoder(model) or not _reads_first(model):
        yield
        return
    last = model.base_model.encoder.layer[-1]
    last.forward = MethodType(_first_of_padded, last)
    try:
        yield
    finally:
        del last.forward


def _is_encoder(model: Any) -> bool:
    """Return whether the layers are wired as those of BERT, without a causal mask."""
    return architecture_of(model.config).unpadded


def _reads_first(model: Any) -> bool:
    """Return whether the head reads only the first token of a text."""
    return type(model).__name__.endswith("ForSequenceClassification")


def _first_of_padded(layer: Any, hidden: Tensor, mask: Tensor | None = None, *arguments: Any, **options: Any) -> Tensor:
    """*Shape:* hidden (batch, tokens, width), mask (batch, 1, tokens, tokens) to be added -> (batch, 1, width)."""
    own, query_lengths = layer.attention.self, hidden[:, :1]
    q, k, v = (
        part.unflatten(-1, (own.num_attention_heads, own.attention_head_size)).transpose(1, 2)
        for part in (own.query(query_lengths), own.key(hidden), own.value(hidden))
    )
    scores = q @ k.transpose(2, 3) * own.scaling
    weights = (scores if mask is None else scores + mask[:, :, :1]).softmax(-1)
    made: Tensor = layer.feed_forward_chunk(
        layer.attention.output((weights @ v).transpose(1, 2).flatten(2), query_lengths)
    )
    return made


def installed(model: Any) -> bool:
    """Return whether a model runs without padding."""
    return getattr(getattr(model, "base_model", None), "unpadded", None) is not None


def _forward(
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

    if input_ids is None or attention_mask is None or not _can_pack(base, attention_mask, inputs_embeds, options):
        given = {"token_type_ids": token_type_ids, "position_ids": position_ids, "inputs_embeds": inputs_embeds}
        output = type(base).forward(base, input_ids, attention_mask=attention_mask, **given, **options)
        if kept is not None:
            output["last_hidden_state"] = output.last_hidden_state.flatten(0, 1).index_select(0, kept)[None]
        return output
    if position_ids is None:
        position_ids = _positions(base.config, input_ids)
    packing = _pack(attention_mask, lengths, kept, counts, first=base.unpadded.first)
    inner = {"input_ids": input_ids, "token_type_ids": token_type_ids, "position_ids": position_ids}
    hidden = base.embeddings(**{name: _in_a_row(value, input_ids, packing.rows) for name, value in inner.items()})
    if hasattr(base, "embeddings_project"):
        hidden = base.embeddings_project(hidden)
    layers = base.encoder.layer
    for layer in layers[:-1]:
        hidden = layer(hidden, unpadded=base.unpadded, segments=packing.segments)
    hidden = layers[-1](hidden, unpadded=base.unpadded, segments=packing.last, kept=packing.kept)
    states = _unpack(hidden, packing, input_ids.shape, first=base.unpadded.first)
    pooler = getattr(base, "pooler", None)
    return BaseModelOutputWithPooling(states, None if pooler is None else pooler(states))


def _can_pack(base: Any, mask: Tensor, embedded: Tensor | None, options: dict[str, Any]) -> bool:
    """Return whether a call has ids and a 2D mask, and no outputs other than the last states."""
    if mask.dim() != 2 or embedded is not None:
        return False
    if any(options.get(name) is not None for name in ("past_key_values", "encoder_hidden_states")):
        return False
    wanted = ("output_attentions", "output_hidden_states")
    return not any(options.get(name) or getattr(base.config, name, False) for name in wanted)


def _positions(config: Any, ids: Tensor) -> Tensor:
    """Return position ids as the model computes them. *Shape:* (batch, tokens)."""
    if not architecture_of(config).offset_positions:
        return torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    real = ids.ne(config.pad_token_id).long()
    return real.cumsum(1) * real + config.pad_token_id


def _pack(
    mask: Tensor, given: Sequence[int] | None, kept: Tensor | None, counts: Sequence[int] | None, *, first: bool
) -> Packing:
    """Return the row of a batch."""
    device, longest = mask.device, mask.shape[1]
    lengths = np.asarray(mask.sum(1).tolist() if given is None else given)
    query_lengths, rows = lengths, None
    if (lengths < longest).any():
        if given is None:
            rows = mask.flatten().nonzero().flatten()
        else:
            rows = _moved(np.flatnonzero(np.arange(longest) < lengths[:, None]), device)
    if first:
        kept, query_lengths = _moved(np.cumsum(lengths) - lengths, device), np.ones_like(lengths)
    elif kept is not None:
        query_lengths = np.asarray(
            torch.bincount(kept // longest, minlength=len(mask)).tolist() if counts is None else counts
        )
        if rows is not None:
            kept = torch.empty_like(mask.flatten()).index_copy(0, rows, torch.arange(len(rows), device=device))[kept]
    segments = Segments(lengths, lengths, device)
    return Packing(rows, segments, kept, segments if kept is None else Segments(query_lengths, lengths, device))


def _moved(values: Array, device: torch.device) -> Tensor:
    """Copy numbers to a device without synchronisation."""
    made = torch.from_numpy(values)
    return made if device.type == "cpu" else made.pin_memory().to(device, non_blocking=True)


def _in_a_row(values: Tensor | None, ids: Tensor, rows: Tensor | None) -> Tensor:
    """Concatenate ids, types or positions of a batch. *Shape:* (batch, longest) -> (1, tokens)."""
    flat = torch.zeros_like(ids).flatten() if values is None else values.expand_as(ids).flatten()
    return (flat if rows is None else flat.index_select(0, rows))[None]


def _unpack(hidden: Tensor, packing: Packing, shape: torch.Size, *, first: bool) -> Tensor:
    """Return states in the shape that heads expect; see `_forward`."""
    if first:
        return hidden.transpose(0, 1)
    if packing.kept is not None:
        return hidden
    if packing.rows is None:
        return hidden.view(*shape, -1)
    padded = hidden.new_zeros(shape.numel(), hidden.shape[2])
    return padded.index_copy(0, packing.rows, hidden[0]).view(*shape, -1)


def _layer(
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
    query_lengths = hidden if kept is None else hidden.index_select(1, kept)
    heads, size = own.num_attention_heads, own.attention_head_size
    q, k, v = (part.view(-1, heads, size) for part in (own.query(query_lengths), own.key(hidden), own.value(hidden)))
    p = own.dropout.p if layer.training else 0.0
    attended = _attention(q, k, v, segments, own.scaling, p, eager=unpadded.eager)
    return layer.feed_forward_chunk(layer.attention.output(attended.reshape(1, -1, heads * size), query_lengths))


def _attention(q: Tensor, k: Tensor, v: Tensor, segments: Segments, scale: float, p: float, *, eager: bool) -> Tensor:
    """Attend from each query to the tokens of its text. *Shape:* (tokens, heads, size) -> (queries, heads, size)."""
    if p == 0 and _has_kernel(q):
        most = int(segments.query_lengths.max()), int(segments.lengths.max())
        made: Tensor = _kernel()(q, k, v, *segments.borders, *most, scale=scale)
        return made
    attend = partial(_eager if eager else _fused, scale=scale, p=p)
    if segments.alike is not None:
        query_lengths, tokens = segments.alike
        rows = ((q, query_lengths), (k, tokens), (v, tokens))
        own = (part.view(-1, number, *part.shape[1:]).transpose(1, 2) for part, number in rows)
        return attend(*own, real=None).transpose(1, 2).flatten(0, 1)
    groups, restored = segments.groups
    parts = []
    for group in groups:
        own = (
            row.index_select(0, at.flatten()).view(*at.shape, *row.shape[1:]).transpose(1, 2)
            for row, at in ((q, group.query_lengths), (k, group.tokens), (v, group.tokens))
        )
        parts.append(attend(*own, real=group.real).transpose(1, 2).flatten(0, 1))
    return (parts[0] if len(parts) == 1 else torch.cat(parts)).index_select(0, restored)


@cache
def _kernel() -> Any:
    """Return torch's kernel for concatenated texts, None where torch has none; it has no dropout."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return varlen_attn if "scale" in signature(varlen_attn).parameters else None


def _has_kernel(q: Tensor) -> bool:
    """Return whether the kernel supports these tensors: on GPUs from Ampere on, in 16 bits."""
    if not q.is_cuda or q.dtype not in {torch.float16, torch.bfloat16} or _kernel() is None:
        return False
    return torch.cuda.get_device_capability(q.device) >= (8, 0)


def _fused(q: Tensor, k: Tensor, v: Tensor, *, real: Tensor | None, scale: float, p: float) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, real, dropout_p=p, scale=scale)


def _eager(q: Tensor, k: Tensor, v: Tensor, *, real: Tensor | None, scale: float, p: float) -> Tensor:
    scores = (q * scale) @ k.transpose(2, 3)
    if real is not None:
        scores = scores.masked_fill(~real, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)
    return dropout(weights, p, training=p > 0) @ v


def _side_by_side(first: Array, count: Array) -> tuple[Array, Array]:
    """Return indices that count up from `first`, padded with 0, and a mask of the real ones. *Shape:* (texts, most)."""
    steps = np.arange(count.max(initial=1))
    wanted = steps < count[:, None]
    return np.where(wanted, first[:, None] + steps, 0), wanted
