"""Texts as the model is given them: where they are cut into tokens, and what the tokenizer does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..examples.base import Example
from ..runtime.slices import slices
from ..runtime.types import TokenizerLike
from ..tasks.base import AnyTask
from ..text.tokens import Tokens


@dataclass(frozen=True)
class TokenView:
    """The tokens of an example."""

    text: str
    """Bars between the tokens of an eojeol (최고|의 영화), and `[UNK:...]` around what is unknown."""
    count: int
    unknown: int
    """Number of unknown tokens."""


def token_views(task: AnyTask, tokenizer: TokenizerLike, examples: Sequence[Example]) -> Iterator[TokenView]:
    """Yield the tokens of each example, without special tokens and before truncation."""
    for part in slices(examples):
        texts = [[value for value in example.inputs().values() if isinstance(value, str)] for example in part]
        distinct = list(dict.fromkeys(text for own in texts for text in own))
        tokenized = zip(distinct, task.tokenize(distinct, tokenizer), strict=True)
        views = {text: _view(n.text, tokens, tokenizer.unk_token_id) for text, (n, tokens) in tokenized}
        for own in texts:
            parts = [views[text] for text in own]
            count, unknown = sum(view.count for view in parts), sum(view.unknown for view in parts)
            yield TokenView(" / ".join(view.text for view in parts), count, unknown)


def _view(text: str, tokens: Tokens, unknown: int | None) -> TokenView:
    pieces: list[str] = []
    reached = 0
    for token, (start, end) in zip(tokens.ids, tokens.offsets, strict=True):
        if start >= end:
            continue
        pieces += [" "] if text[reached:start].strip(" \t\n") != text[reached:start] else ["|"] * bool(pieces)
        pieces.append(f"[UNK:{text[start:end]}]" if token == unknown else text[start:end])
        reached = end
    return TokenView("".join(pieces).strip(), len(tokens.ids), tokens.ids.count(unknown) if unknown is not None else 0)
