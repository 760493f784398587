"""Callbacks, modules and small models that tests of training share."""

from __future__ import annotations

import csv
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from helpers import (
    CHECKPOINT,
    TINY,
)

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.training import module

STEPS = 6
"""Of an epoch of `helpers.job`: 48 examples in batches of 8."""


class At(pl.Callback):
    """Calls a function at the start of one batch, counted over all epochs."""

    def __init__(self, batch: int, call: Callable[[pl.Trainer], None]) -> None:
        self.batch, self.call, self.seen = batch, call, 0

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen += 1
        if self.seen == self.batch:
            self.call(trainer)


class Watch(pl.Callback):
    """Records learning rates, modes and parameter groups of a run."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.modes: list[bool] = []
        self.decays: dict[str, float] = {}
        self.evaluated_after: list[int] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        (optimizer,) = trainer.optimizers
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.modes.append(all(module.training for module in pl_module.modules()))
        decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
        self.decays = {name: decay[id(p)] for name, p in pl_module.named_parameters()}

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.evaluated_after.append(trainer.global_step)


class Masks(pl.Callback):
    """Records the inputs and the targets of a language model, batch by batch."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append(str([batch[name].tolist() for name in ("input_ids", "positions", "labels")]))


def ctrl_c(trainer: pl.Trainer) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def power_cut(trainer: pl.Trainer) -> None:
    raise RuntimeError("power cut")


def logged(run: Path, name: str) -> list[float]:
    """A column of metrics.csv without its empty cells."""
    with (run / "logs" / "version_0" / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def scores(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Give macro_f1 these values in consecutive evaluations, repeating the last one."""
    score, given = module.score, iter(values)

    def scored(*arguments: Any) -> dict[str, Any]:
        return score(*arguments) | {"macro_f1": next(given, values[-1])}

    monkeypatch.setattr(module, "score", scored)
    monkeypatch.setattr(module.TaskModule, "add_intervals", lambda self: None)  # which scores resampled predictions


def small_config(**more: Any) -> Any:
    config = load_config(resolve(CHECKPOINT), TINY | more)
    config.num_labels = 2
    return config


def quiet_trainer(tmp_path: Path, **options: Any) -> pl.Trainer:
    own = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    return pl.Trainer(default_root_dir=tmp_path, enable_progress_bar=False, **own | options)
