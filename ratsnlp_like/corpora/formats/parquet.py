"""Parquet: a table with typed columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row

_BATCH = 1024  # rows


class Unreadable:
    """A value that Python cannot represent (text that is not UTF-8, a year of five digits): an error where it is read.

    Args:
        reason: of the failed conversion.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def _values(column: Any) -> list[Any]:
    """Return the values of a column; single ones that cannot be converted do not lose the others."""
    try:
        return column.to_pylist()
    except (OverflowError, ValueError, OSError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (OverflowError, ValueError, OSError) as error:
        return Unreadable(str(error))


def read_parquet(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield the rows as Python values; the place is the number of the row, from 1."""
    import pyarrow  # type: ignore[import-untyped, unused-ignore]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped, unused-ignore]

    done = 0
    try:
        with ParquetFile(path) as table:
            names = table.schema_arrow.names
            if len(set(names)) < len(names):
                name = next(name for name in names if names.count(name) > 1)
                raise InputError(f"several columns are named {name!r}", place=path, fix="rename one of them")
            for batch in table.iter_batches(_BATCH):
                columns = [_values(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    done += 1
                    yield Row(dict(zip(names, cells, strict=True)), Place(str(path), done, "row"), typed=True)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"cannot be read as Parquet after row {done}: {error}",
            place=path,
            expected="a Parquet file",
            fix="download or write it again",
        ) from error


FORMATS.register(
    "parquet",
    Format("parquet", (".parquet", ".pq"), read_parquet, description="a Parquet table", magic=(b"PAR1",)),
)
