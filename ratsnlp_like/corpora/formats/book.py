"""The NER format of the book: a sentence, U+241E, and the same sentence with its entities marked.

    두레건설은 아파트를 짓는다.␞<두레건설:OG>은 아파트를 짓는다.

`<`, `>` and `:` also occur as plain characters, outside the marks and inside them. The left half decides: the marks
are those whose removal from the right half leaves the left half, letter for letter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten, unreadable
from .text_files import read_lines

SEPARATOR = "\u241e"

_TAG = r":([A-Za-z][A-Za-z0-9_-]*)>"
_END = re.compile(_TAG)
_MARK = re.compile(r"<([^<>]+)" + _TAG)
_STRANGE_END = re.compile(r":([^<>:\s]*)>")
_MAX_DEPTH = 9  # of `<` open inside one entity; more only makes the search slower

Entities = list[list[int | str]]


class MismatchError(ValueError):
    """No choice of marks gives the text. The positions are the first ones where text and marked text differ."""

    def __init__(self, in_text: int, in_marked: int) -> None:
        super().__init__(in_text, in_marked)
        self.in_text, self.in_marked = in_text, in_marked


def read_book_ner(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "entities"} per line; blank lines are skipped."""
    for number, line in read_lines(path, options.encoding):
        if line.strip():
            place = Place(str(path), number)
            try:
                text, marked = _halves(line, place)
                entities = entities_of(text, marked, place)
            except InputError as error:
                yield unreadable(error, place, options)
                continue
            yield Row({"text": text, "entities": entities}, place)


def sniff_book_ner(head: str) -> bool:
    """Return True for U+241E, which no other format has, in one of the first lines."""
    return any(SEPARATOR in line for line in head.split("\n", maxsplit=20)[:20])


def entities_of(text: str, marked: str, place: Place | None = None) -> Entities:
    """Return the `[start, end, label]` of the marks.

    Raises:
        InputError: the marks do not match the text.
    """
    try:
        return find_marks(text, marked)
    except MismatchError as mismatch:
        raise _explain(mismatch, text, marked, place) from None


def marked_text(text: str, entities: Iterable[tuple[int, int, str]]) -> str:
    """Return a text with its entities marked, from `(start, end, label)` in order; `entities_of` reads it back."""
    parts, at = [], 0
    for start, end, label in entities:
        parts += [text[at:start], f"<{text[start:end]}:{label}>"]
        at = end
    return "".join([*parts, text[at:]])


def _halves(line: str, place: Place) -> tuple[str, str]:
    parts = line.split(SEPARATOR)
    if len(parts) != 2:
        raise InputError(
            f"{len(parts) - 1 or 'no'} separator {SEPARATOR} (U+241E) in {shorten(line)}",
            place=place,
            expected=f"one: the sentence, {SEPARATOR}, the sentence with <entity:TAG>",
            fix=f"write {shorten(f'{line}{SEPARATOR}{line}')}, with the entities of the right half marked"
            if len(parts) == 1
            else f"remove the {SEPARATOR} that belong to the sentence",
        )
    return parts[0], parts[1]


def find_marks(text: str, marked: str) -> Entities:
    """Return the `[start, end, label]` in `text` of the marks in `marked`.

    Raises:
        MismatchError: no choice of marks leaves the text.
    """
    entities = simple_marks(text, marked)
    return entities if entities is not None else _Search(text, marked).run()


def simple_marks(text: str, marked: str) -> Entities | None:
    """Return the entities where the text has no `<` and no `>`, so that all of them are marks; None otherwise."""
    if "<" in text or ">" in text or _MARK.sub(r"\1", marked) != text:
        return None
    entities: Entities = []
    removed = 0
    for match in _MARK.finditer(marked):
        start = match.start() - removed
        entities.append([start, start + len(match[1]), match[2]])
        removed += len(match[0]) - len(match[1])
    return entities


class _Reading(NamedTuple):
    """One reading of the marked text up to some position."""

    unpaired: int
    """Brackets inside entities that have no partner there."""
    start: int
    """Start in the text of the entity that is open."""
    found: tuple[_Reading, str, int] | None
    """The reading before the last entity was closed, its label, its end: a chain, for readings share beginnings."""


_State = tuple[int, int]
"""(position in the text, brackets open inside the entity, or `_OUTSIDE`)."""
_OUTSIDE = -1


class _Search:
    """Dynamic program over all readings of `marked`, from left to right; the fewest unpaired brackets win.

    A `<` is a plain character or opens a mark, `:TAG>` is plain or closes one. Usually the text leaves one reading.
    Where it leaves more, `<<영화:POH>>` over `<영화>` could mark `영화` or `<영화`, and pairing decides.
    Each step keeps one reading per state, so that time grows with the length, not with the number of readings.
    """

    def __init__(self, text: str, marked: str) -> None:
        self.text, self.marked = text, marked
        self.frontiers: dict[int, dict[_State, _Reading]] = {0: {(0, _OUTSIDE): _Reading(0, 0, None)}}
        """For each number of characters read of `marked`: the reachable states, and the best reading of each."""

    def run(self) -> Entities:
        """Return the entities.

        Raises:
            MismatchError: no reading leaves the text.
        """
        frontier: dict[_State, _Reading] = {}
        furthest = (0, 0)
        for at in range(len(self.marked) + 1):
            frontier = self.frontiers.pop(at, {})
            for state, reading in frontier.items():
                furthest = max(furthest, (at, state[0]))
                self._step(at, state, reading)
        if whole := frontier.get((len(self.text), _OUTSIDE)):
            return _unroll(whole)
        raise MismatchError(in_text=furthest[1], in_marked=furthest[0])

    def _step(self, at: int, state: _State, reading: _Reading) -> None:
        """Extend a reading of `marked[:at]`."""
        position, depth = state
        if self._agrees(at, position):
            inner, unpaired = _nest(self.marked[at], depth)
            self._add(at + 1, (position + 1, inner), reading._replace(unpaired=reading.unpaired + unpaired))
        # An entity has at least one character: the opening bracket and its first character are one step.
        if depth == _OUTSIDE and self.marked.startswith("<", at) and self._agrees(at + 1, position):
            inner, unpaired = _nest(self.marked[at + 1], 0)
            self._add(at + 2, (position + 1, inner), _Reading(reading.unpaired + unpaired, position, reading.found))
        if depth != _OUTSIDE and (end := _END.match(self.marked, at)):
            closed = _Reading(reading.unpaired + depth, 0, (reading, end[1], position))
            self._add(end.end(), (position, _OUTSIDE), closed)

    def _agrees(self, at: int, position: int) -> bool:
        return at < len(self.marked) and position < len(self.text) and self.marked[at] == self.text[position]

    def _add(self, at: int, state: _State, reading: _Reading) -> None:
        frontier = self.frontiers.setdefault(at, {})
        if state not in frontier or reading.unpaired < frontier[state].unpaired:
            frontier[state] = reading


def _nest(character: str, depth: int) -> tuple[int, int]:
    """Return the depth after a character, and 1 if it is a closing bracket without an opening one."""
    if depth == _OUTSIDE or character not in "<>":
        return depth, 0
    if character == "<":
        return min(depth + 1, _MAX_DEPTH), 0
    return (depth - 1, 0) if depth else (0, 1)


def _unroll(reading: _Reading) -> Entities:
    entities: Entities = []
    while reading.found:
        reading, label, end = reading.found
        entities.append([reading.start, end, label])
    return entities[::-1]


def _explain(mismatch: MismatchError, text: str, marked: str, place: Place | None) -> InputError:
    """Return an error that names the first difference of the halves and its probable cause."""
    at, position = mismatch.in_marked, mismatch.in_text
    expected = f"the right half, its <entity:TAG> marks removed, is the left half (before {SEPARATOR})"
    if (strange := _STRANGE_END.match(marked, at)) and not _END.match(marked, at):
        return InputError(
            f"unknown form of tag {strange[1]!r} in {_around(marked, at)}",
            place=place,
            expected="a tag is a letter of A-Z and then letters, digits, _ or -, like <서울:LOC>",
            fix=f"rename the tag {strange[1]!r}, or copy the right half to the left if it is not a mark",
        )
    if _strip_nested(marked) == text:
        return InputError(
            f"a mark is inside another: {_around(marked, at)}",
            place=place,
            expected="entities that do not overlap: a token has one label",
            fix="keep the outer or the inner one",
        )
    unmarked = _MARK.sub(r"\1", marked)
    return InputError(
        f"the marks do not match the text: character {position + 1} of the text is {_name(text, position)}, "
        f"the marked text has {_name(marked, at)} (its character {at + 1}): "
        f"{_around(text, position)} against {_around(marked, at)}",
        place=place,
        expected=expected,
        fix=f"make the two halves alike; without its marks the right half is {shorten(unmarked)}",
    )


def _strip_nested(marked: str) -> str:
    while (stripped := _MARK.sub(r"\1", marked)) != marked:
        marked = stripped
    return marked


def _around(text: str, position: int) -> str:
    start = max(0, position - 10)
    return repr(text[start : position + 20])


def _name(text: str, position: int) -> str:
    """Return a character with its Unicode name: look-alikes (no-break space, decomposed Hangul) differ there."""
    if position >= len(text):
        return "at its end"
    character = text[position]
    return f"{character!r} ({unicodedata.name(character, 'unnamed')}, U+{ord(character):04X})"


FORMATS.register(
    "book-ner",
    Format(
        "book-ner",
        (),
        read_book_ner,
        sniff_book_ner,
        "sentence, U+241E, sentence with <entity:TAG>",
        found_in=("tsv", "text"),
        precedence=10,
    ),
)
