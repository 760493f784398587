"""Comparison of models in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from .tables import as_cell, new_console, new_table, printable

_ROWS = 10
"""Largest number of changed rows that are shown; the JSON file holds more."""
_LEVEL = 0.05


def show_comparison(found: Mapping[str, Any]) -> None:
    """Print the result of `compare`."""
    console = new_console()
    names = [chr(ord("A") + k) if k < 26 else str(k + 1) for k in range(len(found["runs"]))]
    console.print(f"{escape(found['corpus'])}, {found['split']}: {found['rows']:,} examples")
    for name, run in zip(names, found["runs"], strict=True):
        console.print(f"{name}  {escape(run['run'])} ({escape(str(run['checkpoint']))})", soft_wrap=True)
    console.print()
    _show_scores(console, names, found["runs"])
    metric = found["best_metric"]
    table = new_table(f"{metric}", "difference", "95% interval", "bootstrap p", "randomization p", "McNemar p", "")
    for pair in found["pairs"]:
        if metric in pair["metrics"]:
            table.add_row(f"{names[pair['second']]} - {names[pair['first']]}", *_cells(pair, metric))
    console.print()
    console.print(table)
    if len(found["pairs"]) > 1:
        console.print(f"p-values are adjusted for {len(found['pairs'])} pairs by Holm's method", style="dim")
    _show_changes(console, names, found)


def _show_scores(console: Console, names: Sequence[str], runs: Sequence[Mapping[str, Any]]) -> None:
    table = new_table("metric", *names)
    for metric in dict.fromkeys(metric for run in runs for metric in run["scores"]):
        cells = []
        for run in runs:
            low_high = run["intervals"].get(metric)
            interval = f" \\[{low_high[0]:.3f}, {low_high[1]:.3f}]" if low_high else ""
            cells.append(as_cell(run["scores"].get(metric, "")) + interval)
        table.add_row(metric, *cells)
    console.print(table)


def _cells(pair: Mapping[str, Any], metric: str) -> list[str]:
    own = pair["metrics"][metric]
    p_values = [own.get("bootstrap_p_holm"), own.get("randomization_p_holm"), pair.get("mcnemar", {}).get("p_holm")]
    decisive = p_values[1] if p_values[1] is not None else p_values[0]
    return [
        f"{own['difference']:+.4f}",
        f"{own['interval'][0]:+.4f} to {own['interval'][1]:+.4f}",
        *("" if p is None else f"{p:.4f}" for p in p_values),
        "different" if decisive is not None and decisive < _LEVEL else "no difference shown",
    ]


def _show_changes(console: Console, names: Sequence[str], found: Mapping[str, Any]) -> None:
    console.print()
    for pair in found["pairs"]:
        if "changes" in pair:
            own = pair["changes"]
            console.print(
                f"{names[pair['first']]} to {names[pair['second']]}: {own['changed']:,} predictions differ, "
                f"{own['fixed']:,} now right, {own['broken']:,} now wrong"
            )
    for row in found["changed"][:_ROWS]:
        text = next(value for name, value in row.items() if name not in {"row", "place"})
        console.print(escape(printable(str(text))), style="bold", soft_wrap=True)
        console.print(f"  gold  {escape(_short(row['gold']))}", soft_wrap=True)
        for k, (name, prediction) in enumerate(zip(names, row["predictions"], strict=True)):
            mark = "right" if row["correct"][k] else "wrong"
            console.print(f"  {name}     {escape(_short(prediction))}   {mark}", soft_wrap=True)
    if len(found["changed"]) > _ROWS:
        console.print(f"... {_ROWS} of {len(found['changed']):,} rows; --result FILE.json writes them")


def _short(prediction: Mapping[str, Any]) -> str:
    """Return what was predicted in a few words."""
    if "entities" in prediction:
        entities = [f"{entity['text']} ({entity['label']})" for entity in prediction["entities"]]
        return printable(", ".join(entities)) or "no entity"
    value = next(iter(prediction.values()))
    if isinstance(value, (list, tuple)):
        return printable(", ".join(map(str, value))) or "none"
    return printable(str(value)) or "no answer"
