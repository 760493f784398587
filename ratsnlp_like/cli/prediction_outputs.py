"""Outputs of `ratsnlp-like predict`: JSON lines or CSV, on standard output or in a file."""

from __future__ import annotations

import csv
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from ..errors import InputError, did_you_mean
from ..runtime.files import atomic_file

log = logging.getLogger("ratsnlp_like")


def output_format(output: str | None, show: str | None, *, has_texts: bool) -> str:
    """Return `table`, `jsonl` or `csv`.

    Raises:
        InputError: there is no such format.
    """
    if output is not None:
        suffix = Path(output).suffix.lower().lstrip(".")
        if suffix not in {"jsonl", "csv"}:
            raise InputError(f"unknown output format {output!r}", place="--output", expected="FILE.jsonl or FILE.csv")
        return suffix
    formats = ["table", "jsonl", "csv"]
    if show is not None and show not in formats:
        raise InputError(f"unknown output format {show!r}", place="--show", fix=did_you_mean(show, formats))
    return show or ("table" if sys.stdout.isatty() and has_texts else "jsonl")


def merge_columns(other_columns: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the other columns of an input followed by its prediction; `input_` is added to names that clash."""
    out: dict[str, Any] = {}
    for name, value in other_columns.items():
        free = name
        while free in row or free in out or (free != name and free in other_columns):
            free = f"input_{free}"
        out[free] = value
    return out | dict(row)


@contextmanager
def open_output(output: str | None, source: str | None) -> Iterator[IO[str]]:
    """Open standard output, or a file that appears under its name when it is complete.

    Raises:
        InputError: the output is the input.
    """
    if output is None:
        yield sys.stdout
        return
    path = Path(output)
    if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
        raise InputError("the output would be written over the input", place=output, fix="another --output")
    path.parent.mkdir(parents=True, exist_ok=True)
    # Excel reads a CSV file as CP949 unless it begins with a byte order mark.
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    with atomic_file(path, encoding=encoding, newline="") as file:
        yield file


def write_rows(rows: Iterable[Mapping[str, Any]], file: IO[str], form: str) -> None:
    """Write rows as `jsonl` or `csv`."""
    if form == "csv":
        _write_csv(rows, file)
        return
    for row in rows:
        file.write(_as_json(row) + "\n")


def _write_csv(rows: Iterable[Mapping[str, Any]], file: IO[str]) -> None:
    """Write rows under the columns of the first one; the first row with others is reported."""
    writer, known = None, set[str]()
    for number, row in enumerate(rows, start=1):
        cells = {k: _as_json(v) if isinstance(v, (list, tuple, dict)) else v for k, v in row.items()}
        if writer is None:
            writer = csv.DictWriter(file, cells, extrasaction="ignore")
            writer.writeheader()
            known = set(cells)
        if known and (new := [name for name in cells if name not in known]):
            log.warning(
                "row %d has columns that the first row lacks, and CSV cannot hold them: %s; --output FILE.jsonl keeps "
                "them.", number, ", ".join(new),
            )  # fmt: skip
            known = set()
        writer.writerow(cells)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)  # dates and decimals of other columns
