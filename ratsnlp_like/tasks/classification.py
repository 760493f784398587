"""Document and sentiment classification: one class for a text, or any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ..examples.base import Example
from ..examples.text import TextExample
from ..registry import TASKS
from ..text.spans import windows
from .base import Features
from .sequence_classifier import Classifier

LongText = Literal["head", "head+tail", "windows"]


@dataclass(frozen=True)
class Classification(Classifier[TextExample]):
    """A class for a document or a sentence."""

    name: ClassVar[str] = "classification"
    description: ClassVar[str] = "a class for a text (sentiment, topic, ...), or several: text, label"
    example: ClassVar[type[Example]] = TextExample

    long_text: LongText = "head"
    """What becomes of a text longer than the window: its head is kept, its head and tail (1/4 and 3/4 of
    the window, Sun et al. 2019, arXiv:1905.05583), or all of it in windows whose logits are averaged."""

    def encode(
        self, examples: Sequence[TextExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`."""
        room = self.room(tokenizer, max_length)
        index = {label: i for i, label in enumerate(labels or ())}
        out: list[Features] = []
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        for i, (example, (_, (ids, _))) in enumerate(zip(examples, tokens, strict=True)):
            target = None if labels is None else self.target(example, index)
            for part, lost in self._fit_in(ids, room):
                features, _ = self.window(tokenizer, part)
                features |= {"example": i, "lost": lost}
                if target is not None:
                    features["labels"] = target
                out.append(features)
        return out

    def _fit_in(self, ids: list[int], room: int) -> list[tuple[list[int], int]]:
        """Parts of a text that fit, each with the number of tokens lost."""
        lost = max(0, len(ids) - room)
        if not lost or self.long_text == "head":
            return [(ids[:room], lost)]
        if self.long_text == "head+tail":
            head = room // 4
            return [(ids[:head] + ids[len(ids) - (room - head) :], lost)]
        return [(ids[start:end], 0) for start, end in windows(len(ids), room, room // 4)]


TASKS.register("classification", Classification)
