"""A class for two texts: natural language inference, paraphrase, relevance, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..examples.base import Example
from ..examples.pair import PairExample
from ..registry import TASKS
from .base import Features
from .pairs import encode_pairs
from .sequence_classifier import Classifier


@dataclass(frozen=True)
class Pair(Classifier[PairExample]):
    """A class for a pair of texts: entailment, paraphrase, relevance, ..."""

    name: ClassVar[str] = "pair"
    description: ClassVar[str] = "a class for two texts (NLI, paraphrase, ...): text, text_pair, label"
    example: ClassVar[type[Example]] = PairExample
    example_input: ClassVar[tuple[str, ...]] = ("비가 그쳤다", "비가 왔었다")

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
