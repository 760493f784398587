"""What a reader takes and gives: `Options` in, `Row`s out; a `Format` says how a reader is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ...examples.base import Place


class Row(NamedTuple):
    """One row of a file, before anybody knows what its columns mean."""

    values: dict[str, Any]
    place: Place
    """The physical line, from 1, on which the row starts; in Parquet and JSON arrays the number of the row."""


@dataclass(frozen=True)
class Options:
    """How to read a file. The defaults find out by themselves; each field is a command line flag."""

    format: str | None = None
    """Name of the format. Default: chosen by the file's suffix and its first lines."""

    encoding: str | None = None
    """Character encoding, as Python names it. Default: UTF-8, UTF-16 with a byte order mark, or CP949 (EUC-KR)."""

    delimiter: str | None = None
    """What separates cells; `tab` or `\\t` for a tab. Default: tab for TSV, else the one of , tab ; | that cuts
    the header into most columns."""

    quoting: Literal["auto", "none", "csv"] = "auto"
    """`none`: a double quote is a plain character. `csv`: it encloses cells (RFC 4180). `auto`: `csv` for CSV;
    for tab-separated files `none`, unless that leaves rows of different lengths and `csv` does not."""


DEFAULTS = Options()
"""The default argument of every reader."""


@dataclass(frozen=True)
class Format:
    """One way in which rows lie in a file."""

    name: str
    """What `Options.format` takes."""

    suffixes: tuple[str, ...]
    """File suffixes, lower-case, that speak for this format; `.gz` behind them is looked through."""

    read: Callable[[Path, Options], Iterator[Row]]
    """The reader: streams rows, and raises an `InputError` at the first thing that it cannot read."""

    sniff: Callable[[str], bool]
    """Do these first lines of a file (whole lines, without byte order mark) look like this format?"""

    description: str
    """One line for `list` and for messages."""

    rivals: tuple[str, ...] = ()
    """Names of formats that often hide behind these suffixes: they are asked first, in this order."""


def never(head: str) -> bool:
    """The `sniff` of a format that is told by its suffix alone."""
    return False


def shorten(text: str, limit: int = 80) -> str:
    """A text as it may stand in a message: quoted, and cut where it is long."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
