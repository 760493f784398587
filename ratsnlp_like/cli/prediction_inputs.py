"""Inputs of `ratsnlp-like predict`: arguments, a file, or lines of standard input."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from ..errors import InputError
from .options import reading_options

if TYPE_CHECKING:
    from ..tasks.base import AnyTask


class Inputs(NamedTuple):
    """Inputs to predict on."""

    values: Iterator[Any]
    other_columns: Iterator[dict[str, Any]] | None
    """Of rows of a file: the columns that are not part of the input."""


def read_inputs(options: dict[str, Any], task: type[AnyTask]) -> Inputs:
    """Return the inputs that the options name.

    Raises:
        InputError: there are none, or they are named twice.
    """
    if options["texts"] and options["input"]:
        raise InputError("both texts and --input were given", fix="give one of them")
    required = task.example.required() or ["text"]
    if options["texts"]:
        return Inputs(_grouped(options["texts"], required), None)
    if options["input"]:
        return _from_file(options, task)
    if sys.stdin.isatty():
        raise InputError("missing: texts", fix='ratsnlp-like predict RUN "문장" | --input FILE | < FILE')
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    lines = _lines(sys.stdin)
    return Inputs(lines if len(required) == 1 else _split(lines, required), None)


def _from_file(options: dict[str, Any], task: type[AnyTask]) -> Inputs:
    from ..corpora.opening import open_corpus
    from ..runtime.places import default_root

    example = task.example
    columns = {n: c for n in example.columns() if (c := options[f"{n}_column"])}
    source = open_corpus(Path(options["input"]), example, task.name, columns=columns, options=reading_options(options))
    root = Path(options["corpus_root"] or default_root())
    split = source.splits(root)[0]
    return Inputs(source.inputs(root, split), source.other_columns(root, split))


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
