"""Causal language modelling on raw text: the next word, as GPT is pretrained, from scratch or continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..examples.base import Example
from ..examples.text import RawExample
from ..registry import TASKS
from .base import Features
from .language_model import CausalModel, parts


@dataclass(frozen=True)
class CausalLM(CausalModel[RawExample]):
    """Guess the next word of raw text."""

    name: ClassVar[str] = "causal-lm"
    description: ClassVar[str] = "pretrain a GPT on raw text, or adapt one to it; ask it to write on: text"
    example: ClassVar[type[Example]] = RawExample

    def encode(
        self, examples: Sequence[RawExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; a text to learn from ends with the end token, a prompt is kept open.

        Raises:
            InputError: a prompt is longer than the window.
        """
        before, end, room = self.frame(tokenizer, max_length)
        out: list[Features] = []
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        for i, (example, (_, (ids, _))) in enumerate(zip(examples, tokens, strict=True)):
            if labels is None:
                asked = self.prompt(before + ids, example.text, example, tokenizer, max_length)
                out.append(asked | {"example": i, "lost": 0})
                continue
            whole = [*ids, *end] if ids else []
            for start, stop in parts(len(whole), room, asked=False):
                out.append({"input_ids": before + whole[start:stop], "example": i, "lost": 0})
        return out


TASKS.register("causal-lm", CausalLM)
