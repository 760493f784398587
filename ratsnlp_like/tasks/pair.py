"""A class for two texts: natural language inference, paraphrase, relevance, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..examples import Example, PairExample, ScoredPairExample
from ..registry import TASKS
from .base import Features, Task
from .classification import Classifier


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


@dataclass(frozen=True)
class Pair(Classifier[PairExample]):
    """A class for a pair of texts: entailment, paraphrase, relevance, ..."""

    name: ClassVar[str] = "pair"
    description: ClassVar[str] = "a class for two texts (NLI, paraphrase, ...): text, text_pair, label"
    example: ClassVar[type[Example]] = PairExample
    ask: ClassVar[tuple[str, ...]] = ("비가 그쳤다", "비가 왔었다")

    def encode(
        self, examples: Sequence[PairExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode` and `encode_pairs`."""
        out = encode_pairs(self, examples, tokenizer, max_length)
        if labels is not None:
            index = {label: i for i, label in enumerate(labels)}
            for features, example in zip(out, examples, strict=True):
                features["labels"] = self.target(example, index)
        return out


TASKS.register("pair", Pair)
