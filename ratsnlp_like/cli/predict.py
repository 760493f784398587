"""`ratsnlp-like predict`: predictions of a saved model for arguments, a file, or lines of standard input."""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..runtime.gc_control import gc_frozen
from .options import add_corpus_options, add_head, add_precision, add_task_options, saved_task
from .parsing import new_parser, parse
from .prediction_inputs import Input, read_inputs
from .prediction_outputs import Failures, open_output, output_format, to_row, write_rows

if TYPE_CHECKING:
    from ..inference.explanation import Explanation
    from ..inference.predictor import Outcome, Predictor

log = logging.getLogger("ratsnlp_like")


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like predict`."""
    parser = new_parser("predict", "Predict on new text with a saved model: arguments, a file, or standard input.")
    parser.add_argument("model", type=str, help="run folder (its best model) or model folder")
    parser.add_argument("texts", nargs="*", type=str, help="texts")
    parser.add_argument("--input", type=str | None, default=None, help="file of texts: lines, CSV, TSV, JSONL, ...")
    parser.add_argument(
        "--output", type=str | None, default=None, help="FILE.jsonl or FILE.csv; standard output by default"
    )
    parser.add_argument("--show", type=str | None, default=None, help="format of standard output: table, jsonl or csv")
    parser.add_argument("--batch_size", type=int, default=32, help="windows per batch")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="show which words a decision rests on (classes, pairs, scores, entities, answers)",
    )
    parser.add_argument("--stream", action="store_true", help="print text while it is generated")
    add_precision(parser)
    add_head(parser)
    saved = saved_task(arguments)
    task = saved.task if saved else None
    names = task.usable_options() if task else frozenset()
    if task is not None:
        add_task_options(parser, task, names)
    add_corpus_options(parser, task.example.columns() if task else ())
    options = parse(parser, arguments)
    if saved is None or task is None:
        raise InputError("missing: the model", fix='ratsnlp-like predict RUN "문장"')
    form = output_format(options["output"], options["show"], has_texts=bool(options["texts"]))
    inputs = read_inputs(options, task, saved.columns)
    with gc_frozen():
        from ..inference.predictor import Predictor

        predictor = Predictor.from_pretrained(
            options["model"], precision=options["precision"], task=options["task"], labels=options["labels"]
        )
    if names:
        predictor = predictor.with_options(**{name: options[name] for name in names})
    if options["explain"]:
        _explain(predictor, inputs, form, options)
        return
    if options["stream"]:
        _stream(predictor, inputs, [name for name in ("output", "show") if options[name]])
        return
    failures = Failures()
    pairs = failures.watch(_outcomes(predictor, inputs, options["batch_size"]))
    if form == "table":
        from ..evaluation.prediction_report import show_predictions

        show_predictions(outcome for _, outcome in pairs)
    else:
        rows = (to_row(given, outcome, predictor.task) for given, outcome in pairs)
        with open_output(options["output"], options["input"]) as file:
            write_rows(rows, file, form, complete=options["output"] is not None)
            failures.check()
    failures.check()
    if options["output"]:
        log.info("%s predictions: %s", f"{failures.total - failures.count:,}", options["output"])
    if predictor.truncated:
        how = predictor.task.truncation(predictor.max_length)
        log.warning("%s %s; the rest of each was cut off.", f"{predictor.truncated:,}", how)
    if report := predictor.unknown.report():
        log.warning("%s.", report)
    failures.log()


def _outcomes(predictor: Predictor, inputs: Iterable[Input], batch_size: int) -> Iterator[tuple[Input, Outcome]]:
    """Yield each input with its outcome."""
    waiting: deque[Input] = deque()

    def values() -> Iterator[Any]:
        for given in inputs:
            waiting.append(given)
            yield given.value

    for outcome in predictor.outcomes(values(), batch_size=batch_size):
        yield waiting.popleft(), outcome


def _explain(predictor: Predictor, inputs: Iterable[Input], form: str, options: dict[str, Any]) -> None:
    """Print or write each prediction with the part of each eojeol in its decisions."""
    from ..evaluation.prediction_report import show_explanations
    from ..inference.explanation import check_explainable

    if options["stream"]:
        raise InputError("--explain and --stream", fix="use one of them")
    check_explainable(predictor)
    failures = Failures()
    outcomes = failures.watch(_outcomes(predictor, inputs, options["batch_size"]))
    pairs = ((given, outcome, _explained(predictor, outcome)) for given, outcome in outcomes)
    if form == "table":
        for _, outcome, explanations in pairs:
            show_explanations(outcome, explanations)
    else:
        with open_output(options["output"], options["input"]) as file:
            rows = (
                to_row(given, outcome, predictor.task)
                | ({} if explanations is None else {"explanations": [own.to_dict() for own in explanations]})
                for given, outcome, explanations in pairs
            )
            write_rows(rows, file, form, complete=options["output"] is not None)
            failures.check()
    failures.check()
    failures.log()


def _explained(predictor: Predictor, outcome: Outcome) -> list[Explanation] | None:
    if outcome.example is None or isinstance(outcome.result, InputError):
        return None
    return predictor.explain(outcome.example)


def _stream(predictor: Predictor, prompts: Iterable[Input], unused: Sequence[str]) -> None:
    """Print each prompt on a line, followed by its continuation while it is generated."""
    if unused:
        raise InputError(f"--stream and --{unused[0]}", fix=f"use one of them: --{unused[0]} is for whole rows")
    for prompt in prompts:
        if isinstance(prompt.value, InputError):
            raise prompt.value
        pieces = predictor.stream(prompt.value)
        sys.stdout.write(str(prompt.value))
        for piece in pieces:
            sys.stdout.write(piece)
            sys.stdout.flush()
        sys.stdout.write("\n")
