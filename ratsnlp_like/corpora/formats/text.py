"""Plain text: one text on each line."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row
from .text_files import read_lines


def read_plain_text(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text"} per line, as written; an empty line is an empty text, so that row n is line n."""
    file = str(path)
    lines = read_lines(path, options.encoding)
    first = next(lines, None)
    if first is None:  # an empty gzip file, or one that is emptied while it is read
        return
    number, line = first
    following = next(lines, None)
    if not line and following is None:  # nothing but a byte order mark
        return
    yield Row({"text": line}, Place(file, number))
    for number, line in chain([following] if following else [], lines):
        yield Row({"text": line}, Place(file, number))


FORMATS.register("text", Format("text", (".txt", ""), read_plain_text, description="a text on each line"))
