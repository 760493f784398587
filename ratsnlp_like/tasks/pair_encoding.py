"""Encoding of two texts in one window."""

from __future__ import annotations

from collections.abc import Sequence

from ..examples.pair import PairExample, ScoredPairExample
from ..runtime.types import TokenizerLike
from .base import AnyTask
from .features import Features


def encode_pairs(
    task: AnyTask, examples: Sequence[PairExample | ScoredPairExample], tokenizer: TokenizerLike, max_length: int
) -> list[Features]:
    """Return one window for each pair; where it is too long, the longer text loses its end, token by token."""
    capacity = task.capacity(tokenizer, max_length, pair=True)
    firsts = task.tokenize([e.text for e in examples], tokenizer, offsets=False)
    seconds = task.tokenize([e.text_pair for e in examples], tokenizer, offsets=False)
    out = []
    for i, ((_, (first, _)), (_, (second, _))) in enumerate(zip(firsts, seconds, strict=True)):
        kept, kept_pair = share_capacity(len(first), len(second), capacity)
        lost = len(first) + len(second) - kept - kept_pair
        out.append(task.window(tokenizer, first[:kept], second[:kept_pair], example=i, lost=lost))
    return out


def share_capacity(first: int, second: int, capacity: int) -> tuple[int, int]:
    """Return how many tokens two texts keep: the longer one is cut until both have one length."""
    if first + second <= capacity:
        return first, second
    half = capacity // 2
    kept = min(first, max(capacity - half, capacity - second))
    return kept, capacity - kept
