"""The trials of a search for hyperparameters in a terminal."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.markup import escape

from .tables import as_cell, new_console, new_table

if TYPE_CHECKING:
    from ..training.tuning import TuningResult

_ROWS = 10
"""Number of trials that are shown."""


def show_tuning(result: TuningResult) -> None:
    """Print the best trials, and the command that trains with the best hyperparameters."""
    console = new_console()
    completed = [trial for trial in result.trials if trial["state"] == "complete"]
    ranked = sorted(completed, key=lambda trial: (trial["score"] != result.score, abs(trial["score"] - result.score)))
    table = new_table("trial", f"validation {result.metric}", *result.best)
    for trial in ranked[:_ROWS]:
        cells = [f"{trial['params'][name]:.3g}" for name in result.best]
        table.add_row(str(trial["number"]), as_cell(trial["score"]), *cells)
    console.print(table)
    pruned = sum(trial["state"] == "pruned" for trial in result.trials)
    console.print(f"{len(completed)} trials completed, {pruned} pruned")
    folder = shlex.quote(str(result.output))
    console.print(f"model: {escape(str(result.output / 'best'))}", soft_wrap=True)
    command = f"ratsnlp-like train --config {folder}/best.yaml --output NEW_FOLDER"
    console.print(f"train and test with the best hyperparameters: {escape(command)}", soft_wrap=True)
