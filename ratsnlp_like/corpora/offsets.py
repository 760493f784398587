"""Offsets of annotation tools -> characters of the text."""

from __future__ import annotations


def from_utf16(text: str, offset: int) -> int | None:
    """Return the character at an offset in UTF-16 code units, as JavaScript counts; None inside a character."""
    units = 0
    for index, character in enumerate(text):
        if units >= offset:
            return index if units == offset else None
        units += 2 if character > "\uffff" else 1
    return len(text) if units == offset else None


def has_astral(text: str) -> bool:
    """Return True if a text has characters that take two UTF-16 code units, such as emoji."""
    return not text.isascii() and max(text) > "\uffff"


def cuts_word(text: str, position: int) -> bool:
    """Return True if a position is between two letters or digits that are not Hangul and a particle after it.

    A particle follows a Korean name without a space, so that only the left edge of a span is evidence.
    """
    return 0 < position < len(text) and text[position - 1].isalnum() and text[position].isalnum()
