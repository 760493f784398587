"""Rows of numbers and ragged lists in memory-mapped Arrow files."""

from __future__ import annotations

import mmap
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..runtime.slices import slices

CHUNK = 4096
"""Rows per Arrow record batch. Only the last has fewer: row i is in chunk i // CHUNK."""
_ROWS_BEFORE_RELEASE = 2**17
"""Rows read before the pages of the file are released from the memory of the process."""


class Table:
    """A memory-mapped Arrow file of numbers, strings and ragged lists; a row is a dict of numpy views."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._reader = pa.ipc.open_file(pa.py_buffer(self._pages))
        self._rows_read = 0
        self._chunks: list[dict[str, Any] | None] = [None] * self._reader.num_record_batches
        last = self._reader.get_batch(len(self._chunks) - 1).num_rows if self._chunks else 0
        self._length = max(0, len(self._chunks) - 1) * CHUNK + last

    def __reduce__(self) -> tuple[object, ...]:  # another process opens the file again
        return Table, (self._path,)

    def __len__(self) -> int:
        return self._length

    def _count(self, rows: int) -> None:
        """Count rows, and release pages now and then; they are read again when needed."""
        self._rows_read += rows
        if self._rows_read >= _ROWS_BEFORE_RELEASE and hasattr(mmap, "MADV_DONTNEED"):
            self._rows_read = 0
            self._pages.madvise(mmap.MADV_DONTNEED)

    def __getitem__(self, row: int) -> dict[str, Any]:
        self._count(1)
        chunk, k = self._chunk(row // CHUNK), row % CHUNK
        return {
            name: column[k] if not isinstance(column, tuple) else column[0][column[1][k] : column[1][k + 1]]
            for name, column in chunk.items()
        }

    def cells(self, row: int, names: Sequence[str]) -> tuple[Any, ...]:
        """Return some cells of a row: strings, numbers, None."""
        batch = self._reader.get_batch(row // CHUNK)
        return tuple(batch.column(name)[row % CHUNK].as_py() for name in names)

    def numbers(self, name: str) -> np.ndarray:
        """Return a column of numbers, or the lengths of a column of lists. Shape: (rows,)."""
        out = np.zeros(len(self), dtype=np.float32 if self._is_decimal(name) else np.int32)
        for i in range(len(self._chunks)):
            self._count(CHUNK)
            column = self._chunk(i)[name]
            part = np.diff(column[1]) if isinstance(column, tuple) else column
            out[i * CHUNK : i * CHUNK + len(part)] = part
        return out

    def occurrences(self, name: str, numbers: Sequence[int]) -> np.ndarray:
        """Return how many numbers of each cell of a column of lists are among `numbers`. Shape: (rows,)."""
        out = np.zeros(len(self), dtype=np.int64)
        for i in range(len(self._chunks)):
            self._count(CHUNK)
            values, borders = self._chunk(i)[name]
            before = np.concatenate([[0], np.cumsum(np.isin(values, numbers))])
            part = np.diff(before[borders])
            out[i * CHUNK : i * CHUNK + len(part)] = part
        return out

    def categories(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Return a column of strings as codes of shape (rows,), and the sorted strings that the codes index."""
        parts = [self._reader.get_batch(i).column(name) for i in range(len(self._chunks))]
        column = pa.chunked_array(parts, type=pa.large_string()).combine_chunks().dictionary_encode()
        names = column.dictionary.to_pylist()
        order = sorted(range(len(names)), key=names.__getitem__)
        numbers = np.argsort(order).astype(np.int32)
        return numbers[column.indices.to_numpy()], [names[i] for i in order]

    def all_cells(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """Return the same cells of all rows, in order."""
        for i in range(len(self._chunks)):
            self._count(CHUNK)
            batch = self._reader.get_batch(i)
            # via numpy: `to_pylist` makes an Arrow object for each cell
            columns = (batch.column(name).to_numpy(zero_copy_only=False).tolist() for name in names)
            yield from zip(*columns, strict=True)

    def _is_decimal(self, name: str) -> bool:
        return bool(self._chunks) and pa.types.is_floating(self._reader.schema.field(name).type)

    def _chunk(self, i: int) -> dict[str, Any]:
        chunk = self._chunks[i]
        if chunk is None:
            batch = self._reader.get_batch(i)
            chunk = {
                field.name: _view(column)
                for field, column in zip(batch.schema, batch.columns, strict=True)
                if not pa.types.is_large_string(field.type)
            }
            self._chunks[i] = chunk
        return chunk


def _view(column: pa.Array) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Return numbers as a view of the file; lists as (flat values, offsets)."""
    if pa.types.is_list(column.type):
        return column.values.to_numpy(), column.offsets.to_numpy()
    return column.to_numpy()


def write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows in chunks, and return their number."""
    return write_columns(
        path, ({name: [row[name] for row in chunk] for name in chunk[0]} for chunk in slices(rows, CHUNK))
    )


def write_columns(path: Path, chunks: Iterable[Mapping[str, Sequence[Any] | np.ndarray]]) -> int:
    """Write chunks of `CHUNK` rows, the last of which may have fewer, as columns; return the number of rows."""
    count = 0
    with pa.OSFile(str(path), "wb") as sink:
        writer = None
        for chunk in chunks:
            batch = pa.RecordBatch.from_pydict({name: _column(cells) for name, cells in chunk.items()})
            writer = writer or pa.ipc.new_file(sink, batch.schema)
            writer.write_batch(batch)
            count += batch.num_rows
        (writer or pa.ipc.new_file(sink, pa.schema([]))).close()
    return count


def _column(cells: Sequence[Any] | np.ndarray) -> pa.Array:
    first = cells[0]
    if first is None or isinstance(first, str):
        return pa.array(cells, type=pa.large_string())
    if not isinstance(first, list):
        return pa.array(cells, type=pa.float32() if isinstance(first, float) else pa.int32())
    borders = np.zeros(len(cells) + 1, dtype=np.int32)
    np.cumsum([len(cell) for cell in cells], out=borders[1:])
    flat: np.ndarray
    try:
        flat = np.frombuffer(array("i", chain.from_iterable(cells)), dtype=np.int32)
    except TypeError:  # decimal numbers
        flat = np.array(list(chain.from_iterable(cells)), dtype=np.float32)
    return pa.ListArray.from_arrays(borders, flat)
