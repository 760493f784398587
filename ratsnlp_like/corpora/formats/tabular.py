r"""CSV and TSV: a header, and rows of cells.

Own code and not the csv module, for three things that Korean reviews need: a lone `\r` inside a cell is data (the
module refuses it), a cell may be longer than 131,072 characters, and messages name the line on which a row begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten, unreadable
from .text_files import log, read_lines

_DELIMITERS = (",", "\t", ";", "|")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_QUOTED_CELL = re.compile(r'"(?:[^"]|"")*"')
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}

_Record = tuple[int, list[str], str]
"""The line on which a row starts (from 1), its cells, and that line for messages."""


def read_csv(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield a row per record; keys are the names of the header. Cells are as written, white space too."""
    return _read(path, options, options.delimiter)


def read_tsv(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield a row per record as `read_csv` does; the delimiter is a tab, and `Options.quoting` describes quotes."""
    return _read(path, options, options.delimiter or "\t")


def sniff_tsv(head: str) -> bool:
    """Return True for a header of several columns between tabs, and most of the first rows as long as it."""
    header, *rows = [line.split("\t") for line in head.split("\n") if line.strip()] or [[]]
    names = [name.strip() for name in header]
    fit = sum(len(row) == len(header) for row in rows)
    # Most, not all: a file with a broken row is a broken TSV, and not text.
    return len(names) > 1 and all(names) and len(set(names)) == len(names) and 2 * fit >= len(rows)


def _read(path: Path, options: Options, delimiter: str | None) -> Iterator[Row]:
    declared = _declared_delimiter(path, options)
    delimiter = _checked_delimiter(delimiter) if delimiter else declared or _find_delimiter(path, options)
    records = _records(path, options, delimiter)
    if declared is not None:
        next(records, None)
    file = str(path)
    if options.columns:
        header = _Header(options.columns, len(options.columns), spare=False)
    else:
        first = next(records, None)
        if first is None:
            return
        header = _header(path, first)
    names, width = header.names, header.width
    for number, cells, line in records:
        if len(cells) != width or header.spare:
            place = Place(file, number)
            try:
                fitted = _fit(cells, header, line, place, delimiter)
            except InputError as error:
                yield unreadable(error, place, options)
                continue
            yield Row(dict(zip(names, fitted, strict=True)), place)
        elif cells[0].strip() == names[0] and width > 1 and tuple(cell.strip() for cell in cells) == names:
            _report_repeated_header(file, number)
        else:
            yield Row(dict(zip(names, cells, strict=True)), Place(file, number))


@cache  # once per file
def _report_repeated_header(file: str, number: int) -> None:
    log.warning("%s, line %d: the header is repeated (files joined into one?); the line is skipped.", file, number)


def _declared_delimiter(path: Path, options: Options) -> str | None:
    """Return the delimiter that Excel declares in a first line such as `sep=;`."""
    _, line = next(read_lines(path, options.encoding), (0, ""))
    declared = line.strip().strip('"')
    return declared[4:] if declared[:4].lower() == "sep=" and len(declared) == 5 else None


def _checked_delimiter(delimiter: str) -> str:
    delimiter = _NAMES.get(delimiter.lower(), delimiter)
    if '"' in delimiter or "\n" in delimiter or "\r" in delimiter:
        raise InputError(
            f"{delimiter!r} cannot separate cells", place="--delimiter", expected="a character like , ; | or tab"
        )
    return delimiter


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    width: int
    spare: bool
    """True if there is one more column, without a name (a delimiter at the end of every line): it is dropped."""


def _header(path: Path, record: _Record) -> _Header:
    number, cells, line = record
    names = [cell.strip() for cell in cells]
    spare = len(names) > 1 and not names[-1]
    checked = checked_names(names[:-1] if spare else names, line, Place(str(path), number))
    return _Header(checked, len(checked), spare)


_INDEX = "Unnamed: 0"
"""Name that pandas gives to the first column of a file without one: the index that it wrote."""


def checked_names(names: Sequence[str], line: str, place: Place) -> tuple[str, ...]:
    """Return the names of a header; a first column without one, as pandas writes its index, gets the name of pandas.

    Args:
        names: without white space at their edges.
        line: the header as written, for messages.
        place: of the header.

    Raises:
        InputError: a column has no name, or two have the same.
    """
    if len(names) > 1 and not names[0] and _INDEX not in names:
        names = [_INDEX, *names[1:]]
    if not all(names):
        raise InputError(
            f"column {list(names).index('') + 1} of the header has no name: {shorten(line)}",
            place=place,
            expected="a name for every column",
            fix="give that column a name, or delete it",
        )
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(
            f"{count} columns of the header are named {shorten(name)}: {shorten(line)}",
            place=place,
            expected="a different name for every column",
            fix="rename one of them",
        )
    if any(_NUMBER.fullmatch(name) for name in names):
        _report_numbers(str(place), shorten(line))
    return tuple(names)


@cache  # once per file
def _report_numbers(place: str, line: str) -> None:
    log.warning("%s is taken for the header: %s. Without a header line: --columns NAME,NAME", place, line)


def _fit(cells: list[str], header: _Header, line: str, place: Place, delimiter: str) -> list[str]:
    """Drop the cell of the spare column; refuse a row of another length."""
    if header.spare and len(cells) == header.width + 1:
        if cells[-1].strip():  # one row of question_pair's test file has a 1 there
            _warn_of_spare(place.file)
        return cells[:-1]
    if len(cells) == header.width:
        return cells
    named = ", ".join(header.names[:8]) + ", ..." * (header.width > 8)
    shown = {"\t": "tab", " ": "space"}.get(delimiter, delimiter)
    raise InputError(
        f"{len(cells)} cell{'s' * (len(cells) != 1)} in {shorten(line)}",
        place=place,
        expected=f"{header.width} ({named}), separated by {shown!r}",
        fix=_fix_of_ragged(len(cells), header.width, delimiter),
    )


@cache  # once per file
def _warn_of_spare(file: str) -> None:
    log.warning("%s: the last column has no name and is left out, though some of its cells are not empty", file)


def _fix_of_ragged(got: int, expected: int, delimiter: str) -> str:
    if got > expected and delimiter == "\t":
        return "replace the tabs inside a cell by spaces (cells in double quotes: --quoting csv)"
    if got > expected:
        return f"put the cell that holds a {delimiter!r} between double quotes, or name the separator with --delimiter"
    return "write the missing cells (an empty one too has its separator), or remove a line break inside the row"


def _find_delimiter(path: Path, options: Options) -> str:
    """Return the delimiter that splits the header into most columns; a comma where none does."""
    _, header = next(read_lines(path, options.encoding), (0, ""))
    return max(_DELIMITERS, key=lambda delimiter: len(_cut(header, delimiter, options)))


def _cut(header: str, delimiter: str, options: Options) -> Sequence[str]:
    if options.quoting == "none":
        return header.split(delimiter)
    cells: list[str] = []
    try:
        _scan(header, cells, [], delimiter)
    except _TextAfterQuoteError:
        return ()
    return cells


def _records(path: Path, options: Options, delimiter: str) -> Iterator[_Record]:
    quoted = options.quoting == "csv" or (options.quoting == "auto" and delimiter != "\t")
    if options.quoting == "auto" and not quoted:
        quoted = _is_written_quoted(path, options, delimiter) or _needs_quoting(path, options, delimiter)
    lines = read_lines(path, options.encoding)
    return quoted_records(lines, delimiter, str(path)) if quoted else _plain(lines, delimiter)


def _is_written_quoted(path: Path, options: Options, delimiter: str) -> bool:
    """Return True if every cell with a double quote is quoted as pandas and Excel do, and one of them had to be.

    A lone quote (NSMC) is evidence against it: those programs would have quoted and doubled it.
    """
    needed = False
    for _, line in read_lines(path, options.encoding):
        if '"' not in line:
            continue
        for piece in line.split(delimiter):
            if '"' in piece:
                if _QUOTED_CELL.fullmatch(piece) is None:
                    return False
                needed |= '""' in piece[1:-1] or "," in piece
    return needed


def _needs_quoting(path: Path, options: Options, delimiter: str) -> bool:
    """Return True if plain reading leaves rows of different lengths and quoted reading does not; reads the file.

    NSMC and KorNLU have lone double quotes in their cells, and quoting would silently join their rows. So plain
    reading wins wherever it works; and where neither works, because its messages name the wrong line.
    """
    plain = (line.count(delimiter) for _, line in read_lines(path, options.encoding) if line.strip(delimiter))
    if _all_equal(plain):
        return False
    try:
        return _all_equal(
            len(cells) for _, cells, _ in quoted_records(read_lines(path, options.encoding), delimiter, "")
        )
    except InputError:
        return False


def _all_equal(numbers: Iterator[int]) -> bool:
    first = next(numbers, None)
    return all(number == first for number in numbers)


def _plain(lines: Iterable[tuple[int, str]], delimiter: str) -> Iterator[_Record]:
    """Rows in which a double quote is a plain character. Lines without content (Excel: `,,,`) are not rows."""
    for number, line in lines:
        if line.strip(delimiter):
            yield number, line.split(delimiter), line


class _TextAfterQuoteError(ValueError):
    """A quoted cell is closed, and text follows before the next delimiter."""


_INSIDE = re.compile(r'[^"]*(?:""[^"]*)*')


def quoted_records(lines: Iterable[tuple[int, str]], delimiter: str, file: str) -> Iterator[_Record]:
    """Rows as in RFC 4180: cells between double quotes may hold delimiters, line ends and doubled quotes."""
    start, first = 0, ""
    cells: list[str] = []
    open_cell: list[str] = []
    for number, line in lines:
        if not open_cell:
            if '"' not in line:  # the common case, 10 times as fast
                if line.strip(delimiter):
                    yield number, line.split(delimiter), line
                continue
            start, first, cells = number, line, []
        try:
            _scan(line, cells, open_cell, delimiter)
        except _TextAfterQuoteError:
            raise InputError(
                f"text follows after the closing quote of cell {len(cells)}: {shorten(first)}",
                place=Place(file, start),
                expected='a cell as in "그는 ""좋다""고 했다"',
                fix="write a double quote inside a quoted cell twice; where they are plain characters: --quoting none",
            ) from None
        if not open_cell:
            yield start, cells, first
    if open_cell:
        raise InputError(
            f"the double quote that opens cell {len(cells) + 1} is never closed: {shorten(first)}",
            place=Place(file, start),
            fix="close it; where double quotes are plain characters: --quoting none",
        )


def _scan(line: str, cells: list[str], open_cell: list[str], delimiter: str) -> None:
    """Add the cells of one physical line to `cells`.

    Args:
        line: without its line end.
        cells: the cells of the row so far.
        open_cell: the lines so far of the quoted cell that is still open; left empty when the row is complete.
        delimiter: the separator of cells.
    """
    position = 0
    while position <= len(line):
        if open_cell or line.startswith('"', position):
            piece = cast(re.Match[str], _INSIDE.match(line, position + (not open_cell)))  # matches anything
            open_cell.append(piece[0])
            if piece.end() == len(line):
                return
            cells.append("\n".join(open_cell).replace('""', '"'))
            open_cell.clear()
            end = piece.end() + 1
            if end < len(line) and not line.startswith(delimiter, end):
                raise _TextAfterQuoteError
        else:
            found = line.find(delimiter, position)
            end = found if found >= 0 else len(line)
            cells.append(line[position:end])
        position = end + len(delimiter)


FORMATS.register("csv", Format("csv", (".csv",), read_csv, description="a header and cells, with quoting"))
FORMATS.register(
    "tsv",
    Format(
        "tsv",
        (".tsv", ".tab"),
        read_tsv,
        sniff_tsv,
        "a header and cells between tabs",
        found_in=("text",),
        precedence=70,
    ),
)
