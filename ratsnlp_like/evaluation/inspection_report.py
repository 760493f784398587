"""Statistics of corpora and of tokenizers in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .tables import as_cell, new_console, new_table

if TYPE_CHECKING:
    from .label_errors import LabelErrors

_SHOWN_OF_ALTERNATIVES = 4
"""Number of metrics shown for each other setting of a task."""
_LISTED = 30
"""Number of probably wrong labels that are shown."""


def show_tokenizers(found: Mapping[str, Mapping[str, float]]) -> None:
    """Print a row for each tokenizer."""
    table = new_table("checkpoint", "vocabulary", "tokens/eojeol", "chars/token", "[UNK] %", "p50", "p99", "texts/s")
    for name, row in found.items():
        table.add_row(
            escape(name),
            f"{row['vocabulary']:,}",
            f"{row['tokens_per_eojeol']:.2f}",
            f"{row['characters_per_token']:.2f}",
            f"{100 * row['unknown_share']:.2f}",
            *(f"{row[column]:,}" for column in ("tokens_p50", "tokens_p99", "texts_per_second")),
        )
    new_console().print(table)


def show_inspection(found: Mapping[str, Any]) -> None:
    """Print the statistics that `inspection.inspect` returned."""
    console = new_console()
    console.print(f"[bold]{escape(found['corpus'])}[/bold] as {found['task']}")
    splits = found["splits"]
    table = new_table("", *splits)
    for key in ("rows", "empty", "unlabelled", "distinct", "repeated", "with_two_labels"):
        table.add_row(key.replace("_", " "), *(as_cell(split[key]) for split in splits.values()))
    _add_percentiles(table, "characters", [split["characters"] for split in splits.values()])
    console.print(table)
    for name, shared in found["overlap"].items():
        console.print(f"{name}: {shared['texts']:,} texts, {shared['rows']:,} rows")
    _show_balance(console, splits)
    for name, split in splits.items():
        for text in split["with_two_labels_examples"][:3]:
            console.print(f"two labels in {name}: {escape(_short(text))}")
    if "tokens" in found:
        _show_tokens(console, found)


def show_label_errors(found: LabelErrors) -> None:
    """Print the labels that are most probably wrong."""
    console = new_console()
    console.print(f"[bold]{escape(found.corpus)}[/bold]: {found.labels:,} labels in {found.rows:,} rows were compared")
    table = new_table("place", "kind", "given", "suggested", "probability", "text")
    for error in found.errors[:_LISTED]:
        given = "" if error.probability is None else f"{error.probability:.3f}"
        cells = (error.place, error.kind, error.given, error.suggested)
        table.add_row(*(escape(_short(cell, 40)) for cell in cells), given, escape(_short(error.text, 40)))
    console.print(table)
    more = len(found.errors) - _LISTED
    console.print(f"... and {more:,} more: --result FILE.json has all" if more > 0 else f"{len(found.errors):,} listed")


def _add_percentiles(table: Table, unit: str, columns: list[Mapping[str, int]]) -> None:
    for key in ("p50", "p90", "p99", "max"):
        table.add_row(f"{unit} {key}", *(as_cell(column[key]) for column in columns))


def _show_balance(console: Console, splits: Mapping[str, Any]) -> None:
    table = new_table("", *splits)
    names = list(dict.fromkeys(label for split in splits.values() for label in split["labels"]))
    for label in names[:30]:
        cells = [split["labels"].get(label) for split in splits.values()]
        table.add_row(escape(label), *(f"{c['count']:,} ({c['share']:.1%})" if c else "-" for c in cells))
    if names:
        console.print("\n[bold]labels[/bold]")
        console.print(table)
    if len(names) > 30:
        console.print(f"... and {len(names) - 30} more labels")


def _show_tokens(console: Console, found: Mapping[str, Any]) -> None:
    about, tokens = found["checkpoint"], found["tokens"]
    limit = f", {about['positions']} positions" if about["positions"] else ""
    table = new_table("", *tokens)
    _add_percentiles(table, "tokens", [split["tokens"] for split in tokens.values()])
    for length in next(iter(tokens.values()))["truncated"]:
        table.add_row(f"longer than {length}", *(f"{split['truncated'][length]:.2%}" for split in tokens.values()))
    table.add_row("unknown", *(f"{s['unknown_tokens']:,} ({s['unknown_share']:.2%})" for s in tokens.values()))
    title = f"tokens of {escape(str(about['name']))} (vocabulary of {about['vocabulary']:,}{limit})"
    console.print(f"\n[bold]{title}[/bold]", soft_wrap=True)
    console.print(table)
    for name, split in tokens.items():
        if split["unknown_characters"]:
            shown = " ".join(f"{c!r} {n}" for c, n in split["unknown_characters"].items())
            console.print(f"unknown characters in {name}: {escape(shown)}", soft_wrap=True)
    oracles = {name: split["oracle"] for name, split in tokens.items() if split["oracle"]}
    if not oracles:
        return
    if all(value == 1 for oracle in oracles.values() for value in oracle["metrics"].values()):
        console.print("\na perfect model would reach 1.0 on every metric (gold labels, encoded as tokens and decoded)")
        return
    table = new_table("", *oracles)
    for metric in next(iter(oracles.values()))["metrics"]:
        table.add_row(metric, *(as_cell(oracle["metrics"].get(metric, "")) for oracle in oracles.values()))
    table.add_row(
        "inexpressible", *(f"{o['inexpressible']:,} in {o['inexpressible_rows']:,} rows" for o in oracles.values())
    )
    _add_alternatives(table, [tokens[name].get("alternatives", {}) for name in oracles])
    table.add_row("examples", *(as_cell(o["examples"]) for o in oracles.values()))
    console.print("\n[bold]a perfect model would reach[/bold] (gold labels, encoded as tokens and decoded)")
    console.print(table)
    for name, oracle in oracles.items():
        for example in oracle["inexpressible_examples"][:5]:
            console.print(f"{name}: {escape(example)}", soft_wrap=True)


def _add_alternatives(table: Table, splits: Sequence[Mapping[str, Any]]) -> None:
    """Add rows for the first metrics of each other setting of the task."""
    for flag in next(filter(None, splits), {}):
        metrics = [found.get(flag, {}) for found in splits]
        for name in list(metrics[0])[:_SHOWN_OF_ALTERNATIVES]:
            table.add_row(f"{name} with {flag}", *(as_cell(found.get(name, "")) for found in metrics))


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
