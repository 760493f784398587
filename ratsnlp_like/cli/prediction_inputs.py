"""Inputs of `ratsnlp-like predict`: arguments, a file, or lines of standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError
from .options import reading_options

if TYPE_CHECKING:
    from ..corpora.base import Corpus
    from ..tasks.base import AnyTask


class Input(NamedTuple):
    """One input to predict on."""

    value: Any
    """An example, a text, a tuple of texts, or the error of a row that cannot be read."""
    columns: Mapping[str, Any] | None = None
    """Of a row of a file: all columns, in the order of the file."""
    fields: Mapping[str, str] = MappingProxyType({})
    """Column -> the field of the example that was read from it."""


def read_inputs(options: dict[str, Any], task: AnyTask, columns: Mapping[str, str]) -> Iterator[Input]:
    """Return the inputs that the options name.

    Args:
        options: of the command.
        task: of the model.
        columns: field -> column, as in training; used for a file that has these columns.

    Raises:
        InputError: there are none, or they are named twice.
    """
    if options["texts"] and options["input"]:
        raise InputError("both texts and --input were given", fix="give one of them")
    required = task.example.required() or ["text"]
    if options["texts"]:
        return map(Input, _grouped(options["texts"], required))
    if options["input"]:
        return _from_file(options, task, columns)
    if sys.stdin.isatty():
        raise InputError("missing: texts", fix='ratsnlp-like predict RUN "문장" | --input FILE | < FILE')
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    lines = _lines(sys.stdin)
    return map(Input, lines if len(required) == 1 else _split(lines, required))


def _from_file(options: dict[str, Any], task: AnyTask, remembered: Mapping[str, str]) -> Iterator[Input]:
    from ..corpora.opening import open_corpus
    from ..runtime.places import default_root

    example, reading = task.example, reading_options(options)
    root = Path(options["corpus_root"] or default_root())
    columns = {name: column for name in example.columns() if (column := options[f"{name}_column"])}
    source = open_corpus(Path(options["input"]), example, task.name, columns=columns, options=reading)
    splits = source.splits(root)  # of a folder with files for several
    if further := _present(remembered, source, root, splits[0]):
        columns = {**further, **columns}
        source = open_corpus(Path(options["input"]), example, task.name, columns=columns, options=reading)
    rows = chain.from_iterable(source.input_rows(root, split) for split in splits)
    return (Input(row.example, row.columns, row.fields) for row in rows)


def _present(columns: Mapping[str, str], source: Corpus, root: Path, split: str) -> dict[str, str]:
    """Return the columns of training that a file has too."""
    from ..corpora.cells import has_column

    row = next(iter(source.rows(root, split)), None) if columns else None
    return {name: column for name, column in columns.items() if row is not None and has_column(row.values, column)}


def _grouped(texts: Sequence[str], required: Sequence[str]) -> Iterator[Any]:
    """Yield the texts one by one, or as tuples where an input has several texts."""
    size = len(required)
    if len(texts) % size:
        raise InputError(
            f"{len(texts)} texts, but each input has {size}: {', '.join(required)}",
            fix="ratsnlp-like predict RUN " + " ".join(f'"{name}"' for name in required),
        )
    return iter(texts) if size == 1 else (tuple(texts[i : i + size]) for i in range(0, len(texts), size))


def _split(lines: Iterable[str], required: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Split each line into its texts at tabs."""
    for number, line in enumerate(lines, start=1):
        cells = tuple(line.split("\t"))
        if len(cells) != len(required):
            raise InputError(
                f"{len(cells)} texts: {line[:60]!r}",
                place=f"standard input, line {number}",
                expected=f"{', '.join(required)}, separated by tabs",
            )
        yield cells


def _lines(stream: IO[str]) -> Iterator[str]:
    number = 0
    try:
        for number, line in enumerate(stream, start=1):
            yield (line.removeprefix("\ufeff") if number == 1 else line).removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 ({error.reason}) after line {number}",
            place="standard input",
            fix="iconv -f CP949 -t UTF-8 FILE | ratsnlp-like predict ..., or --input FILE, which detects the encoding",
        ) from None
