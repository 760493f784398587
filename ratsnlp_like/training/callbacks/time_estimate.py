"""TimeEstimate: the device of a run, and the time that it will take, after a few steps."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytorch_lightning as pl
import torch

from ...data.module import TaskDataModule

log = logging.getLogger("ratsnlp_like")

_FIRST, _MEASURED = 2, 10
"""Steps that are left out, since they allocate memory and choose kernels, and steps that are measured."""
_EVALUATION_SHARE = 1 / 3
"""Time of a window in evaluation over that in training: the forward pass, without the backward pass."""


class TimeEstimate(pl.Callback):
    """Logs the device at the start, and the expected time of training and evaluation after a few steps."""

    def __init__(self) -> None:
        self._batches = self._evaluations = 0
        self._since = self._evaluating = self._evaluated = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the device, the precision and the number of steps."""
        log.info(
            "training on %s, precision %s: %s steps",
            device_in_words(trainer), trainer.precision, f"{int(trainer.estimated_stepping_batches):,}",
        )  # fmt: skip

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Measure some batches and log the estimate."""
        self._batches += 1
        if self._batches == _FIRST:
            self._since, self._evaluated, self._evaluations = _now(trainer), 0.0, 0
        elif self._batches == _FIRST + _MEASURED:
            each = (_now(trainer) - self._since - self._evaluated) / _MEASURED
            steps = int(trainer.estimated_stepping_batches) - trainer.global_step
            seconds = steps * trainer.accumulate_grad_batches * each + self._evaluation_seconds(trainer, steps, each)
            log.info("about %s on %s", duration_in_words(seconds), device_in_words(trainer))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of an evaluation."""
        self._evaluating = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock of an evaluation; the models are saved by now."""
        self._evaluated += time.perf_counter() - self._evaluating
        self._evaluations += 1

    def _evaluation_seconds(self, trainer: pl.Trainer, steps: int, batch: float) -> float:
        """Return the time of the remaining evaluations: from those measured, else from the time of a training batch."""
        number = steps * trainer.accumulate_grad_batches / max(1, int(trainer.val_check_batch or 1))
        if self._evaluations:
            return number * self._evaluated / self._evaluations
        data = getattr(trainer, "datamodule", None)
        if not isinstance(data, TaskDataModule) or data.validation is None:
            return 0.0
        batches = len(data.val_dataloader()) * data.eval_batch_size / data.batch_size
        return number * batches * batch * _EVALUATION_SHARE


def _now(trainer: pl.Trainer) -> float:
    if trainer.strategy.root_device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def device_in_words(trainer: pl.Trainer) -> str:
    """Return such as `cpu (2 threads)` or `4 x NVIDIA H100`."""
    device = trainer.strategy.root_device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    if device.type == "cpu":
        name = f"cpu ({torch.get_num_threads()} thread{'s' * (torch.get_num_threads() != 1)})"
    return f"{trainer.world_size} x {name}" if trainer.world_size > 1 else name


def duration_in_words(seconds: float) -> str:
    """Return `40 s`, `3 min` or `2 h 10 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
