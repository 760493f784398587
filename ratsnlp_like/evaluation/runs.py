"""The runs below a folder, read from their configuration and result files alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError
from ..registry import TASKS


@dataclass(frozen=True)
class RunRecord:
    """One run folder."""

    folder: str
    task: str
    corpus: str
    checkpoint: str
    metric: str | None
    """The metric by which the best model is chosen; None for a task that is not registered here."""
    score: float | None
    """Its value on the test split, else on the validation split; None for an unfinished run."""
    split: str | None
    """The split of the score."""
    interval: list[float] | None
    """Its 95% interval, where there is one."""
    seconds: float | None
    """Training time."""
    finished: str | None
    """Local time at which the run was finished, ISO 8601; None for an unfinished run."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def find_runs(folder: str | Path) -> list[RunRecord]:
    """Return the runs in a folder and below it, by folder name.

    Raises:
        InputError: there is no such folder.
    """
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise InputError("no such folder", place=folder, fix="ratsnlp-like list runs FOLDER, the folder of the runs")
    return sorted(_records(root), key=lambda record: record.folder)


def _records(root: Path) -> Iterator[RunRecord]:
    for path in root.rglob("config.yaml"):
        config = _mapping(path)
        if {"task", "corpus", "checkpoint"} <= config.keys():
            yield _record(path.parent, config)


def _record(folder: Path, config: Mapping[str, Any]) -> RunRecord:
    path = folder / "result.json"
    result = _mapping(path) if path.is_file() else {}
    metric = TASKS[config["task"]].best_metric if config["task"] in TASKS else None
    split = next((split for split, key in _SPLITS.items() if result.get(key)), None)
    scores = result[_SPLITS[split]] if split else {}
    return RunRecord(
        folder=str(folder),
        task=str(config["task"]),
        corpus=str(config["corpus"]),
        checkpoint=str(config["checkpoint"]),
        metric=metric,
        score=scores.get(metric),
        split=split,
        interval=scores.get("intervals", {}).get(metric),
        seconds=result.get("train_seconds"),
        finished=datetime.fromtimestamp(path.stat().st_mtime).isoformat(timespec="seconds") if result else None,
    )


_SPLITS = {"test": "test_metrics", "validation": "metrics"}
"""Split -> key of result.json."""


def _mapping(path: Path) -> dict[str, Any]:
    """Return the content of a YAML or JSON file; empty where it holds something else."""
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, UnicodeDecodeError, ValueError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}
