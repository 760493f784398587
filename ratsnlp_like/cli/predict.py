"""cli.predict."""

from __future__ import annotations

import csv
import io
import json
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import InputError, did_you_mean
from ..runtime import lazy_imports as lean
from .parsing import (
    add_corpus_options,
    add_precision,
    add_task_options,
    first_positional,
    new_parser,
    parse,
    reading_options,
)

if TYPE_CHECKING:
    from ..inference.predictor import Predictor
    from ..tasks.base import Task

log = logging.getLogger("ratsnlp_like")


def run(arguments: list[str]) -> None:
    """`ratsnlp-like predict`."""
    from ..inference.model_folder import describe_model

    parser = new_parser("predict", "Ask a saved model about new text: arguments, a file, or lines of standard input.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("texts", nargs="*", type=str, help="texts")
    parser.add_argument("--input", type=str | None, default=None, help="a file of texts: lines, CSV, TSV, JSONL, ...")
    parser.add_argument("--output", type=str | None, default=None, help="FILE.jsonl or FILE.csv; standard output else")
    parser.add_argument("--show", type=str | None, default=None, help="table, jsonl or csv on standard output")
    parser.add_argument("--batch_size", type=int, default=32, help="windows that go through the model together")
    parser.add_argument("--stream", action="store_true", help="show text while it is written (generation)")
    add_precision(parser)
    task, saved = describe_model(first_positional(arguments))
    asking = sorted(task.inference_options) if task else []
    if task is not None:
        add_task_options(parser, task, task.inference_options, saved)
    add_corpus_options(parser, task.example.columns() if task else ())
    options = parse(parser, arguments)
    if task is None:
        raise InputError("missing: the model", fix='ratsnlp-like predict RUN "문장"')
    kind = _output_kind(options["output"], options["show"], has_texts=bool(options["texts"]))
    texts, beside = _texts(options, task)
    with lean.starting():
        from ..inference.predictor import Predictor

        predictor = Predictor.from_pretrained(options["model"], precision=options["precision"])
    if asking:
        predictor = predictor.with_options(**{name: options[name] for name in asking})
    if options["stream"]:
        _stream(predictor, texts, [name for name in ("output", "show") if options[name]])
        return
    rows = predictor.rows(texts, batch_size=options["batch_size"])
    if beside is not None and kind != "table":
        rows = map(_joined, beside, rows)
    if kind == "table":
        from ..evaluation.report import show_predictions

        show_predictions(rows)
    else:
        with _opened(options["output"], options["input"]) as file:
            _write_rows(rows, file, kind)
    if cut_away := predictor.cut_away:
        how = predictor.task.too_long(predictor.max_length)
        log.warning("%s %s; their rest was not looked at.", f"{cut_away:,}", how)


def _stream(predictor: Predictor, prompts: Iterable[Any], unused: Sequence[str]) -> None:
    """Each prompt on a line, with what the model writes behind it as it is written."""
    if unused:
        raise InputError(f"--stream and --{unused[0]}", fix=f"leave out one of them: --{unused[0]} is for whole rows")
    for prompt in prompts:
        written = predictor.stream(prompt)
        sys.stdout.write(str(prompt))
        for piece in written:
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")


_Given = tuple[Iterator[Any], Iterator[dict[str, Any]] | None]
"""Inputs; and where they are rows of a file, what else stands in each."""


def _texts(options: dict[str, Any], task: type[Task[Any, Any]]) -> _Given:
    """See `_Given`."""
    from ..corpora.base import default_root
    from ..corpora.opening import open_corpus

    example = task.example
    if options["texts"] and options["input"]:
        raise InputError("both texts and --input were given", fix="give one of them")
    required = example.required() or ["text"]
    if options["texts"]:
        return _grouped(options["texts"], required), None
    if options["input"]:
        columns = {n: c for n in example.columns() if (c := options[f"{n}_column"])}
        source = open_corpus(
            Path(options["input"]), example, task.name, columns=columns, options=reading_options(options)
        )
        root = Path(options["corpus_root"] or default_root())
        split = source.splits(root)[0]
        return source.inputs(root, split), source.other_columns(root, split)
    if sys.stdin.isatty():
        raise InputError("no text was given", fix='ratsnlp-like predict DIR "문장" | --input FILE | < FILE')
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")
    if len(required) == 1:
        return _lines(sys.stdin), None
    return _cells(_lines(sys.stdin), required), None


def _joined(beside: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """A prediction with the other columns of its row, which get another name where the prediction has theirs."""
    out: dict[str, Any] = {}
    for name, value in beside.items():
        free = name
        while free in row or free in out or (free != name and free in beside):
            free = f"input_{free}"
        out[free] = value
    return out | row


def _grouped(texts: Sequence[str], required: Sequence[str]) -> Iterator[Any]:
    """One text after the other, or two by two where an input takes two."""
    size = len(required)
    if len(texts) % size:
        raise InputError(
            f"{len(texts)} texts, but each input takes {size}: {', '.join(required)}",
            fix="ratsnlp-like predict RUN " + " ".join(f'"{name}"' for name in required),
        )
    return iter(texts) if size == 1 else (tuple(texts[i : i + size]) for i in range(0, len(texts), size))


def _cells(lines: Iterable[str], required: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Lines of texts between tabs."""
    for number, line in enumerate(lines, start=1):
        cells = tuple(line.split("\t"))
        if len(cells) != len(required):
            raise InputError(
                f"{len(cells)} texts: {line[:60]!r}",
                place=f"standard input, line {number}",
                expected=f"{', '.join(required)}, with a tab between them",
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
            fix="iconv -f CP949 -t UTF-8 FILE | ratsnlp-like predict ..., or --input FILE, which finds the encoding",
        ) from None


def _output_kind(output: str | None, show: str | None, *, has_texts: bool) -> str:
    if output is not None:
        kind = Path(output).suffix.lower().lstrip(".")
        if kind not in {"jsonl", "csv"}:
            raise InputError(f"unknown kind of file {output!r}", place="--output", expected="FILE.jsonl or FILE.csv")
        return kind
    if show is not None and show not in {"table", "jsonl", "csv"}:
        raise InputError(f"unknown {show!r}", place="--show", fix=did_you_mean(show, ["table", "jsonl", "csv"]))
    return show or ("table" if sys.stdout.isatty() and has_texts else "jsonl")


@contextmanager
def _opened(output: str | None, source: str | None) -> Iterator[IO[str]]:
    """Standard output, or a file that appears when it is whole."""
    if output is None:
        yield sys.stdout
        return
    path = Path(output)
    if source is not None and path.exists() and Path(source).exists() and path.samefile(source):
        raise InputError("the output would be written over the input", place=output, fix="another --output")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        # Excel takes a CSV file for CP949 unless it begins with a byte order mark.
        with partial.open("w", encoding="utf-8-sig" if path.suffix.lower() == ".csv" else "utf-8", newline="") as file:
            yield file
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _as_json(value: Any) -> str:
    """Dates and decimals of a table's other columns are written out."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _write_rows(rows: Iterable[dict[str, Any]], file: IO[str], kind: str) -> None:
    writer, known = None, set[str]()
    for number, row in enumerate(rows, start=1):
        if kind == "jsonl":
            file.write(_as_json(row) + "\n")
            continue
        cells = {k: _as_json(v) if isinstance(v, (list, tuple, dict)) else v for k, v in row.items()}
        if writer is None:
            writer = csv.DictWriter(file, cells, extrasaction="ignore")
            writer.writeheader()
            known = set(cells)
        if known and (new := [name for name in cells if name not in known]):
            log.warning(
                "row %d has columns that the first has not, which a CSV file cannot take up: %s; --output FILE.jsonl "
                "keeps them.", number, ", ".join(new),
            )  # fmt: skip
            known = set()
        writer.writerow(cells)
