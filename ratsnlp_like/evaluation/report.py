"""Reports of a run and of an evaluation in a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from .mistakes_report import show_mistakes
from .robustness import show_robustness
from .tables import as_cell, new_console, new_table

if TYPE_CHECKING:
    from ..training.finetune import FineTuneResult

_ROWS = 30
"""Largest number of classes that are all shown."""
_COLUMNS = 14
"""Largest confusion matrix that is shown."""


def show_run(result: FineTuneResult) -> None:
    """Print the metrics of a run, its counts, and the folder of its best model."""
    console = new_console()
    console.print()
    columns = {"validation": result.metrics} | ({"test": result.test_metrics} if result.test_metrics else {})
    _show_columns(console, columns)
    _show_details(console, result.test_metrics or result.metrics)
    s = result.summary
    windows = f" in {s['windows']:,} windows" if s["windows"] != s["examples"] else ""
    memory = f", peak memory {s['peak_memory_mb']:,.0f} MB" if s["peak_memory_mb"] else ""  # unknown on Windows
    console.print(
        f"\n{s['steps']:,} steps, {s['examples']:,} examples{windows}, {s['tokens']:,} tokens "
        f"in {s['train_seconds']:.1f} s "
        f"({s['examples_per_second']:,.0f} examples/s, {s['precision']}){memory}"
    )
    if result.verdict is not None:
        console.print(escape(str(result.verdict)), soft_wrap=True)
    if result.seeds is not None:
        _show_seeds(console, result.seeds)
    console.print(f"model: {escape(str(result.best))}", soft_wrap=True)
    texts = " ".join(f'"{text}"' for text in result.predictor.task.example_input)
    command = f"ratsnlp-like predict {shlex.quote(str(result.output))} {texts}"
    console.print(f"predict with it: {escape(command)}", soft_wrap=True)


def _show_seeds(console: Console, seeds: Mapping[str, Any]) -> None:
    """Print the score of each seed, and their mean and standard deviation."""
    metric, splits = seeds["metric"], [name for name in ("validation", "test") if name in seeds]
    number = len(seeds["runs"])
    console.print(f"\n{escape(metric)} over {number} seeds (the best, seed {seeds['best']}, is kept)")
    table = new_table("seed", *splits)
    for run in seeds["runs"]:
        table.add_row(str(run["seed"]), *(as_cell(run[split]) for split in splits))
    means = [seeds[split].get(metric) for split in splits]
    table.add_row("mean ± sd", *(f"{own['mean']:.4f} ± {own['sd']:.4f}" if own else "" for own in means))
    console.print(table)


def show_metrics(metrics: Mapping[str, Any]) -> None:
    """Print the metrics of one evaluation."""
    console = new_console()
    _show_columns(console, {"value": metrics})
    _show_details(console, metrics)
    if "mistakes" in metrics:
        show_mistakes(metrics["mistakes"])
    if "robustness" in metrics:
        show_robustness(metrics["robustness"])


def _show_columns(console: Console, columns: Mapping[str, Mapping[str, Any]]) -> None:
    table = new_table("metric", *columns)
    names = dict.fromkeys(n for values in columns.values() for n, v in values.items() if isinstance(v, (int, float)))
    for name in names:
        table.add_row(name, *(_score(values, name) for values in columns.values()))
    console.print(table)
    notes = {column: values["interval_settings"] for column, values in columns.items() if "intervals" in values}
    over = ", ".join(f"{about['units']:,} {about['unit']} ({split})" for split, about in notes.items())
    if notes:
        over = over if len(columns) > 1 else over.removesuffix(" (value)")
        console.print(f"\\[ ]: 95% bootstrap interval over {over}", style="dim")


def _score(values: Mapping[str, Any], name: str) -> str:
    """Return a score with its confidence interval, where it has one."""
    low_high = values.get("intervals", {}).get(name)
    cell = as_cell(values.get(name, ""))
    return f"{cell} \\[{low_high[0]:.3f}, {low_high[1]:.3f}]" if low_high else cell


def _show_details(console: Console, metrics: Mapping[str, Any]) -> None:
    """Print the tables among the metrics: a row for each class or type, and the confusion matrix."""
    for name, values in metrics.items():
        if name.startswith("per_") and isinstance(values, dict) and values:
            console.print()
            _show_rows(console, name.removeprefix("per_"), values)
    if calibration := metrics.get("calibration"):
        console.print()
        console.print(
            f"calibration error {calibration['ece']:.4f} ({calibration['ece_uncalibrated']:.4f} before), "
            f"Brier score {calibration['brier']:.4f} ({calibration['brier_uncalibrated']:.4f} before), "
            f"temperature {calibration['temperature']:.3f}"
        )
        for accuracy, row in calibration.get("coverage_at_accuracy", {}).items():
            console.print(
                f"accuracy {accuracy} on the {row['coverage']:.1%} with a probability of {row['threshold']:.4f} or more"
            )
    matrix = metrics.get("confusion_matrix")
    if matrix and len(matrix["labels"]) <= _COLUMNS:
        table = new_table("gold \\ predicted", *map(escape, matrix["labels"]))
        for label, row in zip(matrix["labels"], matrix["matrix"], strict=True):
            table.add_row(escape(label), *map(as_cell, row))
        console.print()
        console.print(table)


def _show_rows(console: Console, kind: str, rows: Mapping[str, Any]) -> None:
    """Print a row for each class; of many classes, the worst."""
    cells = {name: row if isinstance(row, Mapping) else {"value": row} for name, row in rows.items()}
    columns = list(dict.fromkeys(column for row in cells.values() for column in row))
    table = new_table(kind, *columns)
    shown = list(cells) if len(cells) <= _ROWS else _worst(cells, "f1" if "f1" in columns else columns[0])
    for name in shown:
        table.add_row(escape(name), *(as_cell(cells[name].get(column, "")) for column in columns))
    console.print(table)
    if len(shown) < len(cells):
        console.print(f"... the {len(shown)} worst of {len(cells):,}")


def _worst(rows: Mapping[str, Mapping[str, Any]], column: str) -> list[str]:
    """Return the classes with the lowest numbers of a column; a class without one comes last."""
    numbers = {name: row.get(column) for name, row in rows.items()}
    return sorted(rows, key=lambda name: (not isinstance(numbers[name], (int, float)), numbers[name] or 0))[:_ROWS]
