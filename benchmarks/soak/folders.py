"""Damage to the files of saved models: a folder that opens predicts what it predicted before."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ratsnlp_like.inference.predictor import Predictor

from .damage import damaged, damaged_value, dumped
from .models import INPUTS, random_model
from .report import Report, WrongResultError, until

_TASKS = ("classification", "ner", "generation")
_UNREAD = frozenset({"README.md", "metrics.json"})
"""Files that a prediction does not depend on."""


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Open damaged model folders until the time is over."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        root = Path(name)
        for task in _TASKS:
            random_model(task).save_pretrained(root / task)
        right = {task: _predictions(root / task, task) for task in _TASKS}
        for rng in until(seconds, at_least, seed):
            task = _TASKS[rng.integers(0, len(_TASKS))]
            folder = root / "damaged"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(root / task, folder)
            kind, file, content = _damage(folder, rng)
            with report.trial(f"folder: {kind}", lambda: (file, content)):  # noqa: B023
                found = _predictions(folder, task)
                if found != right[task] and not _is_stated(kind):
                    raise WrongResultError(f"{file} of {task}: {found}, expected {right[task]}")
    logging.disable(logging.NOTSET)


def _is_stated(kind: str) -> bool:
    """Return True for damage after which another result is what the files state: a changed setting is valid."""
    return kind == "changed settings"


def _predictions(folder: Path, task: str) -> str:
    predictor = Predictor.from_pretrained(folder, device="cpu")
    options = {"max_new_tokens": 3, "sample": False} if task == "generation" else {}
    return repr(predictor(INPUTS[task], **options))


def _damage(folder: Path, rng: np.random.Generator) -> tuple[str, str, bytes]:
    """Damage one file, and return the kind of damage, the name of the file and its content."""
    files = sorted(path for path in folder.iterdir() if path.name not in _UNREAD or rng.integers(0, 10) == 0)
    path = files[rng.integers(0, len(files))]
    content = path.read_bytes()
    match rng.integers(0, 5):
        case 0:
            path.unlink()
            return "missing files", path.name, b""
        case 1:
            kind, new = "cut files", content[: rng.integers(0, len(content))]
        case 2:
            at = int(rng.integers(0, len(content)))
            size = min(4096, len(content) - at)
            kind, new = "zeroed pages", content[:at] + bytes(size) + content[at + size :]
        case 3 if path.suffix == ".json" and len(content) < 20_000:
            value: Any = json.loads(content)
            kind, new = "changed settings", dumped(damaged_value(value, rng), rng, lines=False)
        case _:
            kind, new = "changed bytes", damaged(content, rng)
    path.write_bytes(new)
    return kind, path.name, new
