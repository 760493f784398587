"""CheckpointCallback: the best and the last model, the state for resuming, and stopping on a signal."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytorch_lightning as pl
import torch
from pytorch_lightning.trainer.states import TrainerFn

from ...errors import InputError, is_full
from ...inference.predictor import Predictor
from ...runtime.files import move_into_place
from ..module import TaskModule
from ..run_files import RESUME_FILE

log = logging.getLogger("ratsnlp_like")


class CheckpointCallback(pl.Callback):
    """Saves `best/`, `last/` and the state for resuming; stops between two steps on a signal.

    Args:
        folder: run folder.
        predictor: returns the predictor to save for a module and its last metrics.
        save_steps: optimizer steps between states that are saved without an evaluation.
        save_minutes: minutes between them.
    """

    def __init__(
        self,
        folder: Path,
        predictor: Callable[[TaskModule], Predictor],
        *,
        save_steps: int | None = None,
        save_minutes: float | None = None,
    ) -> None:
        self.folder, self._predictor = folder, predictor
        self._save_steps, self._save_minutes = save_steps, save_minutes
        self._saved_at = time.monotonic()
        self.best: list[float] | None = None
        self.evaluated = self._saved = -1
        """Optimizer steps of the last evaluation and of the last saved state."""
        self.interrupted = False
        self._stop_requested = False
        self._handlers: dict[int, Any] = {}
        self._random: list[torch.Tensor] | None = None

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far and the state of the random generators."""
        return {"best": self.best, "random": torch.get_rng_state(), "random_cuda": torch.cuda.get_rng_state_all()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.best = state_dict["best"]
        self._random = [state_dict["random"], *state_dict["random_cuda"]]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Restore the random generators, for dropout, and let signals wait for the end of a step."""
        if self._random is not None:
            torch.set_rng_state(self._random[0].cpu())
            if len(self._random) == 1 + torch.cuda.device_count():  # as many GPUs as before
                torch.cuda.set_rng_state_all([state.cpu() for state in self._random[1:]])
            self._random = None
        if threading.current_thread() is threading.main_thread():
            for number in _stop_signals():
                self._handlers[number] = signal.signal(number, self._request_stop)

    def _request_stop(self, number: int, frame: Any) -> None:
        if self._stop_requested:
            raise KeyboardInterrupt
        self._stop_requested = True
        log.warning("Stopping after this step; the state is saved. (Once more: stop at once.)")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop here on a signal, at the end of an optimizer step."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if self._evaluation_is_due(trainer):
            return
        if self._stop_is_requested(trainer):
            self._save_last(trainer, pl_module)
            self._stop()
        elif trainer.global_step == trainer.max_steps:
            trainer.should_stop = True  # makes Lightning evaluate here, in the middle of an epoch
        elif self._save_is_due(trainer):
            self._save_last(trainer, pl_module)

    def _save_is_due(self, trainer: pl.Trainer) -> bool:
        if self._save_steps is not None and trainer.global_step % self._save_steps == 0:
            return True
        if self._save_minutes is None:
            return False
        due = time.monotonic() - self._saved_at >= 60 * self._save_minutes
        return trainer.strategy.reduce_boolean_decision(due, all=False)

    def _stop_is_requested(self, trainer: pl.Trainer) -> bool:
        """Return True if any process got a signal, so that all stop at the same step."""
        return trainer.strategy.reduce_boolean_decision(self._stop_requested, all=False)

    @staticmethod
    def _evaluation_is_due(trainer: pl.Trainer) -> bool:
        """Return True if an evaluation follows this step; a run stopped before it would lose it on resuming."""
        every, batches = trainer.val_check_interval, trainer.fit_loop.epoch_loop.total_batch_idx + 1
        return batches % every == 0 if isinstance(every, int) else trainer.is_last_batch

    def _stop(self) -> NoReturn:
        self.interrupted = True
        raise KeyboardInterrupt

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the model if it is the best so far, and the state."""
        if trainer.sanity_checking or not isinstance(pl_module, TaskModule):
            return
        self.evaluated = trainer.global_step
        value = float(pl_module.results[pl_module.monitor])
        # ties, frequent in a small validation split, are broken by the loss
        rank = [
            _or_worst(value if pl_module.maximize else -value),
            _or_worst(-float(pl_module.results.get("loss", 0.0))),
        ]
        if self.best is None or rank > self.best:
            self.best = rank
            self._save_model(trainer, pl_module, "best")
        if trainer.state.fn == TrainerFn.FITTING:
            self._save_last(trainer, pl_module)
            if self._stop_is_requested(trainer):
                self._stop()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the last state if the last steps were not evaluated."""
        if not self.interrupted and self._saved != trainer.global_step:
            self._save_last(trainer, pl_module)
        self.release()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Restore the handlers of signals."""
        self.interrupted = self.interrupted or isinstance(exception, KeyboardInterrupt)
        self.release()

    def release(self) -> None:
        """Restore the handlers of signals."""
        handlers, self._handlers = self._handlers, {}
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def _save_model(self, trainer: pl.Trainer, module: pl.LightningModule, name: str) -> None:
        state = trainer.strategy.lightning_module_state_dict()  # complete on rank 0 under every strategy
        if trainer.is_global_zero and isinstance(module, TaskModule):
            weights = {key.removeprefix("model."): v for key, v in state.items() if key.startswith("model.")}
            self._predictor(module).save_pretrained(self.folder / name, state_dict=weights)
        trainer.strategy.barrier()

    def _save_last(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._save_model(trainer, module, "last")
        partial = self.folder / (RESUME_FILE + ".partial")
        try:
            trainer.save_checkpoint(partial)
            if trainer.is_global_zero:
                move_into_place(partial, self.folder / RESUME_FILE)
            self._saved, self._saved_at = trainer.global_step, time.monotonic()
        except Exception as error:
            if not is_full(error):
                raise
            partial.unlink(missing_ok=True)
            raise InputError(
                f"the state of the run cannot be written: {error}",
                place=self.folder / RESUME_FILE,
                fix="make room on the disk and continue with --resume; best/ and the previous state are complete",
            ) from error


def _stop_signals() -> list[signal.Signals]:
    """Return the signals that stop training; a hangup is ignored if the process ignores it, as under nohup."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _or_worst(value: float) -> float:
    """Return a value, or the lowest one in place of NaN, with which no comparison would hold."""
    return -math.inf if math.isnan(value) else value
