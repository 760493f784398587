"""Statistics of the tokens of a corpus: lengths, truncation, unknown characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from ..data.findings import percentiles
from ..examples.base import Example
from ..tasks.base import AnyTask
from ..text.tokens import Template, tokenize

LENGTHS = (32, 64, 128, 256, 300, 512)
"""Lengths of a window, in tokens, for which the share of truncated examples is reported."""
_CHARACTERS = 15
"""Number of unknown characters that are reported, most frequent first."""


@dataclass
class TokenStatistics:
    """Statistics of the tokens of one split.

    Args:
        task: whose normalization is applied.
        tokenizer: of a checkpoint.
    """

    task: AnyTask
    tokenizer: Any
    _lengths: list[int] = field(default_factory=list)
    _unknown: int = 0
    _total: int = 0
    _pieces: Counter[str] = field(default_factory=Counter)
    """Texts of unknown tokens."""

    def count(self, examples: Sequence[Example]) -> None:
        """Count the tokens of a slice of examples."""
        fields = examples[0].required() or [examples[0].given()[0]]
        columns = [self.task.tokenize([str(getattr(e, name)) for e in examples], self.tokenizer) for name in fields]
        template = Template.of(self.tokenizer)
        special = sum(map(len, template.pair if len(fields) > 1 else template.single))
        for row in zip(*columns, strict=True):
            self._lengths.append(special + sum(len(tokens.ids) for _, tokens in row))
            for normalized, tokens in row:
                self._total += len(tokens.ids)
                for token, (start, end) in zip(tokens.ids, tokens.offsets, strict=True):
                    if token == self.tokenizer.unk_token_id:
                        self._unknown += 1
                        self._pieces[normalized.text[start:end]] += 1

    def summary(self, max_length: int) -> dict[str, Any]:
        """Return the statistics as JSON values.

        Args:
            max_length: a further length for which truncation is reported.
        """
        lengths = np.asarray(self._lengths)
        return {
            "tokens": percentiles(self._lengths),
            "truncated": {str(n): round(float((lengths > n).mean()), 6) for n in sorted({*LENGTHS, max_length})},
            "unknown_share": round(self._unknown / max(1, self._total), 6),
            "unknown_tokens": self._unknown,
            "unknown_characters": _unknown_characters(self._pieces, self.tokenizer),
        }


def _unknown_characters(pieces: Counter[str], tokenizer: Any) -> dict[str, int]:
    """Return the characters that make pieces unknown: those that are unknown on their own, else all of a piece."""
    alphabet: Iterable[str] = sorted(set(chain.from_iterable(pieces)))
    alone = tokenize(tokenizer, list(alphabet))
    unknown = {c for c, tokens in zip(alphabet, alone, strict=True) if tokenizer.unk_token_id in tokens.ids}
    counts: Counter[str] = Counter()
    for piece, times in pieces.items():
        for character in {c for c in piece if c in unknown} or set(piece):
            counts[character] += times
    return dict(counts.most_common(_CHARACTERS))
