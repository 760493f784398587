"""Classification of pairs of texts: natural language inference, paraphrase, relevance, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..examples.base import Example
from ..examples.pair import PairExample
from ..registry import TASKS
from ..runtime.types import TokenizerLike
from .features import Features
from .pair_encoding import encode_pairs
from .sequence_classifier import SequenceClassifier


@dataclass(frozen=True)
class PairClassification(SequenceClassifier[PairExample]):
    """A class for a pair of texts: entailment, paraphrase, relevance, ..."""

    name: ClassVar[str] = "pair"
    description: ClassVar[str] = "a class for two texts (NLI, paraphrase, ...): text, text_pair, label"
    example: ClassVar[type[Example]] = PairExample
    example_input: ClassVar[tuple[str, ...]] = ("비가 그쳤다", "비가 왔었다")

    def encode_inputs(
        self, examples: Sequence[PairExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode both texts of a pair in one window; where they do not fit, the longer one loses its end."""
        return encode_pairs(self, examples, tokenizer, max_length)


TASKS.register("pair", PairClassification)
