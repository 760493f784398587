"""`ratsnlp-like inspect`: statistics of a corpus, and of its tokens for a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import InputError
from .options import (
    add_corpus_options,
    check_result_path,
    columns_of_all_tasks,
    library_options,
    reading_options,
    task_of,
    write_result,
)
from .parsing import new_parser, parse


def run(arguments: list[str]) -> None:
    """Run `ratsnlp-like inspect`."""
    from ..corpora.detection import infer_task
    from ..corpora.opening import open_corpus
    from ..registry import TASKS
    from ..runtime.places import default_root

    parser = new_parser("inspect", "Report statistics of a corpus, and of its tokens for a checkpoint.")
    parser.add_argument("corpus", type=str, help="registered name, file, or hub id")
    parser.add_argument("--task", type=str | None, default=None, help="task; inferred from the corpus by default")
    parser.add_argument("--checkpoint", type=str | None, default=None, help="checkpoint whose tokens are inspected")
    parser.add_argument("--max_length", type=int, default=128, help="length of a window, in tokens")
    parser.add_argument("--normalization", type=list[str], default=[], help="steps of normalization, as in train")
    parser.add_argument(
        "--label_errors",
        action="store_true",
        help="list labels that are probably wrong (confident learning; fine-tunes --checkpoint once for each fold)",
    )
    parser.add_argument("--folds", type=int, default=5, help="number of models for --label_errors")
    parser.add_argument(
        "--training", type=dict, default={}, help='options of train for --label_errors, such as {"epochs": 2}'
    )
    parser.add_argument("--result", type=str | None, default=None, help="write the findings to this JSON file")
    task = task_of(arguments)
    add_corpus_options(parser, TASKS[task].example.columns() if task else columns_of_all_tasks())
    options = parse(parser, arguments)
    check_result_path(options["result"])
    reading = reading_options(options)
    columns = {name.removesuffix("_column"): column for name, column in options.items() if name.endswith("_column")}
    name = task or infer_task(options["corpus"], reading, columns)
    if options["label_errors"]:
        _list_label_errors(name, options, columns)
        return
    made = TASKS[name](normalization=tuple(options["normalization"]))
    corpus = open_corpus(
        options["corpus"],
        made.example,
        name,
        columns={n: c for n in made.example.columns() if (c := columns.get(n))},
        label_separator=options["label_separator"],
        subset=options["subset"],
        label_type=options["label_type"],
        group_column=options["group_column"],
        files={split: options[f"{split}_files"] for split in ("train", "validation", "test")},
        options=reading,
    )
    from ..evaluation.inspection import inspect
    from ..evaluation.inspection_report import show_inspection

    root = Path(options["corpus_root"] or default_root())
    found = inspect(corpus, made, checkpoint=options["checkpoint"], max_length=options["max_length"], root=root)
    found["corpus"] = options["corpus"]
    write_result(options["result"], found)
    show_inspection(found)


def _list_label_errors(task: str, options: dict[str, Any], columns: dict[str, str | None]) -> None:
    """List the labels of the training split that are probably wrong."""
    if options["checkpoint"] is None:
        raise InputError("--label_errors without a checkpoint", fix="--checkpoint klue/bert-base, or ko-tiny-bert")
    from ..evaluation.inspection_report import show_label_errors
    from ..evaluation.label_errors import find_label_errors

    own = {"corpus", "task", "checkpoint", "label_errors", "folds", "training", "result"}
    found = find_label_errors(
        task=task,
        corpus=options["corpus"],
        checkpoint=options["checkpoint"],
        folds=options["folds"],
        **{name: value for name, value in library_options(options, *own).items() if not name.endswith("_column")},
        **{f"{name}_column": column for name, column in columns.items() if column and name in _columns_of(task)},
        **options["training"],
    )
    write_result(options["result"], found.to_dict())
    show_label_errors(found)


def _columns_of(task: str) -> tuple[str, ...]:
    from ..registry import TASKS

    return tuple(TASKS[task].example.columns())
