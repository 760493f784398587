"""Predictions in a terminal; each prediction renders its own cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.style import Style
from rich.text import Text

from ..errors import InputError
from ..tasks.predictions import Prediction
from .tables import new_console, new_table, printable

if TYPE_CHECKING:
    from ..inference.explanation import Explanation
    from ..inference.predictor import Outcome

_WORDS = 8
"""Words of an explanation that are listed."""


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


def show_explanations(outcome: Outcome, explanations: Sequence[Explanation] | None) -> None:
    """Print a prediction, and for each decision the input, with words for it in green and against it in red."""
    if not explanations or isinstance(outcome.result, InputError):
        show_predictions([outcome])
        return
    if len(explanations) > 1:
        show_predictions([outcome])
    console = new_console()
    for explanation in explanations:
        _show_words(console, explanation)
        if len(explanations) == 1:
            _show_cells(console, outcome.result)
        ranked = sorted(explanation.words, key=lambda word: -abs(word.weight))[:_WORDS]
        listed = "   ".join(f"{escape(printable(word.text))} {word.weight:+.2f}" for word in ranked)
        console.print(f"  for {escape(printable(explanation.target))}: {listed}", soft_wrap=True)
        console.print(f"  completeness error {explanation.error:.2%}", style="dim")


def _show_words(console: Console, explanation: Explanation) -> None:
    """Print the words of each field on a line, in the colour of their part in the decision."""
    largest = max((abs(word.weight) for word in explanation.words), default=0.0) or 1.0
    for field in dict.fromkeys(word.field for word in explanation.words):
        line = Text()
        for word in explanation.words:
            if word.field == field:
                line.append(printable(word.text), _colour(word.weight / largest)).append(" ")
        console.print(line, soft_wrap=True)


def _colour(share: float) -> Style:
    """Return green for words above 0 and red for words below, more saturated the further they are from 0."""
    strength = abs(share) ** 0.5
    if strength < 0.2:
        return Style()
    faded = round(255 - 150 * strength)
    return Style(color="black", bgcolor=f"rgb({faded},255,{faded})" if share > 0 else f"rgb(255,{faded},{faded})")


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
