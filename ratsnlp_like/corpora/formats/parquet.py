"""Parquet: a table with typed columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row

_BATCH = 1024  # rows


def read_parquet(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield the rows as Python values; the place is the number of the row, from 1."""
    import pyarrow  # type: ignore[import-untyped, unused-ignore]
    from pyarrow.parquet import ParquetFile  # type: ignore[import-untyped, unused-ignore]

    done = 0
    try:
        with ParquetFile(path) as table:
            for batch in table.iter_batches(_BATCH):
                for values in batch.to_pylist():
                    done += 1
                    yield Row(values, Place(str(path), done, "row"), typed=True)
    except (pyarrow.ArrowException, OSError) as error:
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
