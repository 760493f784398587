"""The types shared by all readers, and the registry of formats.

A format is one module that defines a reader and registers a `Format`:

    FORMATS.register("arrow", Format("arrow", (".arrow",), read_arrow, description="...", magic=(b"ARROW1",)))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ...errors import InputError
from ...examples.base import Place
from ...registry import Registry

OnError = Literal["raise", "skip"]


class Row(NamedTuple):
    """One row of a file, before its columns are interpreted."""

    values: dict[str, Any]
    place: Place
    """The physical line, from 1, on which the row starts; in binary files and JSON arrays the number of the row."""
    error: InputError | None = None
    """Reason why the row cannot be read; raised by the reader unless such rows are skipped."""
    typed: bool = False
    """True if values have types in the file (JSON, Parquet, a sheet): there a string is not a number."""


@dataclass(frozen=True)
class Options:
    """Reading options of a file. By default they are detected; each field is a command line flag."""

    format: str | None = None
    """Name of the format. Default: chosen by the file's suffix and its content."""

    encoding: str | None = None
    """Character encoding, as Python names it. Default: UTF-8, UTF-16 or UTF-32 with a byte order mark, or CP949
    (EUC-KR)."""

    delimiter: str | None = None
    """Separator of cells; `tab` or `\\t` for a tab. Default: tab for TSV, else the one of , tab ; | that splits
    the header into most columns."""

    quoting: Literal["auto", "none", "csv"] = "auto"
    """`none`: a double quote is a plain character. `csv`: it encloses cells (RFC 4180). `auto`: `csv` for CSV;
    for tab-separated files `none`, unless every quoted cell is written as `csv` does or only `csv` gives equal rows."""

    columns: tuple[str, ...] = ()
    """Names of the columns of a table without a header line, such as label,text; `_` for a column to ignore."""

    sheet: str | None = None
    """Sheet of an Excel file. Default: the first."""

    on_error: OnError = "raise"
    """`skip`: rows that cannot be read are left out, counted and listed. `raise`: the first one is an error."""

    def __post_init__(self) -> None:
        names = self.columns.split(",") if isinstance(self.columns, str) else self.columns
        object.__setattr__(self, "columns", tuple(name.strip() for name in names))


DEFAULTS = Options()
"""The default argument of every reader."""


def never(head: str) -> bool:
    """Recognise nothing: the `sniff` of a format that is chosen by its suffix alone."""
    return False


@dataclass(frozen=True)
class Format:
    """A file format: how it is recognised, and its reader."""

    name: str
    """Value of `Options.format`."""

    suffixes: tuple[str, ...]
    """File suffixes of this format, lower-case; a `.gz` after them is ignored."""

    read: Callable[[Path, Options], Iterator[Row]]
    """The reader: yields rows, and raises an `InputError` at the first thing that it cannot read."""

    sniff: Callable[[str], bool] = never
    """Return True if the first lines of a text file (whole lines, without byte order mark) are of this format."""

    description: str = ""
    """One line for `list formats`."""

    found_in: tuple[str, ...] = ()
    """Formats whose suffixes files of this format often have: `sniff` is called for those."""

    precedence: int = 100
    """Among formats found with one suffix, the lowest is sniffed first."""

    magic: tuple[bytes, ...] = ()
    """First bytes of a binary format. A format without them is text."""

    detect: Callable[[Path], bool] | None = None
    """Return True if a file that begins with `magic` is of this format, where the first bytes do not decide."""

    @property
    def binary(self) -> bool:
        """True if the file is not text: it has no encoding."""
        return bool(self.magic)


FORMATS: Registry[Format] = Registry("format", __package__)
"""Formats by name. A module of this package registers its own on import, and so can a notebook cell."""


SKIP = "--on_error skip, which leaves out such rows and counts them"
"""Remedy for a row that cannot be read, besides its correction."""


def unreadable(error: InputError, place: Place, options: Options) -> Row:
    """Return a row that carries its error, where such rows are skipped.

    Raises:
        InputError: the error, where they are not.
    """
    if options.on_error != "skip":
        raise error.or_else(SKIP)
    return Row({}, place, error)


def shorten(text: str, limit: int = 80) -> str:
    """Return a text quoted for a message, cut to `limit` characters."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")


def listed(names: list[str] | tuple[str, ...], *, limit: int = 12, width: int = 30) -> str:
    """Return names for a message: the first `limit`, each cut to `width` characters, and how many more there are."""
    shown = [repr(name if len(name) <= width else name[:width] + "...") for name in names[:limit]]
    more = [f"and {len(names) - limit:,} more"] if len(names) > limit else []
    return ", ".join([*shown, *more])
