"""CpuThreads: as many threads as cores that other processes leave free."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytorch_lightning as pl
import torch

from ...runtime.cores import OtherLoad, assigned_cores

log = logging.getLogger("ratsnlp_like")

_SECONDS = 0.5
"""Time over which the load is measured."""
_TOLERATED = 0.3
"""Load of other processes, in cores, that does not cost a thread."""
_PATIENCE = 6
"""Measurements in a row with a free core after which a thread is added."""


class CpuThreads(pl.Callback):
    """Lowers the number of torch's threads while other processes use the cores, and raises it again.

    The threads of OpenMP wait for each other in a loop. Where one of them has no core, all others spin until it gets
    one: beside one busy process, two threads on two cores reach a fraction of the speed of one. On a machine of its
    own, training is not changed. The number after training is the one before it.
    """

    def __init__(self) -> None:
        self._load = OtherLoad()
        self._before = self.most = self.threads = self.fewest = torch.get_num_threads()
        self._measured, self._free = time.perf_counter(), 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take one thread for each assigned core."""
        if trainer.strategy.root_device.type != "cpu":
            self.most = 1
            return
        self.most = self.threads = self.fewest = min(self.most, assigned_cores())
        torch.set_num_threads(self.threads)

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
        torch.set_num_threads(self._before)

    def _adapt(self) -> None:
        if self.most < 2 or time.perf_counter() - self._measured < _SECONDS:
            return
        wanted = self._wanted()
        self._free = self._free + 1 if wanted > self.threads else 0
        if wanted < self.threads or self._free == _PATIENCE:
            self._set(wanted)

    def _wanted(self) -> int:
        self._measured = time.perf_counter()
        return max(1, int(self.most - self._load.measure() + _TOLERATED))

    def _set(self, number: int) -> None:
        if number < self.fewest:
            log.warning(
                "other processes use %d of %d cores: training goes on with %d thread%s until they are free, and is not "
                "equal to another run bit for bit (--threads fixes the number).",
                self.most - number, self.most, number, "s" * (number != 1),
            )  # fmt: skip
            self.fewest = number
        self.threads, self._free = number, 0
        torch.set_num_threads(number)
