"""Files of the mistakes of an evaluation: CSV, JSON lines, or an HTML page."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..analysis.analysis import Analysis, check_matches
from ..errors import InputError
from ..pages.page import errors_page
from ..runtime.files import atomic_file, make_folder

if TYPE_CHECKING:
    from .evaluate import Evaluation

_ON_PAGE = 500
"""Largest number of mistakes of an HTML page."""


def error_analysis(evaluation: Evaluation, *, slice_column: str | None = None) -> Analysis:
    """Return the analysis of an evaluation.

    Args:
        evaluation: of a saved model.
        slice_column: column of the corpus whose values are slices, such as `source`.

    Raises:
        InputError: the task has no mistakes to list, or the corpus has no such column.
    """
    predictor = evaluation.predictor
    check_matches(predictor.task)
    columns = {} if slice_column is None else {slice_column: _column(evaluation, slice_column)}
    return Analysis.of(
        predictor.task, evaluation.predictions, evaluation.examples, predictor.tokenizer, columns=columns
    )


def _column(evaluation: Evaluation, name: str) -> list[str]:
    """Return the value of a column for each example, by reading the corpus again."""
    own = evaluation.evaluation_set
    corpus = replace(own.source, group_column=name)
    try:
        values = {example.place: example.group for example in corpus.examples(own.root, own.split.read.name)}
    except InputError as error:
        problem = str(error.problem).replace("--group_column", "--slice_column")
        raise InputError(problem, place=error.place, fix=error.fix) from None
    if None in values:
        raise InputError(
            f"the rows of {own.corpus} have no place", place="--slice_column", expected="a corpus of files"
        )
    return [values[example.place] for example in evaluation.examples]


def check_errors_path(path: str | Path) -> None:
    """Check before the evaluation that the file can be written.

    Raises:
        InputError: its format is unknown, or its folder cannot be written to.
    """
    if Path(path).suffix.lower() not in _WRITERS or Path(path).is_dir():
        raise InputError(f"{path}", place="--errors", expected="FILE.csv, FILE.jsonl or FILE.html")
    make_folder(Path(path).parent, fix="another --errors")


def write_errors(analysis: Analysis, path: str | Path, *, title: str) -> None:
    """Write each wrong row; those of which the model is most confident come first.

    Args:
        analysis: of an evaluation.
        path: with one of the suffixes .csv, .jsonl and .html. A page shows up to 500 rows.
        title: heading of the page.

    Raises:
        InputError: the suffix is another.
    """
    check_errors_path(path)
    _WRITERS[Path(path).suffix.lower()](analysis, Path(path), title)


def _write_csv(analysis: Analysis, path: Path, title: str) -> None:
    rows = [_cells(analysis.mistake(k)) for k in analysis.wrong]
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["row"]
    with atomic_file(path, encoding="utf-8-sig", newline="") as file:  # the mark makes Excel read UTF-8
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def _cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the cells of a row: the kinds of its mistakes in one, overlaps of answers in another, no list."""
    cells = {name: value for name, value in row.items() if name not in {"matches", "kinds"}}
    overlaps = [match["overlap"] for match in row["matches"] if "overlap" in match]
    if overlaps:
        cells["overlap"] = round(overlaps[0], 4)
    return {**cells, "kinds": "; ".join(row["kinds"])}


def _write_jsonl(analysis: Analysis, path: Path, title: str) -> None:
    with atomic_file(path) as file:
        for k in analysis.wrong:
            file.write(json.dumps(analysis.mistake(k), ensure_ascii=False) + "\n")


def _write_html(analysis: Analysis, path: Path, title: str) -> None:
    with atomic_file(path) as file:
        file.write(errors_page(title, analysis.to_dict(_ON_PAGE)))


_WRITERS: dict[str, Callable[[Analysis, Path, str], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".html": _write_html,
}
