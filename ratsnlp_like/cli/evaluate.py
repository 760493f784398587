"""`ratsnlp-like evaluate`: metrics of a saved model on a corpus."""

from __future__ import annotations

import logging

from ..runtime.gc_control import gc_frozen
from ..text.perturbations import PERTURBATIONS
from .options import (
    add_corpus_options,
    add_head,
    add_precision,
    add_task_options,
    check_result_path,
    library_options,
    saved_task,
    write_result,
)
from .parsing import new_parser, parse

log = logging.getLogger("ratsnlp_like")


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like evaluate`."""
    from ..evaluation.report import show_metrics

    parser = new_parser("evaluate", "Evaluate a saved model on a corpus.")
    parser.add_argument("model", type=str, help="run folder (its best model) or model folder")
    parser.add_argument(
        "--corpus",
        type=str | None,
        default=None,
        help="registered name, file, or hub id; by default the held-out rows of the run",
    )
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int | None, default=None, help="windows per batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="evaluate on this many examples")
    parser.add_argument("--result", type=str | None, default=None, help="write the metrics to this JSON file")
    parser.add_argument(
        "--metrics", type=tuple[str, ...], default=(), help="registered metrics to report next to those of the task"
    )
    parser.add_argument(
        "--errors", type=str | None, default=None, help="write each wrong row to FILE.csv, FILE.jsonl or FILE.html"
    )
    parser.add_argument(
        "--slice_column", type=str | None, default=None, help="column of the corpus whose values are slices to compare"
    )
    parser.add_argument(
        "--perturb",
        type=str,
        default="",
        help=f"evaluate with noise too: some of {', '.join(PERTURBATIONS)}, with commas; or all",
    )
    add_precision(parser)
    add_head(parser)
    saved = saved_task(arguments)
    task = saved.task if saved else None
    if task is not None:
        add_task_options(parser, task, task.usable_options() | task.evaluation_options)
    add_corpus_options(parser, task.example.columns() if task else ())
    options = parse(parser, arguments)
    check_result_path(options["result"])
    with gc_frozen():
        from ..evaluation.evaluate import evaluate

    metrics = evaluate(options["model"], **library_options(options, "model", "result"))
    write_result(options["result"], metrics)
    show_metrics(metrics)
    if options["errors"]:
        log.info("mistakes: %s", options["errors"])
