"""Progress of training: a bar in a terminal or notebook, lines in a log."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar

from ..module import TaskModule

log = logging.getLogger("ratsnlp_like")


class ProgressBar(RichProgressBar):
    """A bar of 80 columns with the rate, the remaining time, the running loss and the monitored metric."""

    def _get_train_description(self, current_epoch: int) -> str:
        """Count epochs from 1, as everywhere else."""
        return f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Return metrics by short names: `loss`, `macro_f1`."""
        shown = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        return {name.removeprefix("train_").removeprefix("validation/"): value for name, value in shown.items()}


class ProgressLines(pl.Callback):
    """Logs a line every few seconds, where there is no terminal for a bar: step, rate, remaining time, loss."""

    def __init__(self, seconds: float = 15.0) -> None:
        self.seconds = seconds
        self._last = self._start = 0.0
        self._first = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._last = self._start = time.perf_counter()
        self._first = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log a line if the last one is old enough."""
        now = time.perf_counter()
        if now - self._last < self.seconds or not trainer.is_global_zero:
            return
        self._last = now
        step, total = trainer.global_step, int(trainer.estimated_stepping_batches)
        rate = (step - self._first) / (now - self._start)
        left = (total - step) / rate if rate else float("nan")
        loss = float(trainer.callback_metrics.get("train_loss", float("nan")))
        log.info("step %d of %d, %.1f a second, %d s left, loss %.4f", step, total, rate, left, loss)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Log the metrics of an evaluation."""
        if not isinstance(pl_module, TaskModule) or not trainer.is_global_zero:
            return
        best = pl_module.monitor
        shown = [f"{name} {pl_module.results[name]:.4f}" for name in ("loss", best) if name in pl_module.results]
        log.info("step %d, validation: %s", trainer.global_step, ", ".join(shown))
