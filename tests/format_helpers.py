"""Helpers of the tests of file readers: rows, lines and errors of small files, and beginnings of real layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ratsnlp_like.corpora.formats import Options, read_rows
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place

Write = Callable[..., Path]

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real corpora are not at {DATA}")

BOOK = "서울에 간다.␞<서울:LOC>에 간다.\n"
KLUE = "## 주석\n## 컬럼명 : CHAR\tNE_TAG\n## id-1\t<서울:LC> \n서\tB-LC\n울\tI-LC\n \tO\n"
CONLL = "서울에\tB-LC\n간다.\tO\n\n"
NSMC = "id\tdocument\tlabel\n1\t좋다\t1\n"


def values(path: Path, **options: Any) -> list[dict[str, Any]]:
    """Values of all rows of a file."""
    return [row.values for row in read_rows(path, Options(**options))]


def lines(path: Path, **options: Any) -> list[int]:
    """Lines of all rows of a file."""
    return [row.place.line for row in read_rows(path, Options(**options))]


def fails(path: Path, *parts: str, line: int | None = None, unit: str = "line", **options: Any) -> str:
    """Check that reading raises an error whose message has these parts, and this place; return the message."""
    with pytest.raises(InputError) as caught:
        list(read_rows(path, Options(**options)))
    message = str(caught.value)
    for part in parts:
        assert part in message, message
    if line is not None:
        assert caught.value.place == Place(str(path), line, unit)
    return message
