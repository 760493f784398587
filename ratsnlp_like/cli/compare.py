"""`ratsnlp-like compare`: whether saved models differ on the same rows."""

from __future__ import annotations

from ..arguments import EVAL_BATCH_SIZE
from .options import (
    add_corpus_options,
    add_precision,
    check_result_path,
    library_options,
    saved_task,
    write_result,
)
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like compare`."""
    parser = new_parser("compare", "Compare saved models on the same rows, with tests of significance.")
    parser.add_argument("models", nargs="*", type=str, help="two or more run folders or model folders")
    parser.add_argument(
        "--corpus", type=str | None, default=None, help="registered name, file, or hub id; by default that of the runs"
    )
    parser.add_argument("--split", type=str | None, default=None, help="test, validation or train; test by default")
    parser.add_argument("--eval_batch_size", type=int, default=EVAL_BATCH_SIZE, help="windows per batch")
    parser.add_argument("--limit_eval", type=int | None, default=None, help="compare on this many examples")
    parser.add_argument("--result", type=str | None, default=None, help="write the comparison to this JSON file")
    add_precision(parser)
    saved = saved_task(arguments)
    add_corpus_options(parser, saved.task.example.columns() if saved else ())
    options = parse(parser, arguments)
    check_result_path(options["result"])
    from ..evaluation.comparison import compare
    from ..evaluation.comparison_report import show_comparison

    found = compare(options["models"], **library_options(options, "models", "result"))
    write_result(options["result"], found)
    show_comparison(found)
