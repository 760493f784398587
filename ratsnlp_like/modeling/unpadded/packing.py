"""Batches with padding, as rows without: the tokens of all texts one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .segments import Segments, moved


@dataclass(frozen=True)
class Unpadded:
    """Settings of a model that runs without padding."""

    eager: bool
    """Compute attention step by step (faster in training on a CPU) instead of with torch's fused kernel."""
    first: bool
    """The head reads only the first token of a text."""


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


def can_pack(base: Any, mask: Tensor, embedded: Tensor | None, options: dict[str, Any]) -> bool:
    """Return whether a call has ids and a 2D mask, and no outputs other than the last states."""
    if mask.dim() != 2 or embedded is not None:
        return False
    if any(options.get(name) is not None for name in ("past_key_values", "encoder_hidden_states")):
        return False
    wanted = ("output_attentions", "output_hidden_states")
    return not any(options.get(name) or getattr(base.config, name, False) for name in wanted)


def padded(base: Any, kept: Tensor | None, **inputs: Any) -> Any:
    """Compute the forward of transformers; the last states are those of the kept tokens. See `bert.forward`."""
    output = type(base).forward(base, **inputs)
    if kept is not None:
        output["last_hidden_state"] = output.last_hidden_state.flatten(0, 1).index_select(0, kept)[None]
    return output


def has_gaps(mask: Tensor) -> bool:
    """Return whether there is padding between the tokens of a text. *Shape:* mask (batch, tokens)."""
    return bool(((mask[:, 1:] > mask[:, :-1]).sum(1) + mask[:, 0] > 1).any())


def pack(
    mask: Tensor, given: Sequence[int] | None, kept: Tensor | None, counts: Sequence[int] | None, *, first: bool
) -> Packing:
    """Return the row of a batch."""
    device, longest = mask.device, mask.shape[1]
    lengths = np.asarray(mask.sum(1).tolist() if given is None else given)
    query_lengths, rows = lengths, None
    first_token = np.cumsum(lengths) - lengths
    if (lengths < longest).any():
        if given is None:
            rows = mask.flatten().nonzero().flatten()
        else:
            rows = moved(np.flatnonzero(np.arange(longest) < lengths[:, None]), device)
    if first:
        kept, query_lengths = moved(first_token, device), np.ones_like(lengths)
    elif kept is not None:
        query_lengths = np.asarray(
            torch.bincount(kept // longest, minlength=len(mask)).tolist() if counts is None else counts
        )
        if rows is not None:
            kept = torch.empty_like(mask.flatten()).index_copy(0, rows, torch.arange(len(rows), device=device))[kept]
    segments = Segments(lengths, lengths, device)
    if kept is None:
        return Packing(rows, segments, None, segments)
    positions = kept - moved(np.repeat(first_token, query_lengths), device)
    return Packing(rows, segments, kept, Segments(query_lengths, lengths, device, positions))


def in_a_row(values: Tensor | None, ids: Tensor, rows: Tensor | None) -> Tensor:
    """Concatenate ids, types or positions of a batch. *Shape:* (batch, longest) -> (1, tokens)."""
    flat = torch.zeros_like(ids).flatten() if values is None else values.expand_as(ids).flatten()
    return (flat if rows is None else flat.index_select(0, rows))[None]


def unpack(hidden: Tensor, packing: Packing, shape: torch.Size, *, first: bool) -> Tensor:
    """Return states in the shape that heads expect; see `bert.forward`."""
    if first:
        return hidden.transpose(0, 1)
    if packing.kept is not None:
        return hidden
    if packing.rows is None:
        return hidden.view(*shape, -1)
    padded = hidden.new_zeros(shape.numel(), hidden.shape[2])
    return padded.index_copy(0, packing.rows, hidden[0]).view(*shape, -1)
