"""Predictions in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from .tables import as_cell, new_console, new_table, printable


def show_predictions(rows: Iterable[Mapping[str, Any]]) -> None:
    """Print one prediction after the other."""
    console = new_console()
    for row in rows:
        given = row["messages"][-1]["content"] if "messages" in row else next(iter(row.values()))
        console.print(escape(printable(str(given))), style="bold")
        show = next((show for name, show in _SHOWN.items() if name in row), _show_values)
        show(console, row)


def _show_entities(console: Console, row: Mapping[str, Any]) -> None:
    table = new_table("  entity", "label", "start", "end", "score")
    for entity in row["entities"]:
        cells = entity["text"], entity["label"], entity["start"], entity["end"], entity["score"]
        table.add_row("  " + escape(printable(str(cells[0]))), *map(as_cell, cells[1:]))
    console.print(table if row["entities"] else "  no entity")


def _show_classes(console: Console, row: Mapping[str, Any]) -> None:
    if "text_pair" in row:
        console.print(escape(printable(row["text_pair"])), style="bold")
    label = row["label"]
    shown = ", ".join(label) or "none" if isinstance(label, (list, tuple)) else str(label)
    scores = sorted(row["scores"].items(), key=lambda item: -item[1])[:5]
    console.print(f"  {escape(shown)}   " + "  ".join(f"{escape(name)} {score:.3f}" for name, score in scores))


def _show_filled(console: Console, row: Mapping[str, Any]) -> None:
    console.print(f"  {escape(printable(row['filled']))}")
    for blank in row["candidates"]:
        console.print("  " + "  ".join(f"{escape(printable(c['token']))} {c['score']:.3f}" for c in blank))


def _show_generated(console: Console, row: Mapping[str, Any]) -> None:
    for text in row["continuations"]:
        console.print(f"  ...{escape(printable(text))}")


def _show_answer(console: Console, row: Mapping[str, Any]) -> None:
    console.print(f"  {escape(printable(row['answer'])) or 'no answer'}   {row['score']:.3f}")


def _show_score(console: Console, row: Mapping[str, Any]) -> None:
    if "text_pair" in row:
        console.print(escape(printable(row["text_pair"])), style="bold")
    console.print(f"  {row['score']:.2f}")


def _show_values(console: Console, row: Mapping[str, Any]) -> None:
    """Print the values of a prediction of any task."""
    for name, value in list(row.items())[1:]:
        console.print(f"  {escape(name)}: {escape(printable(str(value)))}")


_SHOWN = {
    "entities": _show_entities,
    "filled": _show_filled,
    "generated": _show_generated,
    "answer": _show_answer,
    "scores": _show_classes,
    "score": _show_score,
}
"""Key of a row -> the function that prints it."""
