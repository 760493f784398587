"""Tables as text for the terminal and as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rich.cells import cell_len


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table aligned by display width: a Hangul syllable is two columns wide."""
    widths = [max(cell_len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(row: Sequence[str]) -> str:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        return "  ".join(cells).rstrip()

    return "\n".join([line(header), "  ".join("-" * width for width in widths), *map(line, rows)])


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str) -> str:
    """Return a table as HTML, with its texts escaped."""

    def line(row: Sequence[str], kind: str) -> str:
        cells = "".join(f'<{kind} style="text-align:left">{escape(cell)}</{kind}>' for cell in row)
        return f"<tr>{cells}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption><thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
    )


class Table:
    """Base of objects that are displayed as a table with a title, a header and rows."""

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        title, header, rows = self._table()
        return f"{title}\n{text_table(header, rows)}"

    def _repr_html_(self) -> str:
        title, header, rows = self._table()
        return html_table(header, rows, caption=title)
