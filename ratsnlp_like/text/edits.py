"""Edits of a text and the map back to the original. Standard library only."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Edit = tuple[int, int, str]
"""Replace the characters from `start` to `end` (never an empty span) with a text, which may be empty."""

Pass = Callable[[str], Sequence[Edit]]
"""Returns the edits of a text, in order and without overlap; none where the text does not change."""


@dataclass(frozen=True, slots=True)
class Normalized:
    """A normalised text and its map to the original.

    Both sequences are non-decreasing. The characters of a replacement all have the whole replaced piece as their
    source.

    Args:
        text: the normalised text.
        original: the text before.
        starts: for each character of `text`, where its source begins in `original` ...
        ends: ... and where it ends (exclusive); never empty.
    """

    text: str
    original: str
    starts: Sequence[int]
    ends: Sequence[int]

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original that is the source of the characters `start` to `end` of the normalised text.

        An empty span remains empty: it is before the source of the next character, or after that of the last one.
        """
        _check_span(start, end, len(self.text))
        if start < end:
            return self.starts[start], self.ends[end - 1]
        if start < len(self.starts):
            return self.starts[start], self.starts[start]
        at = self.ends[-1] if self.ends else 0
        return at, at

    def from_original(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the smallest normalised span that covers all that remains of a span of the original.

        A character of the original remains if it is part of the source of a normalised character. None if nothing
        remains, and always for an empty span.
        """
        _check_span(start, end, len(self.original))
        if start == end:
            return None
        first = bisect_right(self.ends, start)
        after = bisect_left(self.starts, end)
        return (first, after) if first < after else None


def _check_span(start: int, end: int, length: int) -> None:
    # A negative start would index from the right.
    if not 0 <= start <= end <= length:
        raise IndexError(f"span ({start}, {end}) of a text of {length} characters")


@dataclass(frozen=True, slots=True)
class Step:
    """One named step of normalisation.

    Args:
        description: one line, for help texts.
        passes: applied in order, each to the text that the one before left.
        until_stable: repeat the passes until they find nothing more, because an edit can produce text to be
            edited again: ㅋㅋㅋㅎㅋㅋㅎㅋㅋㅎ. Each edit must leave less to find, so that the repetition ends.
    """

    description: str
    passes: tuple[Pass, ...]
    until_stable: bool = False

    def __call__(self, current: Normalized) -> Normalized:
        """Normalise further; return the same object where there is nothing to edit."""
        while True:
            before = current
            for find_edits in self.passes:
                if edits := find_edits(current.text):
                    current = _apply(edits, current)
            if current is before or not self.until_stable:
                return current


def _apply(edits: Iterable[Edit], current: Normalized) -> Normalized:
    """Apply edits. Every new character has the whole replaced piece as its source."""
    text, starts, ends = current.text, current.starts, current.ends
    pieces: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    cursor = 0
    for start, end, new in edits:
        pieces += text[cursor:start], new
        new_starts += starts[cursor:start]
        new_starts += [starts[start]] * len(new)
        new_ends += ends[cursor:start]
        new_ends += [ends[end - 1]] * len(new)
        cursor = end
    pieces.append(text[cursor:])
    new_starts += starts[cursor:]
    new_ends += ends[cursor:]
    return Normalized("".join(pieces), current.original, tuple(new_starts), tuple(new_ends))
