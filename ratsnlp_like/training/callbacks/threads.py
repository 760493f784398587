"""CpuThreads: as many threads as cores that other processes leave free."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl

from ...runtime.threads import ThreadControl


class CpuThreads(pl.Callback):
    """Adapts the number of torch's threads between batches on a CPU; see `runtime.threads.ThreadControl`.

    On a machine of its own, training is not changed. The number after training is the one before it.
    """

    def __init__(self) -> None:
        self._control: ThreadControl | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take one thread for each assigned core."""
        if trainer.strategy.root_device.type == "cpu":
            self._control = ThreadControl(work="training", fix="--threads")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Adapt the number between batches."""
        self._adapt()

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Adapt the number between batches."""
        self._adapt()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Restore the number, also after an exception."""
        if self._control is not None:
            self._control.restore()
            self._control = None

    def _adapt(self) -> None:
        if self._control is not None:
            self._control.adapt()
