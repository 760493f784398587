"""What a person sees: tables of a run, of metrics, of predictions, of a corpus."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from ..training.finetune import FineTuneResult

_ROWS = 30
"""Of more classes than these, the worst are shown."""
_COLUMNS = 14
"""A confusion matrix with more classes is left to the JSON."""


def _console() -> Console:
    # Into a file or a pipe: full lines, not cut at the 80 columns of a terminal that is not there.
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, soft_wrap=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right", header_style="dim")
    return table


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def show_run(result: FineTuneResult) -> None:
    """What came of a run, and where the model is."""
    console = _console()
    console.print()
    columns = {"validation": result.metrics} | ({"test": result.test_metrics} if result.test_metrics else {})
    _show_columns(console, columns)
    _show_details(console, result.test_metrics or result.metrics)
    s = result.summary
    windows = f" in {s['windows']:,} windows" if s["windows"] != s["examples"] else ""
    console.print(
        f"\n{s['steps']:,} steps, {s['examples']:,} examples{windows}, {s['tokens']:,} tokens "
        f"in {s['train_seconds']:.1f} s "
        f"({s['examples_per_second']:,.0f} examples a second, {s['precision']}), "
        f"peak memory {s['peak_memory_mb']:,.0f} MB"
    )
    console.print(f"model: {escape(str(result.best))}", soft_wrap=True)
    asked = " ".join(f'"{text}"' for text in result.predictor.task.example_input)
    console.print(
        f"ask it: ratsnlp-like predict {escape(shlex.quote(str(result.output)))} {escape(asked)}", soft_wrap=True
    )


def show_tokenizers(found: Mapping[str, Mapping[str, float]]) -> None:
    """A row for each tokenizer."""
    table = _table("checkpoint", "vocabulary", "tokens/eojeol", "chars/token", "[UNK] %", "p50", "p99", "texts/s")
    for name, row in found.items():
        table.add_row(
            escape(name),
            f"{row['vocabulary']:,}",
            f"{row['tokens_per_eojeol']:.2f}",
            f"{row['characters_per_token']:.2f}",
            f"{100 * row['unknown_share']:.2f}",
            *(f"{row[column]:,}" for column in ("tokens_p50", "tokens_p99", "texts_per_second")),
        )
    _console().print(table)


def show_metrics(metrics: Mapping[str, Any]) -> None:
    """Metrics of one evaluation."""
    console = _console()
    _show_columns(console, {"value": metrics})
    _show_details(console, metrics)


def _show_columns(console: Console, columns: Mapping[str, Mapping[str, Any]]) -> None:
    table = _table("metric", *columns)
    names = dict.fromkeys(n for values in columns.values() for n, v in values.items() if isinstance(v, (int, float)))
    for name in names:
        table.add_row(name, *(_number(values.get(name, "")) for values in columns.values()))
    console.print(table)


def _show_details(console: Console, metrics: Mapping[str, Any]) -> None:
    """Tables among the metrics: a row for each class or type, and the confusion matrix."""
    for name, values in metrics.items():
        if name.startswith("per_") and isinstance(values, dict) and values:
            kind = name.removeprefix("per_")
            table = _table(kind, *next(iter(values.values())))
            worst = sorted(values, key=lambda label: values[label]["f1"])[:_ROWS]  # of many, those to look at
            for label in values if len(values) <= _ROWS else worst:
                table.add_row(escape(label), *(_number(v) for v in values[label].values()))
            console.print()
            console.print(table)
            if len(values) > _ROWS:
                console.print(f"... the {_ROWS} worst of {len(values):,}")
    matrix = metrics.get("confusion_matrix")
    if matrix and len(matrix["labels"]) <= _COLUMNS:
        table = _table("gold \\ predicted", *map(escape, matrix["labels"]))
        for label, row in zip(matrix["labels"], matrix["matrix"], strict=True):
            table.add_row(escape(label), *map(_number, row))
        console.print()
        console.print(table)


def show_predictions(rows: Iterable[Mapping[str, Any]]) -> None:
    """Predictions one after the other."""
    console = _console()
    for row in rows:
        given = row["messages"][-1]["content"] if "messages" in row else next(iter(row.values()))
        console.print(escape(_printable(str(given))), style="bold")
        show = next((how for name, how in _SHOWN.items() if name in row), _show_classes)
        show(console, row)


def _show_entities(console: Console, row: Mapping[str, Any]) -> None:
    table = _table("  entity", "label", "start", "end", "score")
    for entity in row["entities"]:
        cells = entity["text"], entity["label"], entity["start"], entity["end"], entity["score"]
        table.add_row("  " + escape(_printable(str(cells[0]))), *map(_number, cells[1:]))
    console.print(table if row["entities"] else "  no entity")


def _show_classes(console: Console, row: Mapping[str, Any]) -> None:
    if "text_pair" in row:
        console.print(escape(_printable(row["text_pair"])), style="bold")
    if "scores" not in row:
        console.print(f"  {row['score']:.2f}")
        return
    label = row["label"]
    shown = ", ".join(label) or "none" if isinstance(label, (list, tuple)) else str(label)
    scores = sorted(row["scores"].items(), key=lambda item: -item[1])[:5]
    console.print(f"  {escape(shown)}   " + "  ".join(f"{escape(name)} {score:.3f}" for name, score in scores))


def _show_filled(console: Console, row: Mapping[str, Any]) -> None:
    console.print(f"  {escape(_printable(row['filled']))}")
    for blank in row["candidates"]:
        console.print("  " + "  ".join(f"{escape(_printable(c['token']))} {c['score']:.3f}" for c in blank))


def _show_generated(console: Console, row: Mapping[str, Any]) -> None:
    for text in row["continuations"]:
        console.print(f"  ...{escape(_printable(text))}")


def _show_answer(console: Console, row: Mapping[str, Any]) -> None:
    console.print(f"  {escape(_printable(row['answer'])) or 'no answer'}   {row['score']:.3f}")


_SHOWN = {
    "entities": _show_entities,
    "filled": _show_filled,
    "generated": _show_generated,
    "answer": _show_answer,
}
"""A key of a prediction's row -> how it is shown."""


def show_inspection(found: Mapping[str, Any]) -> None:
    """What `inspection.inspect` has found."""
    console = _console()
    console.print(f"[bold]{escape(found['corpus'])}[/bold] as {found['task']}")
    splits = found["splits"]
    table = _table("", *splits)
    for key in ("rows", "empty", "unlabelled", "distinct", "repeated", "with_two_labels"):
        table.add_row(key.replace("_", " "), *(_number(split[key]) for split in splits.values()))
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


def _add_percentiles(table: Table, what: str, columns: list[Mapping[str, int]]) -> None:
    for key in ("p50", "p90", "p99", "max"):
        table.add_row(f"{what} {key}", *(_number(column[key]) for column in columns))


def _show_balance(console: Console, splits: Mapping[str, Any]) -> None:
    table = _table("", *splits)
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
    table = _table("", *tokens)
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
        console.print("\na perfect model would reach 1.0 on every metric (gold labels, through the tokens and back)")
        return
    table = _table("", *oracles)
    for metric in next(iter(oracles.values()))["metrics"]:
        table.add_row(metric, *(_number(oracle["metrics"].get(metric, "")) for oracle in oracles.values()))
    table.add_row(
        "inexpressible", *(f"{o['inexpressible']:,} in {o['inexpressible_rows']:,} rows" for o in oracles.values())
    )
    improved = {name: tokens[name].get("improved") for name in oracles}
    for name in next((list(found["metrics"])[:4] for found in improved.values() if found), []):
        cells = [found["metrics"][name] if found else "" for found in improved.values()]
        table.add_row(f"{name} with {next(filter(None, improved.values()))['flag']}", *map(_number, cells))
    table.add_row("examples asked", *(_number(o["examples"]) for o in oracles.values()))
    console.print("\n[bold]a perfect model would reach[/bold] (gold labels, through the tokens and back)")
    console.print(table)
    for name, oracle in oracles.items():
        for example in oracle["inexpressible_examples"][:5]:
            console.print(f"{name}: {escape(example)}", soft_wrap=True)


def _printable(text: str) -> str:
    """Without what steers a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
