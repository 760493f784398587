"""Attention within the texts of a row: with a kernel of GPUs, or in groups of texts of similar length."""

from __future__ import annotations

from functools import cache, partial
from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..dropout import dropout
from .segments import Segments


def attend(q: Tensor, k: Tensor, v: Tensor, segments: Segments, scale: float, p: float, *, eager: bool) -> Tensor:
    """Attend from each query to the tokens of its text. *Shape:* (tokens, heads, size) -> (queries, heads, size)."""
    window = segments.window
    if p == 0 and _has_kernel(q) and (window is None or segments.query_positions is None):
        most = int(segments.query_lengths.max()), int(segments.lengths.max())
        size = {} if window is None else {"window_size": (window, window)}
        made: Tensor = _kernel()(q, k, v, *segments.borders, *most, scale=scale, **size)
        return made
    within = partial(_eager if eager else _fused, scale=scale, p=p)
    if segments.alike is not None:
        queries, tokens = segments.alike
        rows = ((q, queries), (k, tokens), (v, tokens))
        own = (part.view(-1, number, *part.shape[1:]).transpose(1, 2) for part, number in rows)
        return within(*own, mask=None).transpose(1, 2).flatten(0, 1)
    groups, restored = segments.groups
    parts = []
    for group in groups:
        own = (
            row.index_select(0, at.flatten()).view(*at.shape, *row.shape[1:]).transpose(1, 2)
            for row, at in ((q, group.queries), (k, group.tokens), (v, group.tokens))
        )
        q_of, k_of, v_of = own
        blocks = [
            within(q_of[:, :, rows], k_of[:, :, columns], v_of[:, :, columns], mask=mask)
            for rows, columns, mask in group.blocks(window if segments.query_positions is None else None)
        ]
        parts.append((blocks[0] if len(blocks) == 1 else torch.cat(blocks, 2)).transpose(1, 2).flatten(0, 1))
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


def _fused(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None, scale: float, p: float) -> Tensor:
    return F.scaled_dot_product_attention(q, k, v, mask, dropout_p=p, scale=scale)


def _eager(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None, scale: float, p: float) -> Tensor:
    scores = (q * scale) @ k.transpose(2, 3)
    if mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(-1, dtype=torch.float32).to(q.dtype)
    return dropout(weights, p, training=p > 0) @ v
