"""`ratsnlp-like compare`: whether saved models differ on the same rows."""

from __future__ import annotations

from ..arguments import EVAL_BATCH_SIZE
from .options import (
    add_corpus_options,
    add_precision,
    check_result_path,
    first_positional,
    library_options,
    write_result,
)
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like compare`."""
    from ..inference.model_folder import describe_model

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
    task, _ = describe_model(first_positional(arguments))
    add_corpus_options(parser, task.example.columns() if task else ())
    options = parse(parser, arguments)
    check_result_path(options["result"])
    from ..evaluation.comparison import compare
    from ..evaluation.comparison_report import show_comparison

    found = compare(options["models"], **library_options(options, "models", "result"))
    write_result(options["result"], found)
    show_comparison(found)
