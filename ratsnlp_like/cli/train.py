"""`ratsnlp-like train`: fine-tune a checkpoint, evaluate it and save it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..runtime.gc_control import gc_frozen
from .main import is_first_process
from .options import (
    add_corpus_options,
    check_result_path,
    columns_of_all_tasks,
    library_options,
    task_of,
    write_result,
)
from .parsing import new_parser, parse

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser


def new_training_parser(command: str, description: str, arguments: list[str]) -> ArgumentParser:
    """Return a parser with the options of a run; those of its task, if the arguments name one."""
    from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]

    from ..arguments import DataArguments, ModelArguments, TrainingArguments, check_refused
    from ..registry import TASKS

    task = task_of(arguments)
    parser = new_parser(command, description)
    parser.add_argument("--config", action=ActionConfigFile, help="YAML file of options, such as config.yaml of a run")
    parser.add_argument("--task", type=str, help=f"{', '.join(TASKS)}; options of a task: --task NAME --help")
    parser.add_argument("--corpus", type=str, help="registered name, file, or hub id")
    parser.add_argument("--checkpoint", type=str, help="bundled name, folder, or hub id")
    parser.add_argument(
        "--result", type=str | None, default=None, help="write metrics, counts and times to this JSON file"
    )
    for kind in (DataArguments, ModelArguments, TrainingArguments):
        parser.add_class_arguments(kind)
    if task is not None:
        parser.add_class_arguments(TASKS[task])
    add_corpus_options(parser, TASKS[task].example.columns() if task else columns_of_all_tasks())
    if task is not None:
        check_refused([argument.partition("=")[0].removeprefix("--") for argument in arguments], TASKS[task])
    return parser


def check_required(options: dict[str, Any], *names: str) -> None:
    """Check that the options that every run needs are given.

    Raises:
        InputError: some are missing.
    """
    if missing := [name for name in names if not options.get(name)]:
        raise InputError(
            "missing: " + ", ".join(f"--{name}" for name in missing),
            fix="ratsnlp-like train --task classification --corpus sample-sentiment --checkpoint NAME; "
            "ratsnlp-like list tasks | corpora | checkpoints",
        )


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like train`."""
    arguments = _with_config_of_run(arguments)
    parser = new_training_parser("train", "Fine-tune a checkpoint on a corpus, evaluate it and save it.", arguments)
    parser.add_argument("--output", type=str | None, default=None, help="run folder")
    parser.add_argument("--resume", action="store_true", help="continue the unfinished run in --output")
    parser.add_argument("--overwrite", action="store_true", help="delete the run in --output first")
    options = parse(parser, arguments)
    check_required(options, "task", "corpus", "checkpoint")
    check_result_path(options["result"])
    from ..training.job import Job

    chosen = library_options(options, "result")
    where = {name: chosen.pop(name) for name in ("output", "resume", "overwrite")}
    job = Job.of(chosen.pop("task"), chosen.pop("corpus"), chosen.pop("checkpoint"), chosen)
    job.check()
    with gc_frozen():
        from ..evaluation.report import show_run
        from ..training.finetune import run_job

    result = run_job(job, **where)
    if is_first_process():
        write_result(options["result"], result.to_dict())
        show_run(result)


def _with_config_of_run(arguments: list[str]) -> list[str]:
    """Add the configuration of the run to `--output RUN --resume`."""
    names = [argument.partition("=")[0] for argument in arguments]
    if "--resume" not in names or "--config" in names or "--output" not in names:
        return arguments
    at = names.index("--output")
    folder = arguments[at].partition("=")[2] or "".join(arguments[at + 1 : at + 2])
    config = Path(folder) / "config.yaml"
    return ["--config", str(config), *arguments] if config.is_file() else arguments
