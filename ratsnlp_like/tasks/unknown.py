"""Unknown tokens: their share among the tokens of texts, and a word that has one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..examples.base import Example
from ..runtime.types import TokenizerLike
from .base import AnyTask
from .features import Features

REPORTED_SHARE = 0.01
"""Share of unknown tokens above which it is reported."""


@dataclass(frozen=True)
class UnknownTokens:
    """Number of tokens of texts, of unknown ones among them, and the first word that has one."""

    tokens: int = 0
    unknown: int = 0
    word: str | None = None

    def __add__(self, other: UnknownTokens) -> UnknownTokens:
        return UnknownTokens(self.tokens + other.tokens, self.unknown + other.unknown, self.word or other.word)

    def report(self) -> str | None:
        """Return a message where the share is above `REPORTED_SHARE`, else None."""
        if self.unknown <= REPORTED_SHARE * self.tokens:
            return None
        share, example = self.unknown / self.tokens, f", such as {self.word!r}" if self.word else ""
        return (
            f"{self.unknown:,} of {self.tokens:,} tokens ({share:.1%}) are unknown to the tokenizer{example}: "
            "the model cannot tell these words apart"
        )


def count_unknown(
    task: AnyTask, examples: Sequence[Example], windows: Iterable[Features], tokenizer: TokenizerLike
) -> UnknownTokens:
    """Count the unknown tokens of windows; special tokens around texts are no tokens of them.

    Args:
        task: that the windows were encoded for.
        examples: that the windows were made of.
        windows: any number of them.
        tokenizer: of the model.
    """
    unknown, special = unknown_id(tokenizer), special_ids(tokenizer)
    if unknown is None:
        return UnknownTokens()
    tokens = found = 0
    word = None
    for window in windows:
        ids = window["input_ids"]
        tokens += len(ids) - sum(map(ids.count, special))
        own = ids.count(unknown)
        found += own
        if own and word is None:
            word = unknown_word(task, examples[window["example"]], tokenizer)
    return UnknownTokens(tokens, found, word)


def unknown_id(tokenizer: TokenizerLike) -> int | None:
    """Return the id of the unknown token; None where there is none, or where it has another role too (GPT-2's)."""
    others = (tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.mask_token_id)
    return None if tokenizer.unk_token_id in others else tokenizer.unk_token_id


def special_ids(tokenizer: TokenizerLike) -> list[int]:
    """Return the ids of the special tokens except the unknown token."""
    return [number for number in tokenizer.all_special_ids if number != tokenizer.unk_token_id]


def unknown_word(task: AnyTask, example: Example, tokenizer: TokenizerLike) -> str | None:
    """Return the first word of an example that has an unknown token, with its neighbours up to white space."""
    for text in (value for value in example.inputs().values() if isinstance(value, str)):
        ((normalized, (ids, offsets)),) = task.tokenize([text], tokenizer)
        if tokenizer.unk_token_id in ids:
            start, end = offsets[ids.index(tokenizer.unk_token_id)]
            before, after = normalized.text[:start].split(" ")[-1], normalized.text[end:].split(" ")[0]
            return before + normalized.text[start:end] + after
    return None
