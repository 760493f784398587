"""ThroughputMeter: examples, tokens and seconds of training, and peak memory."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
import torch

from ...data.batches import Loader
from ...runtime.hardware import PeakMemory, peak_memory


class ThroughputMeter(pl.Callback):
    """Counts examples, windows and tokens trained on, and the seconds from the first batch to the last step.

    Evaluations are not part of `seconds`; they are counted in `evaluation_seconds`. The callback precedes
    the one that saves models, so that the memory of evaluation and that of saving are separate.

    Args:
        memory: phases that have ended before training.
    """

    _COUNTS = ("examples", "windows", "tokens", "steps", "epochs", "seconds", "evaluation_seconds")

    def __init__(self, memory: PeakMemory | None = None) -> None:
        self.memory = memory or PeakMemory()
        self.examples = self.windows = self.tokens = self.steps = self.epochs = 0
        self.seconds = self.evaluation_seconds = 0.0
        self._since = self._evaluating = 0.0
        self._total: tuple[int, ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """Return the counts of this process, which a resumed run continues."""
        return {name: getattr(self, name) for name in self._COUNTS}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        vars(self).update(state_dict)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock of a run that is resumed within an epoch, for which Lightning starts no epoch."""
        self.memory.end("load")
        self._since = time.perf_counter()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock before the first batch is fetched."""
        self.memory.end("save")
        self.steps = trainer.global_step
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Count a batch."""
        now = time.perf_counter()
        self.seconds += now - self._since
        self._since = now
        self.steps = trainer.global_step
        if batch.get("repeated", False):  # another process counts these windows
            return
        self.windows += len(batch["index"])
        loader = trainer.train_dataloader
        if isinstance(loader, Loader):
            self.examples += int(loader.split.begins[batch["index"]].sum())
            self.tokens += int(loader.split.lengths[batch["index"]].sum())

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop the clock of training."""
        self.memory.end("train")
        self._evaluating = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restart the clock of training."""
        self.memory.end("evaluate")
        now = time.perf_counter()
        self.evaluation_seconds += now - self._evaluating
        self._since = now

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add up the counts of all processes."""
        self.epochs = trainer.current_epoch
        if trainer.world_size > 1:
            counts = [self.examples, self.windows, self.tokens]
            own = torch.tensor(counts, dtype=torch.int64, device=trainer.strategy.root_device)
            total = trainer.strategy.reduce(own, reduce_op="sum")
            self._total = tuple(int(number) for number in total)

    def summary(self) -> dict[str, Any]:
        """Return the counts for result.json; memory is the peak of this process, in MB (10^6 bytes).

        `peak_memory_by_phase_mb` states by how much each phase raised the peak; the phases add up to it.
        """
        self.memory.end("test")
        examples, windows, tokens = self._total or (self.examples, self.windows, self.tokens)
        out = {
            "steps": self.steps,
            "epochs": self.epochs,
            "examples": examples,
            "windows": windows,
            "tokens": tokens,
            "train_seconds": round(self.seconds, 3),
            "examples_per_second": round(examples / self.seconds, 2) if self.seconds else 0.0,
            "evaluation_seconds": round(self.evaluation_seconds, 3),
            "peak_memory_mb": round(peak_memory() / 1e6, 1),
            "peak_memory_by_phase_mb": {phase: round(size / 1e6, 1) for phase, size in self.memory.raised.items()},
        }
        if torch.cuda.is_available():
            out["peak_gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        return out
