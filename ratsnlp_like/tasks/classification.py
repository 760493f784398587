"""Document and sentence classification: one class for a text, or any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from ..examples.base import Example
from ..examples.text import TextExample
from ..registry import TASKS
from ..runtime.types import TokenizerLike
from ..text.spans import windows
from .features import Features
from .sequence_classifier import SequenceClassifier

LongText = Literal["head", "head+tail", "windows"]


@dataclass(frozen=True)
class Classification(SequenceClassifier[TextExample]):
    """A class for a document or a sentence."""

    name: ClassVar[str] = "classification"
    description: ClassVar[str] = "a class for a text (sentiment, topic, ...), or several: text, label"
    example: ClassVar[type[Example]] = TextExample

    long_text: LongText = "head"
    """What is kept of a text longer than the window: its head, its head and tail (1/4 and 3/4 of the window, Sun et
    al. 2019, arXiv:1905.05583), or all of it in windows whose logits are averaged."""

    def encode_inputs(
        self, examples: Sequence[TextExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode each text in one window, or in several where `long_text` is `windows`."""
        capacity = self.capacity(tokenizer, max_length)
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        return [
            self.window(tokenizer, part, example=i, lost=lost)
            for i, (_, (ids, _)) in enumerate(tokens)
            for part, lost in self._fit(ids, capacity)
        ]

    def _fit(self, ids: list[int], capacity: int) -> list[tuple[list[int], int]]:
        """Return parts of a text that fit, each with the number of tokens lost."""
        lost = max(0, len(ids) - capacity)
        if not lost or self.long_text == "head":
            return [(ids[:capacity], lost)]
        if self.long_text == "head+tail":
            head = capacity // 4
            return [(ids[:head] + ids[len(ids) - (capacity - head) :], lost)]
        return [(ids[start:end], 0) for start, end in windows(len(ids), capacity, capacity // 4)]


TASKS.register("classification", Classification)
