"""cli.inspect."""

from __future__ import annotations

from pathlib import Path

from .parsing import add_corpus_options, check_result_path, new_parser, parse, reading_options, task_of, write_result


def run(arguments: list[str]) -> None:
    """`ratsnlp-like inspect`."""
    from ..corpora.base import default_root
    from ..corpora.detection import infer_task
    from ..corpora.opening import open_corpus
    from ..registry import TASKS

    parser = new_parser("inspect", "Look at a corpus, and at what a checkpoint's tokenizer makes of it.")
    parser.add_argument("corpus", type=str, help="a registered name, a file, or a hub id")
    parser.add_argument("--task", type=str | None, default=None, help="what it would be used for; guessed by default")
    parser.add_argument("--checkpoint", type=str | None, default=None, help="look at its tokens too")
    parser.add_argument("--max_length", type=int, default=128, help="of a window, in tokens")
    parser.add_argument("--normalization", type=list[str], default=[], help="steps of normalisation, as in train")
    parser.add_argument("--result", type=str | None, default=None, help="write the findings to this JSON file")
    task = task_of(arguments, None)
    kinds = [TASKS[task]] if task else [kind for _, kind in TASKS.items()]
    add_corpus_options(parser, dict.fromkeys(column for kind in kinds for column in kind.example.columns()))
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
        options=reading,
    )
    from ..evaluation.inspection import inspect as look
    from ..evaluation.report import show_inspection

    root = Path(options["corpus_root"] or default_root())
    found = look(corpus, made, checkpoint=options["checkpoint"], max_length=options["max_length"], root=root)
    found["corpus"] = options["corpus"]
    write_result(options["result"], found)
    show_inspection(found)
