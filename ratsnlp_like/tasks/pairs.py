"""What all tasks on two texts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..examples.pair import PairExample, ScoredPairExample
from .base import Features, Task


def encode_pairs(
    task: Task[Any, Any], examples: Sequence[PairExample | ScoredPairExample], tokenizer: Any, max_length: int
) -> list[Features]:
    """One window for each pair; where it is too long, the longer text loses its end, token by token."""
    room = task.room(tokenizer, max_length, pair=True)
    firsts = task.tokenize([e.text for e in examples], tokenizer, offsets=False)
    seconds = task.tokenize([e.text_pair for e in examples], tokenizer, offsets=False)
    out = []
    for i, ((_, first), (_, second)) in enumerate(zip(firsts, seconds, strict=True)):
        kept, kept_pair = share_room(len(first.ids), len(second.ids), room)
        features, _ = task.window(tokenizer, first.ids[:kept], second.ids[:kept_pair])
        lost = len(first.ids) + len(second.ids) - kept - kept_pair
        out.append(features | {"example": i, "lost": lost})
    return out


def share_room(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens two texts keep in `room`: the longer one gives way until both are of one length."""
    if first + second <= room:
        return first, second
    half = room // 2
    kept = min(first, max(room - half, room - second))
    return kept, room - kept
