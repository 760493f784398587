"""The command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import re
import shlex
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from . import __version__, lean
from .errors import InputError, TrainingError, did_you_mean

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser

    from .corpora.base import Corpus
    from .corpora.formats import Options
    from .predictor import Predictor
    from .tasks.base import Task

log = logging.getLogger("ratsnlp_like")

_OVERVIEW = f"""\
usage: ratsnlp-like COMMAND ...

Fine-tuning of pretrained Korean language models (version {__version__}).

  train      fine-tune a checkpoint on a corpus, evaluate it and save it
  evaluate   measure a saved model on a corpus
  predict    ask a saved model about new text
  serve      a page and an HTTP API for a saved model
  export     write a saved model for ONNX Runtime, and certify that it says the same
  inspect    look at a corpus, and at what a checkpoint's tokenizer makes of it
  tokenizer  train a vocabulary on your own text, or compare tokenizers on it
  list       what there is: corpora, tasks, checkpoints, formats

Each command tells more: ratsnlp-like train --task ner --help

  ratsnlp-like train --task classification --corpus reviews.csv --checkpoint klue/bert-base --output runs/reviews
  ratsnlp-like predict runs/reviews "배송이 빨라서 좋아요"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Returns 0 done, 2 the user's input is at fault, 1 anything else, 130 interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    _log_to_stderr()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console in CP949 has no emoji
    try:
        return _run(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except TrainingError as error:
        print(f"training stopped: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as error:
        print(f"interrupted: {error}" if str(error) else "interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        print(f"error: {error.strerror}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
        return 2


def _is_first_process() -> bool:
    """Lightning starts the other processes of a run with the same command, and with their rank in the environment."""
    return os.environ.get("LOCAL_RANK", "0") == "0" and os.environ.get("NODE_RANK", "0") == "0"


def _log_to_stderr() -> None:
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.propagate = False
    log.setLevel(os.environ.get("RATSNLP_LIKE_LOG", "INFO" if _is_first_process() else "ERROR").upper())


def _run(arguments: list[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(_OVERVIEW, end="")
        return 0
    if arguments[0] in {"--version", "-V"}:
        print(__version__)
        return 0
    command, *rest = arguments
    if command not in _COMMANDS:
        raise InputError(f"unknown command {command!r}", fix=did_you_mean(command, _COMMANDS))
    lean.install()
    _COMMANDS[command](_underscored(rest))
    return 0


def _underscored(arguments: Sequence[str]) -> list[str]:
    """`--batch-size 8` is `--batch_size 8`; what stands behind `--` is text."""
    out: list[str] = []
    for i, argument in enumerate(arguments):
        if argument == "--":
            return [*out, *arguments[i:]]
        name, equals, value = argument.partition("=")
        out.append(name[:2] + name[2:].replace("-", "_") + equals + value if argument.startswith("--") else argument)
    return out


# Parsers


def _parser(command: str, description: str) -> ArgumentParser:
    from jsonargparse import ArgumentParser, set_parsing_settings

    set_parsing_settings(docstring_parse_attribute_docstrings=True)
    return ArgumentParser(
        prog=f"ratsnlp-like {command}", description=description, exit_on_error=False, allow_abbrev=False
    )


def _parse(parser: ArgumentParser, arguments: Sequence[str]) -> dict[str, Any]:
    """Parsed options without those that only steer the parser.

    Raises:
        InputError: what argparse would have said with a usage message.
    """
    from argparse import ArgumentError

    try:
        return dict(vars(parser.parse_args(_options_first(parser, arguments))))
    except ArgumentError as error:
        raise _readable(parser, str(error)) from None


def _options_first(parser: ArgumentParser, arguments: Sequence[str]) -> list[str]:
    """Argparse fills `TEXT ...` at the first gap between options; here texts may stand on both sides of them.

    A switch alone (`--lora`) is on.
    """
    from .arguments import takes_list

    flags = {flag: action.nargs != 0 for action in parser._actions for flag in action.option_strings}
    hints = {flag: getattr(action, "_typehint", None) for action in parser._actions for flag in action.option_strings}
    options: list[str] = []
    others: list[str] = []
    rest = deque(arguments)
    while rest:
        argument = rest.popleft()
        if argument == "--":
            others += rest
            break
        if argument.startswith("--") or argument in flags:
            name, equals, value = argument.partition("=")
            if not equals and hints.get(name) is bool and not (rest and rest[0].lower() in {"true", "false"}):
                equals, value = "=", "true"
            elif not equals and flags.get(name.partition(".")[0]) and rest:
                equals, value = "=", rest.popleft()
            if value and not value.startswith("[") and takes_list(hints.get(name), unless=value):
                value = f"[{value}]"  # `nfc,urls` as well as `[nfc, urls]`
            options.append(name + equals + value)
        else:
            others.append(argument)
    return [*options, "--", *others] if others else options


def _readable(parser: ArgumentParser, message: str) -> InputError:
    from .arguments import type_in_words

    hint = f"see {parser.prog} --help"
    if message.startswith("unrecognized arguments: "):
        flag = next(word for word in message.removeprefix("unrecognized arguments: ").split() if word != "--")
        known = [
            o for action in parser._actions for o in action.option_strings if o.startswith("--") and "shtab" not in o
        ]
        if not flag.startswith("--"):
            return InputError(f"unexpected argument {flag!r}", fix=hint)
        return InputError(f"unknown option {flag}", fix=f"{did_you_mean(flag.split('=')[0], known, few=True)}{hint}")
    text = " ".join(dict.fromkeys(line.strip() for line in message.splitlines() if line.strip()))
    if found := re.search(r"Option '([\w-]+)' is not accepted", text):
        known = [action.dest for action in parser._actions]
        return InputError(
            f"unknown option {found[1]!r}", place="--config", fix=did_you_mean(found[1], known, few=True) + hint
        )
    if found := re.search(r'Parser key "([\w.]+)":.*?(?:Expected an? (.+?)\. Got value: |Given value: )(\S+)', text):
        action = next((action for action in parser._actions if action.dest == found[1]), None)
        hints = getattr(action, "_typehint", None)
        return InputError(f"{found[3]}", place=f"--{found[1]}", expected=type_in_words(hints), fix=hint)
    return InputError(re.sub(r'Parser key "(\w+)"', r"--\1", text), fix=hint)


def _add_corpus_options(parser: ArgumentParser, columns: Iterable[str]) -> None:
    from .arguments import CorpusArguments
    from .corpora.formats import Options

    parser.add_class_arguments(CorpusArguments)
    parser.add_class_arguments(Options)
    group = parser.add_argument_group("Columns, where they are not found by name")
    for name in columns:
        group.add_argument(f"--{name}_column", type=str | None, default=None, help=f"the column of the {name}")


def _reading(options: dict[str, Any]) -> Options:
    """How files are read, of all options."""
    from .corpora.formats import Options

    return Options(**{f.name: options[f.name] for f in fields(Options)})


def _task_of(arguments: Sequence[str], config: str | None) -> str | None:
    """The task decides which flags there are, so it is looked for before they are parsed."""
    for i, argument in enumerate(arguments):
        if argument == "--task" and i + 1 < len(arguments):
            return arguments[i + 1]
        if argument.startswith("--task="):
            return argument.removeprefix("--task=")
        if argument.partition("=")[0] == "--config":
            config = argument.partition("=")[2] or (arguments[i + 1] if i + 1 < len(arguments) else None)
    if config and Path(config).is_file():
        import yaml

        try:
            content = yaml.safe_load(Path(config).read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"cannot be read as YAML: {' '.join(str(error).split())}", place=config) from None
        if not isinstance(content, dict):
            raise InputError("holds no options", place=config, expected="lines like `task: ner`")
        return content.get("task")
    if config:
        raise InputError("no such file", place=config)
    return None


def _with_config_of_run(arguments: list[str]) -> list[str]:
    """`train --output RUN --resume` alone takes the configuration that lies in the run."""
    names = [argument.partition("=")[0] for argument in arguments]
    if "--resume" not in names or "--config" in names or "--output" not in names:
        return arguments
    at = names.index("--output")
    folder = arguments[at].partition("=")[2] or "".join(arguments[at + 1 : at + 2])
    config = Path(folder) / "config.yaml"
    return ["--config", str(config), *arguments] if config.is_file() else arguments


def _add_precision(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--precision",
        type=Literal["32", "bf16"],
        default="32",
        help="numbers that are computed with; bf16 is faster where the hardware has it, and scores have 2 to 3 digits",
    )


def _add_task_options(
    parser: ArgumentParser, task: type[Task[Any, Any]], names: frozenset[str], saved: dict[str, Any]
) -> None:
    """Some fields of a saved model's task, with its own values as defaults."""
    parser.add_class_arguments(task, skip={f.name for f in fields(task)} - names)
    parser.set_defaults({name: saved[name] for name in sorted(names) if name in saved})


def _chosen(options: dict[str, Any], *names: str) -> dict[str, Any]:
    """What goes on into the library: all but the named, and but columns that nobody named."""
    out = {k: v for k, v in options.items() if k not in {*names, "config", "print_config"}}
    return {k: v for k, v in out.items() if not (v is None and k.endswith("_column"))}


# Commands


def train(arguments: list[str]) -> None:
    """`ratsnlp-like train`."""
    from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]

    from .arguments import DataArguments, ModelArguments, TrainingArguments
    from .registry import TASKS

    arguments = _with_config_of_run(arguments)
    task = _task_of(arguments, None)
    parser = _parser("train", "Fine-tune a checkpoint on a corpus, evaluate it and save it.")
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file with these options, such as a run's own")
    parser.add_argument("--task", type=str, help=f"{', '.join(TASKS)}; its own flags: --task NAME --help")
    parser.add_argument("--corpus", type=str, help="a registered name, a file, or a hub id")
    parser.add_argument("--checkpoint", type=str, help="a bundled name, a folder, or a hub id")
    parser.add_argument("--output", type=str | None, default=None, help="the run folder")
    parser.add_argument("--resume", action="store_true", help="go on with the unfinished run in --output")
    parser.add_argument("--overwrite", action="store_true", help="throw away the run in --output")
    parser.add_argument(
        "--result", type=str | None, default=None, help="write metrics, counts and times to this JSON file"
    )
    for kind in (DataArguments, ModelArguments, TrainingArguments):
        parser.add_class_arguments(kind)
    if task is not None:
        parser.add_class_arguments(TASKS[task])
        _add_corpus_options(parser, TASKS[task].example.columns())
    options = _parse(parser, arguments)
    missing = [name for name in ("task", "corpus", "checkpoint") if not options.get(name)]
    if missing:
        raise InputError(
            "missing: " + ", ".join(f"--{name}" for name in missing),
            fix="ratsnlp-like train --task classification --corpus sample-sentiment --checkpoint NAME; "
            "ratsnlp-like list tasks | corpora | checkpoints",
        )
    _check_result(options["result"])
    from .job import Job

    chosen = _chosen(options, "result")
    where = {name: chosen.pop(name) for name in ("output", "resume", "overwrite")}
    job = Job.of(chosen.pop("task"), chosen.pop("corpus"), chosen.pop("checkpoint"), chosen)
    job.check()
    with lean.starting():
        from .finetune import carry_out
        from .report import show_run

    result = carry_out(job, **where)
    if _is_first_process():
        _write_result(options["result"], result.to_dict())
        show_run(result)


def evaluate(arguments: list[str]) -> None:
    """`ratsnlp-like evaluate`."""
    from .predictor import describe_model
    from .report import show_metrics

    parser = _parser("evaluate", "Measure a saved model on a corpus.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("--corpus", type=str, help="a registered name, a file, or a hub id")
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int, default=64, help="windows of a batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="measure on this many examples")
    parser.add_argument("--result", type=str | None, default=None, help="write the metrics to this JSON file")
    _add_precision(parser)
    task, saved = describe_model(_first(arguments))
    if task is not None:
        _add_task_options(parser, task, task.asking | task.measuring, saved)
    _add_corpus_options(parser, task.example.columns() if task else ())
    options = _parse(parser, arguments)
    if not options["corpus"]:
        raise InputError("missing: --corpus", fix="name a corpus, a file or a hub id")
    _check_result(options["result"])
    with lean.starting():
        from .finetune import evaluate as run

    metrics = run(options["model"], **_chosen(options, "model", "result"))
    _write_result(options["result"], metrics)
    show_metrics(metrics)


def predict(arguments: list[str]) -> None:
    """`ratsnlp-like predict`."""
    from .predictor import describe_model

    parser = _parser("predict", "Ask a saved model about new text: arguments, a file, or lines of standard input.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("texts", nargs="*", type=str, help="texts")
    parser.add_argument("--input", type=str | None, default=None, help="a file of texts: lines, CSV, TSV, JSONL, ...")
    parser.add_argument("--output", type=str | None, default=None, help="FILE.jsonl or FILE.csv; standard output else")
    parser.add_argument("--show", type=str | None, default=None, help="table, jsonl or csv on standard output")
    parser.add_argument("--batch_size", type=int, default=32, help="windows that go through the model together")
    parser.add_argument("--stream", action="store_true", help="show text while it is written (generation)")
    _add_precision(parser)
    task, saved = describe_model(_first(arguments))
    asking = sorted(task.asking) if task else []
    if task is not None:
        _add_task_options(parser, task, task.asking, saved)
    _add_corpus_options(parser, task.example.columns() if task else ())
    options = _parse(parser, arguments)
    if task is None:
        raise InputError("missing: the model", fix='ratsnlp-like predict RUN "문장"')
    kind = _output_kind(options["output"], options["show"], has_texts=bool(options["texts"]))
    texts, beside = _texts(options, task)
    with lean.starting():
        from .predictor import Predictor

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
        from .report import show_predictions

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


def serve(arguments: list[str]) -> None:
    """`ratsnlp-like serve`."""
    from .serve.limits import Limits

    parser = _parser("serve", "A page to try a saved model on, and an HTTP API (documented at /docs), until Ctrl-C.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("--host", type=str, default="127.0.0.1", help="address to listen on; 0.0.0.0 for others too")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on; 0 for any that is free")
    parser.add_argument("--cors", type=list[str], default=[], help="origins whose pages may ask: https://example.com")
    parser.add_argument("--allowed_hosts", type=list[str], default=[], help="further names of this server, * for any")
    _add_precision(parser)
    parser.add_class_arguments(Limits)
    options = _parse(parser, arguments)
    from .serve.server import run

    limits = Limits(**{f.name: options[f.name] for f in fields(Limits)})
    names = ("model", "host", "port", "cors", "allowed_hosts", "precision")
    run(**{name: options[name] for name in names}, limits=limits)


_Given = tuple[Iterator[Any], Iterator[dict[str, Any]] | None]
"""Inputs; and where they are rows of a file, what else stands in each."""


def _texts(options: dict[str, Any], task: type[Task[Any, Any]]) -> _Given:
    """See `_Given`."""
    from .corpora.base import default_root, open_corpus

    example = task.example
    if options["texts"] and options["input"]:
        raise InputError("both texts and --input were given", fix="give one of them")
    required = example.required() or ["text"]
    if options["texts"]:
        return _grouped(options["texts"], required), None
    if options["input"]:
        columns = {n: c for n in example.columns() if (c := options[f"{n}_column"])}
        source = open_corpus(Path(options["input"]), example, task.name, columns=columns, options=_reading(options))
        root = Path(options["corpus_root"] or default_root())
        split = source.splits(root)[0]
        return source.inputs(root, split), source.beside(root, split)
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


def export(arguments: list[str]) -> None:
    """`ratsnlp-like export`."""
    from .predictor import describe_model

    parser = _parser("export", "Write a saved model for ONNX Runtime, and certify that it says the same.")
    parser.add_argument("model", type=str, help="a run folder (its best model) or a model folder")
    parser.add_argument("--to", type=Literal["onnx"], default="onnx", help="the only format there is: onnx")
    parser.add_argument("--output", type=str | None, default=None, help="the folder to write")
    parser.add_argument("--overwrite", action="store_true", help="replace the model in --output")
    parser.add_argument("--quantize", type=Literal["int8"] | None, default=None, help="weights of 8 bits: int8")
    parser.add_argument(
        "--max_drop",
        type=float,
        default=0.01,
        help="refuse where the best metric falls by more: absolute, or relative for perplexity",
    )
    parser.add_argument(
        "--corpus", type=str | None, default=None, help="compare on it; the corpus of the training by default"
    )
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int, default=64, help="windows of a batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="compare on this many examples")
    task, _ = describe_model(_first(arguments))
    _add_corpus_options(parser, task.example.columns() if task else ())
    options = _parse(parser, arguments)
    if not options["output"]:
        raise InputError("missing: --output", fix=f"--output {shlex.quote(options['model'])}-onnx")
    with lean.starting():
        from .export import export as run

    certificate = run(**_chosen(options, "to"))
    print(certificate.card())
    print(f"The model is in {options['output']}; ask it: ratsnlp-like predict {shlex.quote(options['output'])} ...")


def inspect(arguments: list[str]) -> None:
    """`ratsnlp-like inspect`."""
    from .corpora.base import default_root, guess_task, open_corpus
    from .registry import TASKS

    parser = _parser("inspect", "Look at a corpus, and at what a checkpoint's tokenizer makes of it.")
    parser.add_argument("corpus", type=str, help="a registered name, a file, or a hub id")
    parser.add_argument("--task", type=str | None, default=None, help="what it would be used for; guessed by default")
    parser.add_argument("--checkpoint", type=str | None, default=None, help="look at its tokens too")
    parser.add_argument("--max_length", type=int, default=128, help="of a window, in tokens")
    parser.add_argument("--normalization", type=list[str], default=[], help="steps of normalisation, as in train")
    parser.add_argument("--result", type=str | None, default=None, help="write the findings to this JSON file")
    task = _task_of(arguments, None)
    kinds = [TASKS[task]] if task else [kind for _, kind in TASKS.items()]
    _add_corpus_options(parser, dict.fromkeys(column for kind in kinds for column in kind.example.columns()))
    options = _parse(parser, arguments)
    _check_result(options["result"])
    reading = _reading(options)
    columns = {name.removesuffix("_column"): column for name, column in options.items() if name.endswith("_column")}
    name = task or guess_task(options["corpus"], reading, columns)
    made = TASKS[name](normalization=tuple(options["normalization"]))
    corpus = open_corpus(
        options["corpus"],
        made.example,
        name,
        columns={n: c for n in made.example.columns() if (c := columns.get(n))},
        label_separator=options["label_separator"],
        subset=options["subset"],
        options=reading,
    )
    from .inspection import inspect as look
    from .report import show_inspection

    root = Path(options["corpus_root"] or default_root())
    found = look(corpus, made, checkpoint=options["checkpoint"], max_length=options["max_length"], root=root)
    found["corpus"] = options["corpus"]
    _write_result(options["result"], found)
    show_inspection(found)


def list_(arguments: list[str]) -> None:
    """`ratsnlp-like list`."""
    from .checkpoints.base import bundled, describe_bundled
    from .corpora.formats import FORMATS
    from .registry import CHECKPOINTS, CORPORA, TASKS

    kinds: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "corpora": lambda: [(name, f"[{corpus.task}] {corpus.description}") for name, corpus in CORPORA.items()],
        "tasks": lambda: [(name, task.description) for name, task in TASKS.items()],
        "checkpoints": lambda: [
            *((name, "bundled: " + describe_bundled(name)) for name in bundled()),
            *((name, entry.description) for name, entry in CHECKPOINTS.items()),
        ],
        "formats": lambda: [(name, entry.description) for name, entry in FORMATS.items()],
    }
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    if not wanted:
        print("usage: ratsnlp-like list " + "|".join(kinds))
        if not arguments:
            raise InputError("missing: what to list", fix="ratsnlp-like list corpora")
        return
    if wanted[0] not in kinds:
        raise InputError(f"cannot list {wanted[0]!r}", fix=did_you_mean(wanted[0], kinds))
    entries = kinds[wanted[0]]()
    width = max((len(name) for name, _ in entries), default=0)
    for name, description in entries:
        print(f"{name:{width}}  {description}")
    if wanted[0] == "corpora":
        print(f"{'FILE':{width}}  a file of your own (ratsnlp-like list formats)")
        print(f"{'OWNER/NAME':{width}}  a data set of the Hugging Face hub")
    if wanted[0] == "checkpoints":
        print(f"{'OWNER/NAME':{width}}  any other checkpoint of the Hugging Face hub, or a folder")


def tokenizer(arguments: list[str]) -> None:
    """`ratsnlp-like tokenizer`."""
    commands = {"train": _train_tokenizer, "compare": _compare_tokenizers}
    command = arguments[0] if arguments else "--help"
    if command in {"-h", "--help"}:
        print("usage: ratsnlp-like tokenizer train CORPUS --output FOLDER ...")
        print("       ratsnlp-like tokenizer compare CORPUS CHECKPOINT ...")
        return
    if command not in commands:
        raise InputError(f"unknown command {command!r}", fix=did_you_mean(command, commands))
    commands[command](arguments[1:])


def _train_tokenizer(arguments: list[str]) -> None:
    from .vocabulary import VocabularyArguments, check_folder, save_tokenizer, train_tokenizer

    parser = _parser("tokenizer train", "Make a vocabulary from a corpus of text.")
    parser.add_argument("corpus", type=str, help="a registered name, a file, a folder of files, or a hub id")
    parser.add_argument(
        "--output", type=str | None, default=None, help="the folder to write: tokenizer and config.json"
    )
    parser.add_class_arguments(VocabularyArguments)
    _add_corpus_options(parser, ("text",))
    options = _parse(parser, arguments)
    if not options["output"]:
        raise InputError("missing: --output", fix="--output my-tokenizer")
    check_folder(Path(options["output"]))
    made = VocabularyArguments(**{f.name: options[f.name] for f in fields(VocabularyArguments)})
    trained = train_tokenizer(_corpus_texts(options), made)
    save_tokenizer(trained, Path(options["output"]))
    task = "masked-lm" if trained.mask_token_id is not None else "causal-lm"
    print(f"{made.kind} of {len(trained):,} tokens: {options['output']}")
    print(
        f"pretrain with it: ratsnlp-like train --task {task} --corpus {shlex.quote(options['corpus'])} "
        f"--checkpoint {shlex.quote(options['output'])} --init random"
    )


def _compare_tokenizers(arguments: list[str]) -> None:
    from .report import show_tokenizers
    from .vocabulary import compare_tokenizers

    parser = _parser("tokenizer compare", "What the tokenizers of several checkpoints make of a corpus of text.")
    parser.add_argument("corpus", type=str, help="a registered name, a file, a folder of files, or a hub id")
    parser.add_argument("checkpoints", nargs="*", type=str, help="bundled names, folders or hub ids")
    parser.add_argument("--limit", type=int, default=10_000, help="look at so many texts, the first ones")
    parser.add_argument("--result", type=str | None, default=None, help="write the figures to this JSON file")
    _add_corpus_options(parser, ("text",))
    options = _parse(parser, arguments)
    if not options["checkpoints"]:
        raise InputError(
            "missing: the checkpoints to compare", fix="ratsnlp-like tokenizer compare CORPUS ko-tiny-bert ko-tiny-gpt"
        )
    if options["limit"] < 1:
        raise InputError(f"{options['limit']}", place="--limit", expected="at least 1")
    _check_result(options["result"])
    found = compare_tokenizers(list(islice(_corpus_texts(options), options["limit"])), options["checkpoints"])
    _write_result(options["result"], found)
    show_tokenizers(found)


class _CorpusTexts:
    """The texts of the first split of a corpus, read anew each time."""

    def __init__(self, corpus: Corpus, root: Path) -> None:
        self._corpus, self._root = corpus, root
        self._split = corpus.splits(root)[0]

    def __iter__(self) -> Iterator[str]:
        for example in self._corpus.examples(self._root, self._split):
            yield example.text  # type: ignore[attr-defined]


def _corpus_texts(options: dict[str, Any]) -> _CorpusTexts:
    from .corpora.base import default_root, open_corpus
    from .examples import RawExample

    corpus = open_corpus(
        options["corpus"],
        RawExample,
        "tokenizer",
        columns={"text": options["text_column"]} if options["text_column"] else {},
        subset=options["subset"],
        options=_reading(options),
    )
    return _CorpusTexts(corpus, Path(options["corpus_root"] or default_root()))


_COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "train": train,
    "evaluate": evaluate,
    "predict": predict,
    "serve": serve,
    "export": export,
    "inspect": inspect,
    "tokenizer": tokenizer,
    "list": list_,
}


def _first(arguments: Sequence[str]) -> str | None:
    """The first argument that is no flag: the model folder, which decides which flags there are."""
    return next((a for a in arguments[:1] if not a.startswith("-")), None)


def _check_result(path: str | None) -> None:
    """A result that cannot be written is told before the work, not after."""
    if path is None:
        return
    if Path(path).is_dir():
        raise InputError("is a folder", place=path, expected="a file", fix=f"--result {Path(path) / 'result.json'}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)


def _write_result(path: str | None, content: dict[str, Any]) -> None:
    if path is not None:
        Path(path).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
