"""Tables and numbers in a terminal."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table


def new_console() -> Console:
    """Return a console; into a file or a pipe, lines are not cut at the 80 columns of a terminal."""
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=False)


def new_table(*columns: str) -> Table:
    """Return a table without lines; the first column is aligned to the left, the others to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", header_style="dim")
    return table


def as_cell(value: Any) -> str:
    """Return a number with 4 decimals or with thousands separators, and any other value as text."""
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def printable(text: str) -> str:
    """Return a text without control characters, which could change the state of a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
