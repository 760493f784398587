"""Predictions in a terminal; each prediction renders its own cells."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from ..errors import InputError
from ..tasks.predictions import Prediction
from .tables import new_console, new_table, printable

if TYPE_CHECKING:
    from ..inference.predictor import Outcome


def show_predictions(outcomes: Iterable[Outcome]) -> None:
    """Print each input, followed by the cells of its prediction or by its error."""
    console = new_console()
    for outcome in outcomes:
        if outcome.example is not None:
            for line in str(outcome.example).split("\t"):
                console.print(escape(printable(line)), style="bold")
        if isinstance(outcome.result, InputError):
            console.print(f"  error: {escape(printable(str(outcome.result)))}")
        else:
            _show_cells(console, outcome.result)


def _show_cells(console: Console, prediction: Prediction) -> None:
    """Print the cells: a line for each row, or a table with a header if there are more than two columns."""
    rows = [{name: escape(printable(text)) for name, text in row.items()} for row in prediction.cells()]
    if not rows:
        console.print("  nothing found")
    elif len(rows[0]) > 2:
        first, *others = rows[0]
        table = new_table(f"  {first}", *others)
        for row in rows:
            cells = list(row.values())
            table.add_row(f"  {cells[0]}", *cells[1:])
        console.print(table)
    else:
        for row in rows:
            console.print("  " + "   ".join(row.values()))
