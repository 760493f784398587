"""training.callbacks.checkpoint."""

from __future__ import annotations

import logging
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn

from ...errors import InputError, is_full
from ...inference.predictor import Predictor
from ...runtime.files import move_into_place
from ..module import TaskModule

log = logging.getLogger("ratsnlp_like")

CHECKPOINT = "resume.ckpt"
"""What `--resume` goes on from: weights, optimiser, schedule, place in the epoch, random numbers."""


class CheckpointCallback(pl.Callback):
    """Keeps `best/`, `last/` and what resuming needs; stops between two steps when asked to.

    Args:
        folder: of the run.
        predictor: makes the predictor that is saved, from the module and its last metrics.
    """

    def __init__(self, folder: Path, predictor: Callable[[TaskModule], Predictor]) -> None:
        self.folder, self._predictor = folder, predictor
        self.best: list[float] | None = None
        self.evaluated = self._saved = -1
        """The optimiser step of the last evaluation."""
        self.interrupted = False
        self._stop_requested = False
        self._handlers: dict[int, Any] = {}
        self._random: list[torch.Tensor] | None = None

    # The state that a resumed run needs beside Lightning's own

    def state_dict(self) -> dict[str, Any]:
        """The best value so far and the state of the random numbers."""
        return {"best": self.best, "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state_all()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `state_dict`."""
        self.best = state_dict["best"]
        self._random = [state_dict["random"], *state_dict["random_cuda"]]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Dropout goes on where it stopped; Ctrl-C waits for the end of a step."""
        if self._random is not None:
            torch.set_rng_state(self._random[0].cpu())
            if len(self._random) == 1 + torch.cuda.device_count():  # as many GPUs as before
                torch.cuda.set_rng_state_all([state.cpu() for state in self._random[1:]])
            self._random = None
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._request_stop)

    def _request_stop(self, number: int, frame: Any) -> None:
        if self._stop_requested:
            raise KeyboardInterrupt
        self._stop_requested = True
        log.warning("Stopping after this step; what was learnt is saved. (Once more: stop at once.)")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop here when asked to, with nothing half done."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if self._evaluation_is_due(trainer):
            return
        if self._stop_is_requested(trainer):
            self._save_last(trainer, pl_module)
            self._stop()
        elif trainer.global_step == trainer.max_steps:
            trainer.should_stop = True  # so that Lightning evaluates here, where the epoch does not yet count as whole

    def _stop_is_requested(self, trainer: pl.Trainer) -> bool:
        """Whether any process was asked to stop: all stop at the same step."""
        return trainer.strategy.reduce_boolean_decision(self._stop_requested, all=False)

    @staticmethod
    def _evaluation_is_due(trainer: pl.Trainer) -> bool:
        """Stopping before an evaluation that belongs to this step would lose it: a resumed run begins behind it."""
        every, batches = trainer.val_check_interval, trainer.fit_loop.epoch_loop.total_batch_idx + 1
        return batches % every == 0 if isinstance(every, int) else trainer.is_last_batch

    def _stop(self) -> NoReturn:
        self.interrupted = True
        raise KeyboardInterrupt

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep the model where it is the best so far, and the state in any case."""
        if trainer.sanity_checking or not isinstance(pl_module, TaskModule):
            return
        self.evaluated = trainer.global_step
        value = float(pl_module.results[pl_module.task.best_metric])
        # of equal metrics the lower loss wins: a small validation split has many ties
        rank = [value if pl_module.task.maximize else -value, -float(pl_module.results.get("loss", 0.0))]
        if self.best is None or rank > self.best:
            self.best = rank
            self._save_model(trainer, pl_module, "best")
        if trainer.state.fn == TrainerFn.FITTING:
            self._save_last(trainer, pl_module)
            if self._stop_is_requested(trainer):
                self._stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The last state, also where the last steps were not evaluated."""
        if not self.interrupted and self._saved != trainer.global_step:
            self._save_last(trainer, pl_module)
        self.release()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Give Ctrl-C back."""
        self.interrupted = self.interrupted or isinstance(exception, KeyboardInterrupt)
        self.release()

    def release(self) -> None:
        """Put the handlers of signals back."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def _save_model(self, trainer: pl.Trainer, module: pl.LightningModule, name: str) -> None:
        state = trainer.strategy.lightning_module_state_dict()  # whole on rank 0 under every strategy
        if trainer.is_global_zero and isinstance(module, TaskModule):
            weights = {key.removeprefix("model."): v for key, v in state.items() if key.startswith("model.")}
            self._predictor(module).save_pretrained(self.folder / name, state_dict=weights)
        trainer.strategy.barrier()

    def _save_last(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._save_model(trainer, module, "last")
        partial = self.folder / (CHECKPOINT + ".partial")
        try:
            with temporary_files_in(self.folder):
                trainer.save_checkpoint(partial)
            if trainer.is_global_zero:
                move_into_place(partial, self.folder / CHECKPOINT)
            self._saved = trainer.global_step
        except Exception as error:
            if not is_full(error):
                raise
            partial.unlink(missing_ok=True)
            raise InputError(
                f"the state of the run cannot be written: {error}",
                place=self.folder / CHECKPOINT,
                fix="make room on the disk and go on with --resume; best/ and the state before are whole",
            ) from error


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Lightning writes a checkpoint to the system's temporary folder first, which may be small and another disk."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
