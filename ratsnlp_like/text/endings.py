"""Endings of the last tokens of spans, and how many characters are cut off after them, by counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ..runtime.types import Array

_SEEN_TWICE = 2
_LONGEST_ENDING = 4
"""Characters of an ending whose cuts are counted: few particles have more."""
_LEAST = 0.01
"""Added to the count of each cut, so that none is impossible."""


class EndingCounts:
    """Counts how many characters are cut off the last token of an entity, by the token's last characters."""

    def __init__(self) -> None:
        self._cuts: dict[str, Counter[int]] = {}

    def add(self, token: str, cut: int) -> None:
        """Count a last token, and the number of its characters after the entity."""
        for length in range(min(_LONGEST_ENDING, len(token)) + 1):
            self._cuts.setdefault(token[len(token) - length :], Counter())[cut] += 1

    def counts(self) -> dict[str, list[int]]:
        """Return how often 0, 1, ... characters were cut, by ending ("" is any), without endings that occur once."""
        return {
            ending: [cuts[k] for k in range(max(cuts) + 1)]
            for ending, cuts in sorted(self._cuts.items())
            if not ending or cuts.total() >= _SEEN_TWICE
        }


def ending_evidence(counts: Mapping[str, Sequence[int]], token: str, classes: int) -> Array:
    """Return P(cut | last characters of a token) / P(cut). Shape: (classes,).

    Each ending is smoothed with the next shorter one, which weighs as much as one occurrence (Witten and Bell's
    interpolation with a fixed weight).
    """
    import numpy as np

    prior = share = (_padded(counts.get("", ()), classes) + _LEAST) / (sum(counts.get("", ())) + classes * _LEAST)
    for length in range(1, min(_LONGEST_ENDING, len(token)) + 1):
        own = _padded(counts.get(token[len(token) - length :], ()), classes)
        share = (own + share) / (own.sum() + 1)
    evidence: Array = np.divide(share, prior)
    return evidence


def _padded(counts: Sequence[int], size: int) -> Array:
    import numpy as np

    return np.array([*counts, *[0] * (size - len(counts))][:size], dtype=float)
