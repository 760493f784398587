"""Outputs of `ratsnlp-like predict`: JSON lines or CSV, on standard output or in a file."""

from __future__ import annotations

import csv
import json
import logging
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import InputError, did_you_mean
from ..runtime.files import atomic_file, make_folder
from .process import output_is_closed

if TYPE_CHECKING:
    from ..inference.predictor import Outcome
    from ..tasks.base import AnyTask
    from .prediction_inputs import Input

log = logging.getLogger("ratsnlp_like")


def output_format(output: str | None, show: str | None, *, has_texts: bool) -> str:
    """Return `table`, `jsonl` or `csv`.

    Raises:
        InputError: there is no such format.
    """
    if output is None and output_is_closed():
        raise InputError("standard output is closed", fix="--output FILE.jsonl")
    if output is not None:
        suffix = Path(output).suffix.lower().lstrip(".")
        if suffix not in {"jsonl", "csv"}:
            raise InputError(f"unknown output format {output!r}", place="--output", expected="FILE.jsonl or FILE.csv")
        return suffix
    formats = ["table", "jsonl", "csv"]
    if show is not None and show not in formats:
        raise InputError(f"unknown output format {show!r}", place="--show", fix=did_you_mean(show, formats))
    return show or ("table" if sys.stdout.isatty() and has_texts else "jsonl")


def to_row(given: Input, outcome: Outcome, task: AnyTask) -> dict[str, Any]:
    """Return the columns of an input followed by its prediction, or by its error.

    Columns of a file keep their names and order; `input_` is added to a name that the prediction has too.
    """
    inputs = outcome.example.inputs() if outcome.example is not None else {}
    if isinstance(outcome.result, InputError):
        row: dict[str, Any] = {"error": describe_error(outcome.result)}
    else:
        row = task.to_row(outcome.result)
    if given.columns is None:
        return {**(inputs or {"input": str(given.value)}), **row}
    out: dict[str, Any] = {}
    for name, value in given.columns.items():
        free = name
        while free in row or free in out or (free != name and free in given.columns):
            free = f"input_{free}"
        out[free] = inputs.get(given.fields.get(name, ""), value)
    return out | row


def describe_error(error: InputError) -> dict[str, str | None]:
    """Return an error as JSON, in the shape of the HTTP API."""
    place = None if error.place is None else str(error.place)
    return {"problem": str(error.problem), "place": place, "expected": error.expected, "fix": error.fix}


class Failures:
    """Counts the inputs without a prediction.

    Attributes:
        total: number of inputs.
        count: number of inputs without a prediction.
        first: their first errors.
    """

    _SHOWN = 5

    def __init__(self) -> None:
        self.total = self.count = 0
        self.first: list[InputError] = []

    def watch(self, pairs: Iterable[tuple[Input, Outcome]]) -> Iterator[tuple[Input, Outcome]]:
        """Yield inputs with their outcomes, and count them."""
        for pair in pairs:
            self.total += 1
            if isinstance(error := pair[1].result, InputError):
                self.count += 1
                if len(self.first) < self._SHOWN:
                    self.first.append(error)
            yield pair

    def check(self) -> None:
        """Raise the first error if no input has a prediction."""
        if self.count and self.count == self.total:
            raise self.first[0]

    def log(self) -> None:
        """Log how many inputs failed, and the first errors."""
        if not self.count:
            return
        log.warning("%s of %s inputs have an error instead of a prediction:", f"{self.count:,}", f"{self.total:,}")
        for error in self.first:
            log.warning("  %s", str(error).replace("\n", "\n  "))
        if self.count > len(self.first):
            log.warning("  ... and %s more", f"{self.count - len(self.first):,}")


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
    make_folder(path.parent, fix="another --output")
    # Excel reads a CSV file as CP949 unless it begins with a byte order mark.
    encoding = "utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8"
    with atomic_file(path, encoding=encoding, newline="") as file:
        yield file


def write_rows(rows: Iterable[Mapping[str, Any]], file: IO[str], form: str, *, complete: bool) -> None:
    """Write rows as `jsonl` or `csv`.

    Args:
        rows: names -> values.
        file: to write to.
        form: `jsonl` or `csv`.
        complete: CSV has the columns of all rows, and is written at the end; otherwise those of the first row, and
            is written at once.
    """
    if form == "csv":
        cells = map(_cells, rows)
        _write_all_columns(cells, file) if complete else _write_first_columns(cells, file)
        return
    for row in rows:
        file.write(_as_json(row) + "\n")


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row: a column for each score, JSON for other collections."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if name == "scores" and isinstance(value, Mapping):
            out |= {f"score_{label}": score for label, score in value.items()}
        elif name == "error" and isinstance(value, Mapping):
            out[name] = "; ".join(f"{part}: {text}" for part, text in value.items() if text)
        else:
            out[name] = _as_json(value) if isinstance(value, (list, tuple, dict)) else value
    return out


def _write_all_columns(rows: Iterable[Mapping[str, Any]], file: IO[str]) -> None:
    """Write rows under the columns of all of them; a column that first appears later comes after the others."""
    columns: dict[str, None] = {}
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as spool:
        for row in rows:
            columns |= dict.fromkeys(row)
            spool.write(_as_json(row) + "\n")
        if "error" in columns:
            columns["error"] = columns.pop("error")
        spool.seek(0)
        writer = csv.DictWriter(file, columns)
        if columns:
            writer.writeheader()
        writer.writerows(map(json.loads, spool))


def _write_first_columns(rows: Iterable[Mapping[str, Any]], file: IO[str]) -> None:
    """Write rows under the columns of the first one; the first row with others is reported."""
    writer, known = None, set[str]()
    for number, row in enumerate(rows, start=1):
        if writer is None:
            writer = csv.DictWriter(file, row, extrasaction="ignore")
            writer.writeheader()
            known = set(row)
        if known and (new := [name for name in row if name not in known]):
            log.warning(
                "row %d has columns that the first row lacks: %s; --output FILE.csv and --show jsonl keep them.",
                number, ", ".join(new),
            )  # fmt: skip
            known = set()
        writer.writerow(row)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)  # dates and decimals of other columns
