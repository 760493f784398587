"""CoNLL: a word (or a character) and its BIO tag on each line, a blank line between sentences.

    두레건설은<TAB>B-OG
    공급한다.<TAB>O

Columns are separated by tabs or spaces; the first is the word, the last the tag, others are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten
from .bio import TAG, Token, text_and_entities
from .text_files import read_lines

_PROBE = 1000  # rows that tell words from characters: every text has a space long before


def read_conll(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "entities"} per sentence; the text is the words joined by one space.

    In a file of characters that has rows for the spaces themselves, nothing is put between them.
    """
    joiner = "" if _spaces_are_rows(path, options) else " "
    sentence: list[Token] = []
    for number, line in read_lines(path, options.encoding):
        if _is_blank(line):
            if sentence:
                yield _row(sentence, joiner)
                sentence = []
        elif not _is_comment(line):
            sentence.append(_token(line, Place(str(path), number), has_spaces=not joiner))
    if sentence:
        yield _row(sentence, joiner)


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
    rows = zip(words, tags, where, strict=True)
    return text_and_entities([Token(word, tag, place, f"{word}\t{tag}") for word, tag, place in rows], separator)


def sniff_conll(head: str) -> bool:
    """Return True if every line has at least two columns, the last of them a BIO tag."""
    lines = [line.removesuffix("\r") for line in head.split("\n")]
    rows = [_columns(line) for line in lines if not _is_blank(line) and not _is_comment(line)]
    return bool(rows) and all(len(cells) >= 2 and TAG.fullmatch(cells[-1]) for cells in rows)


def _row(sentence: list[Token], joiner: str) -> Row:
    text, entities = text_and_entities(sentence, joiner)
    return Row({"text": text, "entities": entities}, sentence[0].place)


def _is_blank(line: str) -> bool:
    return not line or ("\t" not in line and line.isspace())


def _is_comment(line: str) -> bool:
    """`# ...` is one, `#해시태그<TAB>O` is a word."""
    if line.startswith("-DOCSTART-"):
        return True
    return line.startswith("#") and not ((cells := _columns(line))[1:] and TAG.fullmatch(cells[-1]))


def _columns(line: str) -> list[str]:
    # Not str.split(): it would cut at no-break and ideographic spaces, which are characters of words.
    return line.rstrip(" \t").split("\t") if "\t" in line else [cell for cell in line.split(" ") if cell]


def _token(line: str, place: Place, *, has_spaces: bool) -> Token:
    cells = _columns(line)
    if len(cells) < 2:
        raise InputError(
            f"only one column: {shorten(line)}",
            place=place,
            expected="a word, a tab (or spaces), and a BIO tag",
            fix=f"write {cells[0] + chr(9) + 'O' if cells else 'a blank line'!r}",
        )
    if not (cells[0] if has_spaces else cells[0].strip()):
        raise InputError(
            f"no word before the tag: {shorten(line)}",
            place=place,
            expected="a word in the first column",
            fix="delete the line; a sentence ends with a blank line",
        )
    return Token(cells[0], cells[-1], place, line.rstrip(" \t"))


def _spaces_are_rows(path: Path, options: Options) -> bool:
    """Is this a file of characters in which a space has its row? Then joining by spaces would tear words apart."""
    lines = (line for _, line in read_lines(path, options.encoding) if not _is_blank(line) and not _is_comment(line))
    words = [line.partition("\t")[0] for line in islice(lines, _PROBE) if "\t" in line]
    return any(word == " " for word in words) and sum(len(word) == 1 for word in words) > 0.9 * len(words)


FORMATS.register(
    "conll",
    Format(
        "conll",
        (".conll", ".bio", ".iob", ".iob2"),
        read_conll,
        sniff_conll,
        "a word and its BIO tag on each line",
        found_in=("tsv", "text"),
        precedence=30,
    ),
)
