"""An edited text, and where the spans of the original are in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """Replace the characters `start` to `end` with a text; an empty span is an insertion."""

    start: int
    end: int
    new: str


@dataclass(frozen=True)
class EditedText:
    """A text after edits.

    Unlike a normalised text (`text.edits.Normalized`), it may have characters without a source in the original; they
    are not part of a span that they touch.
    """

    text: str
    edits: tuple[Edit, ...]
    """In order, without overlap."""

    @classmethod
    def of(cls, text: str, edits: Iterable[Edit]) -> EditedText:
        """Apply edits that are in order and do not overlap."""
        done = tuple(edits)
        pieces, reached = [], 0
        for start, end, new in done:
            pieces += [text[reached:start], new]
            reached = end
        return cls("".join([*pieces, text[reached:]]), done)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span that the characters `start` to `end` of the original have become."""
        return self._moved(start, is_end=False), self._moved(end, is_end=True)

    def _moved(self, position: int, *, is_end: bool) -> int:
        shift = 0
        for start, end, new in self.edits:
            if start > position or (start == position and (is_end or end > start)):
                break
            if position < end:  # within a replaced piece, of which a span takes all
                return start + shift + (len(new) if is_end else 0)
            shift += len(new) - (end - start)
        return position + shift


TextEdit = Callable[[str], EditedText]
"""Returns an edited text."""
