"""`ratsnlp-like tune`: search for hyperparameters with Optuna."""

from __future__ import annotations

from pathlib import Path

from ..runtime.gc_control import gc_frozen
from .options import check_result_path, library_options, write_result
from .parsing import parse
from .train import check_required, new_training_parser


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like tune`."""
    parser = new_training_parser(
        "tune",
        "Search for the learning rate, batch size, epochs, dropout and layer decay with the best score on the "
        "validation split. One that is set keeps its value. The test split is not read. The same command again "
        "continues a search.",
        arguments,
    )
    parser.add_argument("--output", type=str | None, default=None, help="folder of the search")
    parser.add_argument("--trials", type=int, default=20, help="number of finished trials, with those of earlier calls")
    parser.add_argument("--minutes", type=float | None, default=None, help="begin no trial after this many minutes")
    options = parse(parser, arguments)
    check_required(options, "task", "corpus", "checkpoint", "output")
    check_result_path(options["result"])
    from ..training.job import Job
    from ..training.search_space import OF_TRIALS

    chosen = library_options(options, "result")
    budget = {name: chosen.pop(name) for name in ("trials", "minutes")}
    output = chosen.pop("output")
    chosen |= OF_TRIALS
    job = Job.of(chosen.pop("task"), chosen.pop("corpus"), chosen.pop("checkpoint"), chosen)
    job.check()
    with gc_frozen():
        from ..evaluation.tuning_report import show_tuning
        from ..training.tuning import tune_job

    result = tune_job(job, Path(output), **budget)
    write_result(options["result"], result.to_dict())
    show_tuning(result)
