"""`ratsnlp-like inspect`: statistics of a corpus, and of its tokens for a checkpoint."""

from __future__ import annotations

from pathlib import Path

from .options import add_corpus_options, check_result_path, columns_of_all_tasks, reading_options, task_of, write_result
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
    parser.add_argument("--result", type=str | None, default=None, help="write the findings to this JSON file")
    task = task_of(arguments)
    add_corpus_options(parser, TASKS[task].example.columns() if task else columns_of_all_tasks())
    options = parse(parser, arguments)
    check_result_path(options["result"])
    reading = reading_options(options)
    columns = {name.removesuffix("_column"): column for name, column in options.items() if name.endswith("_column")}
    name = task or infer_task(options["corpus"], reading, columns)
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
