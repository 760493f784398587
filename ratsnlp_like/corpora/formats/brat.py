"""brat's standoff annotations: `a.ann` next to the text `a.txt`.

    T1<TAB>PS 0 3<TAB>이슬비

Offsets count characters of the whole text; each of its lines becomes a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten
from .text_files import read_lines, read_text

_ENTITY = re.compile(r"T\d+\t(\S+) (\d+) (\d+)(?:\t(.*))?")


def text_of(path: Path) -> Path:
    """Return the file of the text of an annotation file."""
    return path.with_suffix(".txt")


def read_brat(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"text", "entities"} per line of the text that is not blank; the place is the line of the text.

    Raises:
        InputError: the text is missing, or an entity is not one span within a line.
    """
    text_path = text_of(path)
    if not text_path.is_file():
        raise InputError(f"the text of the annotations is missing: {text_path.name}", place=path)
    text = read_text(text_path).replace("\r\n", "\n")
    entities = sorted(_entities(path, options))
    at = 0
    begin = 0
    for number, line in enumerate(text.split("\n"), start=1):
        end, own = begin + len(line), []
        while at < len(entities) and entities[at][0] < end:
            start, stop, label, place = entities[at]
            if stop > end:
                raise InputError(
                    f"the entity {start}-{stop} ({label}) spans lines of {text_path.name}",
                    place=place,
                    expected="entities within a line",
                )
            own.append([start - begin, stop - begin, label])
            at += 1
        if line.strip():
            yield Row({"text": line, "entities": own}, Place(str(text_path), number), typed=True)
        begin = end + 1
    if at < len(entities):
        start, stop, label, place = entities[at]
        raise InputError(f"the entity {start}-{stop} ({label}) is outside the text {text_path.name}", place=place)


def _entities(path: Path, options: Options) -> Iterator[tuple[int, int, str, Place]]:
    for number, line in read_lines(path, options.encoding):
        if not line.startswith("T"):
            continue  # relations, events, attributes, notes
        match = _ENTITY.fullmatch(line)
        if match is None:
            raise InputError(
                f"cannot read the entity {shorten(line)}",
                place=Place(str(path), number),
                expected="T1, a tab, and one span as in PS 0 3 (spans in several parts have no BIO tags)",
            )
        yield int(match[2]), int(match[3]), match[1], Place(str(path), number)


FORMATS.register("brat", Format("brat", (".ann",), read_brat, description="brat's annotations next to a text"))
