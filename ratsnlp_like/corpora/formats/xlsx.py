"""Excel sheets (.xlsx), through openpyxl."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError, did_you_mean
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row
from .tabular import checked_names


def is_workbook(path: Path) -> bool:
    """Return True for a ZIP archive that holds a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return False


def read_xlsx(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield the rows of a sheet below its header; the place is the row in the sheet.

    Raises:
        InputError: openpyxl is not installed, there is no such sheet, or the workbook is damaged.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise InputError(
            "reading .xlsx needs the package openpyxl",
            place=path,
            fix="pip install openpyxl, or save the sheet as CSV (UTF-8)",
        ) from None
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises KeyError, ValueError and others for damaged workbooks
        raise InputError(f"cannot be read as a workbook: {error}", place=path, fix="save it again as .xlsx") from error
    try:
        sheet = _sheet(book, path, options.sheet)
        yield from _rows(path, _cells(path, sheet), options)
    finally:
        book.close()


def _sheet(book: Any, path: Path, name: str | None) -> Any:
    names = [sheet.title for sheet in book.worksheets]
    if not names:
        raise InputError("the workbook has no sheet with cells", place=path)
    if name is not None and name not in names:
        raise InputError(f"no sheet {name!r}", place=path, fix=did_you_mean(name, names))
    return book[name] if name is not None else book.worksheets[0]


def _cells(path: Path, sheet: Any) -> Iterator[Sequence[Any]]:
    """Yield the rows of a sheet, which openpyxl parses while they are read."""
    number = 0
    try:
        for cells in sheet.iter_rows(values_only=True):
            number += 1
            yield cells
    except Exception as error:  # of zipfile, zlib, XML, and openpyxl's own
        raise InputError(
            f"cannot be read as a workbook after row {number}: {error}", place=path, fix="save it again as .xlsx"
        ) from error


def _rows(path: Path, rows: Iterator[Sequence[Any]], options: Options) -> Iterator[Row]:
    names: tuple[str, ...] = options.columns
    for number, cells in enumerate(rows, start=1):
        if all(cell is None or cell == "" for cell in cells):
            continue
        place = Place(str(path), number, "row")
        if not names:
            last = max(index for index, cell in enumerate(cells) if cell is not None)
            header = ["" if cell is None else str(cell).strip() for cell in cells[: last + 1]]
            names = checked_names(header, " | ".join(header), place)
            continue
        filled = list(cells[: len(names)]) + [None] * (len(names) - len(cells))
        yield Row(dict(zip(names, filled, strict=True)), place, typed=True)


FORMATS.register(
    "xlsx",
    Format(
        "xlsx",
        (".xlsx", ".xlsm"),
        read_xlsx,
        description="an Excel sheet (needs openpyxl)",
        magic=(b"PK\x03\x04",),
        detect=is_workbook,
    ),
)
