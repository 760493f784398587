"""Trainings in forked processes, which start in milliseconds, since the libraries are loaded already."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from dataclasses import dataclass
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from .models import CHECKPOINT, SMALL

_ARGUMENTS: dict[str, Any] = {
    "task": "classification",
    "corpus": "sample-sentiment",
    "checkpoint": CHECKPOINT,
    "init": "random",
    "config_overrides": json.dumps(SMALL),
    "epochs": 1,
    "batch_size": 8,
    "learning_rate": "1e-3",
    "max_length": 32,
    "limit_train": 64,
    "limit_eval": 24,
    "save_steps": 2,
    "precision": "32",
    "accelerator": "cpu",
    "progress": "false",
    "baselines": "false",
}
_COMPARED = ("best/model.safetensors", "best/metrics.json", "last/model.safetensors")


@cache
def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.soak.preload"])
    return context


def start(arguments: list[str], log: Path, *, largest_file: int | None = None) -> BaseProcess:
    """Start `ratsnlp-like` in a forked process, with its output in a file."""
    process = _context().Process(target=_main, args=(arguments, str(log), largest_file))
    process.start()
    return process


def _main(arguments: list[str], log: str, largest_file: int | None) -> None:
    import resource

    from ratsnlp_like.cli.main import main

    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(handle, stream)
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.exit(main(arguments))


@dataclass(frozen=True)
class Setup:
    """A run: its folder, its cache, and the output of its processes."""

    root: Path

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.root / "run"

    @property
    def log(self) -> Path:
        """Output of the processes."""
        return self.root / "log.txt"

    def arguments(self, cache: Path) -> list[str]:
        """Return the arguments of `train`; an unfinished run is continued."""
        options = {**_ARGUMENTS, "output": self.folder, "cache_dir": cache}
        return ["train", *(f"--{name}={value}" for name, value in options.items()), "--resume"]

    def finish(self, cache: Path) -> int:
        """Run to the end, and return the exit code."""
        process = start(self.arguments(cache), self.log)
        process.join(120)
        if process.exitcode is None:
            process.kill()
            process.join()
        return process.exitcode if process.exitcode is not None else -1

    def result(self) -> dict[str, bytes]:
        """Return the files that an uninterrupted run would have too."""
        return {name: (self.folder / name).read_bytes() for name in _COMPARED}


def reference(root: Path, cache: Path) -> tuple[dict[str, bytes], float]:
    """Return the files of an uninterrupted run, and its seconds.

    Raises:
        RuntimeError: it failed.
    """
    setup = Setup(root)
    root.mkdir(parents=True)
    setup.finish(cache)  # fills the cache, and the file cache of the system
    for path in sorted(setup.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    begun = time.monotonic()
    if (code := setup.finish(cache)) != 0:
        raise RuntimeError(f"the uninterrupted run ends with {code}: {setup.log.read_text()}")
    return setup.result(), time.monotonic() - begun
