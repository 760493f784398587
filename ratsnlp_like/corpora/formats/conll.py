"""CoNLL: a word (or a character) and its BIO tag on each line, a blank line between sentences.

    두레건설은<TAB>B-OG
    공급한다.<TAB>O

Columns are separated by tabs or spaces; the first is the word (the second, where the first counts the tokens), the last
the tag, others are ignored.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten, unreadable
from .bio import Token, text_and_entities
from .tag_schemes import TAG, detect_scheme, is_prefixed, to_bio
from .text_files import read_lines

log = logging.getLogger("ratsnlp_like")

_PROBE = 1000  # rows that distinguish words from characters: every text has a space long before
_METADATA = re.compile(r"#\s*\w+\s*=\s")  # CoNLL-U: # text = ...


def read_conll(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "entities"} per sentence; the text is the words joined by one space.

    In a file of characters that has rows for the spaces themselves, nothing is put between them. Tags of another
    scheme than BIO are converted, which is logged once.
    """
    layout = _layout(path, options)
    if layout.scheme != "BIO":
        _report_scheme(str(path), layout.scheme)
    for sentence in _sentences(path, options):
        place = Place(str(path), sentence[0][0])
        try:
            tokens = [_token(line, Place(str(path), number), layout) for number, line in sentence]
            tags = to_bio([token.tag for token in tokens], layout.scheme)
            tokens = [token._replace(tag=tag) for token, tag in zip(tokens, tags, strict=True)]
            text, entities = text_and_entities(tokens, layout.joiner)
        except InputError as error:
            yield unreadable(error, place, options)
            continue
        yield Row({"text": text, "entities": entities}, place)


class _Layout(NamedTuple):
    """Facts of a file, found in a first pass."""

    joiner: str
    word: int
    """Column of the word: the second, where the first is the number of the token."""
    columns: int
    scheme: str


def _sentences(path: Path, options: Options) -> Iterator[list[tuple[int, str]]]:
    """Yield the numbered lines of each sentence."""
    sentence: list[tuple[int, str]] = []
    for number, line in read_lines(path, options.encoding):
        if _is_blank(line):
            if sentence:
                yield sentence
            sentence = []
        elif not _is_comment(line):
            sentence.append((number, line))
    if sentence:
        yield sentence


def _layout(path: Path, options: Options) -> _Layout:
    first: list[list[str]] = []  # cells of the first rows
    numbered = True
    scheme = ""

    def tags() -> Iterator[list[str]]:
        nonlocal numbered
        for sentence in _sentences(path, options):
            rows = [_columns(line) for _, line in sentence]
            if len(first) < _PROBE:
                first.extend(rows)
                numbered &= _is_numbered(rows)
            yield [cells[-1] if cells else "" for cells in rows]

    scheme = detect_scheme(tags())
    words = [cells[0] for cells in first if len(cells) > 1]
    spaces = any(word == " " for word in words) and sum(len(word) == 1 for word in words) > 0.9 * len(words)
    columns = len(first[0]) if first else 2
    return _Layout("" if spaces else " ", int(numbered and bool(first)), columns, scheme)


def _is_numbered(rows: list[list[str]]) -> bool:
    """Return True if the first of at least three columns counts the tokens of a sentence, from 0 or 1."""
    if any(len(cells) < 3 or not cells[0].isdecimal() for cells in rows):
        return False
    numbers = [int(cells[0]) for cells in rows]
    return numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@cache  # once per file
def _report_scheme(file: str, scheme: str) -> None:
    log.info("%s: the tags are in the scheme %s, and are converted to BIO.", file, scheme)


def entities_from_words(
    words: Sequence[str], tags: Sequence[str], *, separator: str = " ", places: Place | Sequence[Place]
) -> tuple[str, list[list[int | str]]]:
    """Join words into a text and turn their BIO tags into `[start, end, label]`, for tables that hold such lists.

    Args:
        words: words or characters.
        tags: a BIO tag for each of them.
        separator: separator of the words in the text.
        places: place of each word, or one for all of them, for messages.

    Raises:
        InputError: a tag is not BIO, or there are not as many tags as words.
    """
    where = [places] * len(words) if isinstance(places, Place) else places
    if len(tags) != len(words):
        raise InputError(
            f"{len(words)} words and {len(tags)} tags",
            place=where[0] if where else None,
            expected="a tag for each word",
        )
    if strange := [tag for tag in tags if not isinstance(tag, str)]:
        raise InputError(
            f"the tag {str(strange[0])[:60]!r} is no text", place=where[0], expected='a tag such as "B-PS" or "O"'
        )
    scheme = detect_scheme([tags])
    if scheme not in {"IOB1", "IO"}:  # which one sentence alone does not distinguish from an error
        tags = to_bio(tags, scheme)
    rows = zip(words, tags, where, strict=True)
    return text_and_entities([Token(word, tag, place, f"{word}\t{tag}") for word, tag, place in rows], separator)


def sniff_conll(head: str) -> bool:
    """Return True if every line has at least two columns, the last of them a tag, and one tag has a type."""
    lines = [line.removesuffix("\r") for line in head.split("\n")]
    rows = [_columns(line) for line in lines if not _is_blank(line) and not _is_comment(line)]
    if not rows or not all(len(cells) >= 2 and TAG.fullmatch(cells[-1]) for cells in rows):
        return False
    return any(is_prefixed(cells[-1]) for cells in rows) or all(cells[-1] == "O" for cells in rows)


def _is_blank(line: str) -> bool:
    return not line or ("\t" not in line and line.isspace())


def _is_comment(line: str) -> bool:
    """`# ...` is one, `#해시태그<TAB>O` is a word."""
    if line.startswith("-DOCSTART-") or _METADATA.match(line):
        return True
    return line.startswith("#") and not ((cells := _columns(line))[1:] and TAG.fullmatch(cells[-1]))


def _columns(line: str) -> list[str]:
    # Not str.split(): it would cut at no-break and ideographic spaces, which are characters of words.
    return line.rstrip(" \t").split("\t") if "\t" in line else [cell for cell in line.split(" ") if cell]


def _token(line: str, place: Place, layout: _Layout) -> Token:
    cells = _columns(line)
    if len(cells) < 2:
        raise InputError(
            f"only one column: {shorten(line)}",
            place=place,
            expected="a word, a tab (or spaces), and a BIO tag",
            fix=f"write {cells[0] + chr(9) + 'O' if cells else 'a blank line'!r}",
        )
    word = cells[layout.word]
    if not (word if not layout.joiner else word.strip()):
        raise InputError(
            f"no word before the tag: {shorten(line)}",
            place=place,
            expected="a word in the first column",
            fix="delete the line; a sentence ends with a blank line",
        )
    if len(cells) != layout.columns:
        raise InputError(
            f"{len(cells)} columns in {shorten(line)}",
            place=place,
            expected=f"{layout.columns}, as in the first row of the file",
            fix="write the missing columns, or remove separators within a word",
        )
    return Token(word, cells[-1], place, line.rstrip(" \t"))


FORMATS.register(
    "conll",
    Format(
        "conll",
        (".conll", ".bio", ".iob", ".iob2"),
        read_conll,
        sniff_conll,
        "a word and its tag (BIO, IOB1, BIOES, BILOU, ...) on each line",
        found_in=("tsv", "text"),
        precedence=30,
    ),
)
