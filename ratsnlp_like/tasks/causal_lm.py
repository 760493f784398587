"""Causal language modelling on raw text: predicting the next token, as GPT is pretrained, from scratch or continued."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..examples.base import Example
from ..examples.text import RawExample
from ..registry import TASKS
from ..runtime.types import TokenizerLike
from .causal_model import CausalModel
from .features import Features
from .language_model import split_text


@dataclass(frozen=True)
class CausalLM(CausalModel[RawExample, Features]):
    """Predict the next token of raw text."""

    name: ClassVar[str] = "causal-lm"
    description: ClassVar[str] = "pretrain a GPT on raw text, or adapt one to it, and continue texts: text"
    example: ClassVar[type[Example]] = RawExample
    skips_empty: ClassVar[bool] = True

    def encode(
        self, examples: Sequence[RawExample], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[Features]:
        """Encode each text with the end token after it, in windows without overlap."""
        before, end, size = self.frame(tokenizer, max_length)
        out: list[Features] = []
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        for i, (_, (ids, _)) in enumerate(tokens):
            whole = [*ids, *end] if ids else []
            for start, stop in split_text(len(whole), size):
                out.append({"input_ids": before + whole[start:stop], "example": i, "lost": 0})
        return out

    def encode_inputs(
        self, examples: Sequence[RawExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode each text as a prompt, without the end token.

        Raises:
            InputError: a prompt is longer than the window.
        """
        before, _, _ = self.frame(tokenizer, max_length)
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        return [
            self.prompt(before + ids, example.text, example, tokenizer, max_length, position=i)
            for i, (example, (_, (ids, _))) in enumerate(zip(examples, tokens, strict=True))
        ]


TASKS.register("causal-lm", CausalLM)
