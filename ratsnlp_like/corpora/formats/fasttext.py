"""fastText's training files: `__label__` and the label, once or more, then the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten
from .text_files import read_lines

_PREFIX = "__label__"


def sniff_fasttext(head: str) -> bool:
    """Return True if every line begins with a label."""
    lines = [line for line in head.split("\n") if line.strip()]
    return bool(lines) and all(line.startswith(_PREFIX) for line in lines)


def read_fasttext(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "label"} per line, the label a list; blank lines are skipped.

    Raises:
        InputError: a line has no label.
    """
    for number, line in read_lines(path, options.encoding):
        rest, labels = line.strip(), []
        if not rest:
            continue
        while rest.startswith(_PREFIX):
            label, _, rest = rest.partition(" ")
            labels.append(label.removeprefix(_PREFIX))
            rest = rest.lstrip().removeprefix(",").lstrip()
        place = Place(str(path), number)
        if not labels:
            raise InputError(f"no label in {shorten(line)}", place=place, expected=f"{_PREFIX}NAME before the text")
        yield Row({"text": rest, "label": labels}, place, typed=True)


FORMATS.register(
    "fasttext",
    Format(
        "fasttext",
        (".ft",),
        read_fasttext,
        sniff_fasttext,
        "fastText: __label__NAME before each text",
        found_in=("text", "tsv"),
        precedence=5,
    ),
)
