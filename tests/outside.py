"""Helpers of the tests of tasks that are defined outside the package."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers import job

from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import AnyTask
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune


@contextmanager
def registered(task: type[AnyTask]) -> Iterator[None]:
    """Register a task under its name while tests run."""
    TASKS.register(task.name, task)
    try:
        yield
    finally:
        TASKS.remove(task.name)


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write rows as lines of JSON, and return the path."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def train(folder: Path, task: str, corpus: Path, **options: Any) -> FineTuneResult:
    """Fine-tune a small model on all rows of a file."""
    return fine_tune(**job(folder, task=task, corpus=corpus, limit_train=None, limit_eval=None, **options))
