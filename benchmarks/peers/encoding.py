"""Encode a corpus into a cache, or open it again: `datasets.map` or `TaskDataModule`.

    python -m benchmarks.peers.encoding datasets|toolkit --model FOLDER --train FILE --test FILE --cache FOLDER ...

Before the clock starts, a few rows are encoded elsewhere: both import a part of what they need only then. Memory is the
peak above what the process had at that point.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peers.clock import write
from benchmarks.peers.rows import head

Run = Callable[[str, str], int]
"""Function from the training file and the cache folder to the number of examples."""


def with_datasets(arguments: argparse.Namespace) -> Run:
    """Encode with `load_dataset` and `map`, which are cached."""
    from datasets import load_dataset
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(arguments.model)

    def tokenize(batch: dict[str, list[Any]]) -> Any:
        return tokenizer(batch["text"], truncation=True, max_length=128)

    def run(train: str, cache: str) -> int:
        files = {"train": train, "test": arguments.test}
        reading = {"delimiter": "\t", "quoting": 3, "keep_default_na": False, "cache_dir": cache}
        rows = load_dataset("csv", data_files=files, **reading)
        return len(rows.map(tokenize, batched=True)["train"])

    return run


def with_toolkit(arguments: argparse.Namespace) -> Run:
    """Encode with `TaskDataModule.setup`."""
    from ratsnlp_like.checkpoints.base import load_config
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.corpora.formats import Options
    from ratsnlp_like.corpora.opening import open_corpus
    from ratsnlp_like.data.module import TaskDataModule
    from ratsnlp_like.registry import TASKS

    task = TASKS["classification"]()
    tokenizer = load_tokenizer(arguments.model, load_config(arguments.model))

    def run(train: str, cache: str) -> int:
        plain = Options(quoting="none")
        own, test = (open_corpus(file, task.example, task.name, options=plain) for file in (train, arguments.test))
        data = TaskDataModule(task, own, tokenizer, eval_corpus=test, cache=Path(cache), max_length=128)
        data.setup("fit")
        assert data.train is not None
        return len(data.train)

    return run


def peak() -> float:
    """Return the peak memory of this process and its largest child, in MB (10^6 bytes)."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(resource.getrusage(kind).ru_maxrss for kind in kinds) * 1024 / 1e6


def cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that ended, in all threads."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Import, load the tokenizer, then measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["datasets", "toolkit"])
    for name in ("model", "train", "test", "cache"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--result", type=Path, required=True)
    arguments = parser.parse_args()
    run = {"datasets": with_datasets, "toolkit": with_toolkit}[arguments.kind](arguments)
    with tempfile.TemporaryDirectory() as folder:
        few = head(arguments.train, Path(folder) / "few.tsv")
        run(str(few), f"{folder}/cache")
    before, began, began_cpu = peak(), time.perf_counter(), cpu_seconds()
    examples = run(arguments.train, arguments.cache)
    figures = {"seconds": time.perf_counter() - began, "cpu_seconds": cpu_seconds() - began_cpu}
    write(arguments.result, {**figures, "examples": examples, "above_mb": peak() - before})


if __name__ == "__main__":
    main()
