"""Time and memory of encoding a corpus into the cache, and of opening it again.

    python -m benchmarks.encoding --corpus nsmc --corpus_root FOLDER --checkpoint FOLDER

Each start is a process of its own, as `train` would be; memory is its peak resident set.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def start(arguments: argparse.Namespace) -> None:
    """Measure imports, reading, encoding (or opening the cache) and the first batch."""
    begun = time.perf_counter()
    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.corpora.opening import open_corpus
    from ratsnlp_like.data.module import TaskDataModule
    from ratsnlp_like.registry import TASKS

    imported = time.perf_counter()
    imports = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    task = TASKS[arguments.task]()
    name = resolve(arguments.checkpoint)
    tokenizer = load_tokenizer(name, load_config(name))
    corpus = open_corpus(arguments.corpus, task.example, task.name)
    root = Path(arguments.corpus_root) if arguments.corpus_root else None
    data = TaskDataModule(task, corpus, tokenizer, root=root, cache=Path(arguments.cache))
    data.setup("fit")
    ready = time.perf_counter()
    next(iter(data.train_dataloader()))
    rows = {name: size["examples"] for name, size in data.summary().items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{rows}: imports {imported - begun:.1f} s, data {ready - imported:.2f} s, "
        f"first batch {1000 * (time.perf_counter() - ready):.0f} ms, "
        f"peak {peak * 1024 / 1e6:.0f} MB ({(peak - imports) * 1024 / 1e6:.0f} MB above the imports)"
    )


def main() -> None:
    """Run with a cold and with a warm cache."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="classification")
    parser.add_argument("--corpus", default="nsmc")
    parser.add_argument("--corpus_root")
    parser.add_argument("--checkpoint", default="ko-blank-bert")
    parser.add_argument("--cache", help="an empty folder; a temporary one by default")
    parser.add_argument("--one", action="store_true", help="one start in this process")
    arguments = parser.parse_args()
    if arguments.one:
        start(arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        cache = arguments.cache or folder
        for what in ("cold", "warm"):
            print(what, end=": ", flush=True)
            command = [sys.executable, "-m", "benchmarks.encoding", *sys.argv[1:], "--cache", cache, "--one"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
