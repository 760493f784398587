"""Mistakes of an evaluation in a terminal: their kinds, and weak slices of the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from .tables import new_console, new_table, printable

_KINDS, _SLICES = 8, 8
_NOTEWORTHY = 0.2
"""Unadjusted p-value below which a slice is shown."""


def show_mistakes(found: Mapping[str, Any]) -> None:
    """Print the entry `mistakes` of the result of `evaluate`."""
    console = new_console()
    share = found["wrong_rows"] / max(1, found["rows"])
    console.print(f"\n{found['wrong_rows']:,} of {found['rows']:,} rows have a mistake ({share:.1%})")
    total = sum(found["kinds"].values())
    table = new_table("kind of mistake", "number", "share")
    for kind, number in list(found["kinds"].items())[:_KINDS]:
        table.add_row(escape(printable(kind)), f"{number:,}", f"{number / total:.1%}")
    if total:
        console.print(table)
    noteworthy = [own for own in found["slices"] if own["p"] < _NOTEWORTHY]
    if not noteworthy:
        return
    table = new_table("slices with more mistakes", "error rate", "rest", "mistakes", "p (Holm)", "")
    for own in noteworthy[:_SLICES]:
        table.add_row(
            escape(printable(f"{own['slice']}: {own['value']}")),
            f"{own['rate']:.1%}",
            f"{own['rate_of_rest']:.1%}",
            f"{own['mistakes']:,} of {own['matches']:,}",
            "< 0.0001" if own["p_holm"] < 1e-4 else f"{own['p_holm']:.4f}",
            "significant" if own["weak"] else "",
        )
    console.print()
    console.print(table)
