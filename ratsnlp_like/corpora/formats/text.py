"""Plain text: one text on each line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...examples import Place
from .base import DEFAULTS, Options, Row
from .files import read_lines


def read_plain_text(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text"} per line, as written; an empty line is an empty text, so that row n is line n."""
    file = str(path)
    for number, line in read_lines(path, options.encoding):
        yield Row({"text": line}, Place(file, number))
