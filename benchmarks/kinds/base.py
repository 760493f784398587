"""A kind of file: the function that writes one, and what must be read of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS = 24
PLACES = ("전주", "강릉", "속초", "목포")


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes:
        name: for the table.
        task: the task that it is for.
        write: writes into an empty folder and returns the corpus: a path, or an object in memory.
        options: options of the command that the kind needs.
        rows: number of examples that must be read of the training split.
        labels: labels (types of entities) that must be found.
        chat: True where the tokenizer needs a chat template.
    """

    name: str
    task: str
    write: Callable[[Path], Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int = ROWS
    labels: tuple[str, ...] = ()
    chat: bool = False


def to_json(value: Any) -> str:
    """Return JSON with Hangul as it is."""
    return json.dumps(value, ensure_ascii=False)


def put(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def as_jsonl(rows: Iterable[Any], name: str = "rows.jsonl") -> Callable[[Path], Path]:
    """Return a function that writes rows as JSON lines."""
    return lambda folder: put(folder / name, "".join(to_json(row) + "\n" for row in rows))


def as_json(value: Any, name: str = "rows.json") -> Callable[[Path], Path]:
    """Return a function that writes a value as one JSON document."""
    return lambda folder: put(folder / name, json.dumps(value, ensure_ascii=False, indent=1))


def as_csv(rows: Sequence[Mapping[str, Any]], name: str = "rows.csv", **options: Any) -> Callable[[Path], Path]:
    """Return a function that writes rows as CSV, through the standard library."""

    def write(folder: Path) -> Path:
        path = folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), **options)
            table.writeheader()
            table.writerows(rows)
        return path

    return write
