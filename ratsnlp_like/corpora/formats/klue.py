"""KLUE-NER: a row for every character, spaces too, after a head with the marked sentence.

    ## klue-ner-v1_dev_00000<TAB><두레건설:OG>은 ...
    두<TAB>B-OG
    레<TAB>I-OG

The character rows decide: they alone show which `<` are marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten
from .bio import Token, text_and_entities
from .book import MismatchError, find_marks, simple_marks
from .text_files import read_lines

_HEAD = re.compile(r"## ([^\t]*)(?:\t(.*))?", re.DOTALL)
_SNIFF = re.compile(r"^## [^\t\n]+\t[^\n]*\n[^\n]{1,4}\t(?:O|[BI]-\S+)\r?$", re.MULTILINE)


def read_klue_ner(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "entities", "guid"} per sentence.

    A `## ` line is the head of a sentence where a character row follows it, and a comment elsewhere.
    """
    head = ""
    rows: list[Token] = []
    place = Place(str(path), 1)
    for number, line in read_lines(path, options.encoding):
        is_head = line.startswith("## ")
        if rows and (is_head or _is_blank(line)):
            yield _row(head, rows, place)
            head, rows = "", []
        if is_head:
            head, place = line, Place(str(path), number)
        elif _is_blank(line):
            head = ""
        else:
            here = Place(str(path), number)
            place = place if head or rows else here
            rows.append(_token(line, here))
    if rows:
        yield _row(head, rows, place)


def sniff_klue_ner(head: str) -> bool:
    """Return True for a `## id<TAB>sentence` line followed by a character row."""
    return _SNIFF.search(head) is not None


def _is_blank(line: str) -> bool:
    return not line or ("\t" not in line and line.isspace())


def _token(line: str, place: Place) -> Token:
    character, tab, tag = line.rpartition("\t")
    if not tab or not character:
        raise InputError(
            f"not a character row: {shorten(line)}",
            place=place,
            expected="a character, a tab, and a BIO tag; a space is a character too",
            fix=f"write {' ' + line if tab else line + chr(9) + 'O'!r}",
        )
    return Token(character, tag.rstrip(" "), place, line.rstrip(" "))


def _row(head: str, tokens: list[Token], place: Place) -> Row:
    text, entities = text_and_entities(tokens, "")
    match = _HEAD.fullmatch(head)
    guid, marked = (match[1].strip(), match[2]) if match else ("", None)
    if marked is not None:
        _check_head(marked, text, entities, place)
    return Row({"text": text, "entities": entities, "guid": guid}, place)


def _is_reading(text: str, marked: str) -> bool:
    try:
        find_marks(text, marked)
    except MismatchError:
        return False
    return True


def _check_head(marked: str, text: str, entities: list[list[int | str]], place: Place) -> None:
    """Compare head and rows, where the head can be read in one way only."""
    in_head = simple_marks(text, marked)
    if in_head is None and not _is_reading(text, marked):
        raise InputError(
            f"the head is another sentence than its rows: {shorten(marked)} against {shorten(text)}",
            place=place,
            expected="a row for each character of the sentence in the head",
            fix="add the missing rows, or correct the head",
        )
    if in_head is not None and in_head != entities:
        wrong = next(entity for entity in [*in_head, *entities] if (entity in in_head) != (entity in entities))
        start, end, label = wrong
        one, other = ("head", "rows") if wrong in in_head else ("rows", "head")
        raise InputError(
            f"the {one} of the sentence has <{text[int(start) : int(end)]}:{label}> at character {start}, "
            f"the {other} not",
            place=place,
            expected="the same entities in the head and in the character rows",
            fix="correct the one that is wrong",
        )


FORMATS.register(
    "klue-ner",
    Format(
        "klue-ner",
        (),
        read_klue_ner,
        sniff_klue_ner,
        "KLUE-NER: a character and its BIO tag on each line",
        found_in=("tsv", "conll", "text"),
        precedence=20,
    ),
)
