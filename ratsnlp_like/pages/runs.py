"""The files of a finished run that its report is made of."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError

ANALYSIS = "analysis.json"
"""File of a run folder: mistakes, slices, reliability, statistics of the corpus, environment."""
REPORT = "report.html"


def seed_folder(folder: Path, seed: int) -> Path:
    """Return the run folder of one of several seeds."""
    return folder / f"seed-{seed}"


@dataclass(frozen=True)
class RunFiles:
    """Configuration, results, analysis and history of a run; of several seeds those of the best."""

    folder: Path
    of_seed: Path
    """Folder of the run that analysis and history are from: that of the best seed where there are several."""
    config: Mapping[str, Any]
    result: Mapping[str, Any]
    analysis: Mapping[str, Any]
    history: Mapping[str, list[tuple[float, float]]]
    """Name of a logged number -> its values by optimizer step."""
    finished: str

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    @property
    def scores(self) -> Mapping[str, Any]:
        """Metrics on the test split, else on the validation split."""
        return self.result.get("test_metrics") or self.result["metrics"]

    @property
    def split(self) -> str:
        """The split of `scores`."""
        return "test" if self.result.get("test_metrics") else "validation"

    @property
    def best_metric(self) -> str:
        """The metric that chose the best model."""
        known = self.config.get("monitor") or self.analysis.get("best_metric")
        return str(known) if known in self.scores else next(iter(numbers(self.scores)), "loss")


def numbers(scores: Mapping[str, Any]) -> dict[str, float]:
    """Return the metrics that are numbers."""
    return {name: value for name, value in scores.items() if isinstance(value, (int, float))}


def read_run(folder: Path) -> RunFiles:
    """Return the files of a run.

    Raises:
        InputError: it is not the folder of a finished run.
    """
    config, result = folder / "config.yaml", folder / "result.json"
    if not config.is_file():
        raise InputError("not a run folder", place=folder, expected="a folder that `ratsnlp-like train` wrote")
    if not result.is_file():
        raise InputError("the run is not finished", place=folder, fix=f"ratsnlp-like train --output {folder} --resume")
    content = _read(result)
    own = seed_folder(folder, content["seeds"]["best"]) if content.get("seeds") else folder
    return RunFiles(
        folder,
        own,
        _read(config),
        content,
        _read(own / ANALYSIS) if (own / ANALYSIS).is_file() else {},
        _history(own / "logs"),
        datetime.fromtimestamp(result.stat().st_mtime).strftime("%Y-%m-%d %H:%M"),
    )


def _read(path: Path) -> Mapping[str, Any]:
    """Return the content of a JSON or YAML file.

    Raises:
        InputError: it is damaged.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise InputError(
            f"cannot be read: {' '.join(str(error).split())[:120]}", place=path, fix="train again"
        ) from None
    if not isinstance(content, dict):
        raise InputError("is damaged", place=path, expected="a mapping", fix="train again")
    return content


def _history(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return what the CSV logger wrote; a resumed run has a file for each part."""
    found: dict[str, dict[float, float]] = {}
    paths = sorted(folder.glob("version_*/metrics.csv"), key=lambda path: int(path.parent.name.partition("_")[2]))
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for name, cell in row.items():
                    if name not in {"step", "epoch", None} and cell:
                        found.setdefault(name, {})[float(row["step"]) + 1] = float(cell)  # it counts from 0
    return {name: sorted(values.items()) for name, values in found.items()}
