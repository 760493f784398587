"""From arguments to a Lightning trainer: precision, loggers, and the callbacks that keep a run safe."""

from __future__ import annotations

import logging
import math
import shutil
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import EarlyStopping, LearningRateMonitor, RichProgressBar
from pytorch_lightning.loggers import CSVLogger, Logger
from pytorch_lightning.trainer.states import TrainerFn

from .arguments import TrainingArguments
from .data import Loader
from .errors import InputError, is_full
from .hardware import computes_bf16
from .module import TaskModule
from .predictor import Predictor, recover
from .tasks.base import Task

log = logging.getLogger("ratsnlp_like")

CHECKPOINT = "resume.ckpt"
"""What `--resume` goes on from: weights, optimiser, schedule, place in the epoch, random numbers."""


def choose_precision(arguments: TrainingArguments) -> str:
    """bf16 where the hardware computes it (Ampere and later, AVX512-BF16, AMX), fp16 on older GPUs, else 32 bits."""
    if arguments.precision != "auto":
        return arguments.precision
    if arguments.accelerator in {"auto", "gpu", "cuda"} and torch.cuda.is_available():
        return "bf16-mixed" if computes_bf16("cuda") else "16-mixed"
    if arguments.accelerator == "cpu" or not torch.backends.mps.is_available():
        return "bf16-mixed" if computes_bf16("cpu") else "32"
    return "32"


def build_trainer(
    arguments: TrainingArguments,
    *,
    task: Task[Any, Any],
    folder: Path,
    keeper: Keeper,
    meter: Meter,
) -> pl.Trainer:
    """A trainer whose run lies in `folder`.

    Raises:
        InputError: a logger's package is missing, or Lightning refuses a combination.
    """
    quiet_lightning()
    monitor = f"validation/{task.best_metric}"
    callbacks: list[pl.Callback] = [meter, keeper, LearningRateMonitor("step")]
    if arguments.early_stopping:
        mode = "max" if task.maximize else "min"
        callbacks.append(EarlyStopping(monitor, patience=arguments.early_stopping, mode=mode, check_finite=False))
    in_window = sys.stderr.isatty() or "ipykernel" in sys.modules
    if arguments.progress:
        console = {"stderr": True} if "ipykernel" not in sys.modules else {}
        every = 10 if torch.cuda.is_available() else 1  # what a bar shows of a GPU is waited for
        callbacks.append(ProgressBar(every, console_kwargs=console) if in_window else ProgressLines())
    else:
        callbacks.append(ProgressLines(seconds=math.inf))
    torch.set_float32_matmul_precision("high")
    try:
        return pl.Trainer(
            accelerator=arguments.accelerator,
            devices=int(arguments.devices) if str(arguments.devices).isdigit() else arguments.devices,
            strategy=arguments.strategy,
            num_nodes=arguments.num_nodes,
            precision=choose_precision(arguments),  # type: ignore[arg-type]
            max_epochs=arguments.epochs,
            max_steps=arguments.max_steps or -1,
            accumulate_grad_batches=arguments.accumulate,
            gradient_clip_val=arguments.clip or None,
            val_check_interval=arguments.eval_steps,
            check_val_every_n_epoch=None if arguments.eval_steps else 1,
            callbacks=callbacks,
            logger=[CSVLogger(folder, name="logs"), *(_logger(name, folder) for name in arguments.logger)],
            log_every_n_steps=10,
            enable_progress_bar=arguments.progress and in_window,
            enable_model_summary=False,
            enable_checkpointing=False,  # `Keeper` writes folders that transformers opens
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # `Batches` knows its share
        )
    except InputError:
        raise
    except (ValueError, TypeError, RuntimeError, MisconfigurationException) as error:
        raise InputError(
            f"Lightning refuses this combination: {error}",
            place="--accelerator, --devices, --strategy, --precision, --num_nodes",
        ) from error


def evaluation_trainer(*, progress: bool = False) -> pl.Trainer:
    """A trainer that only evaluates: no logs, no folder."""
    quiet_lightning()
    return pl.Trainer(
        accelerator="auto",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=progress and sys.stderr.isatty(),
        use_distributed_sampler=False,
    )


def _logger(name: str, folder: Path) -> Logger:
    from pytorch_lightning import loggers

    kinds: dict[str, Callable[[], Logger]] = {
        "tensorboard": lambda: loggers.TensorBoardLogger(folder, name="tensorboard"),
        "wandb": lambda: loggers.WandbLogger(name=folder.name, save_dir=folder),
        "mlflow": lambda: loggers.MLFlowLogger(run_name=folder.name, save_dir=str(folder / "mlflow")),
    }
    return kinds[name]()


def quiet_lightning() -> None:
    """Lightning's advice on workers and devices does not apply here, or is said by our own messages."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in (
        ".*does not have many workers.*",
        ".*module\\(s\\) in eval mode.*",
        ".*lr_scheduler.step\\(\\)` before `optimizer.step.*",
        ".*Checkpoint directory.*",
        ".*is not a known special case.*",
        ".*LeafSpec.*",
        ".*Trying to infer the `batch_size`.*",
        ".*GPU available but not used.*",
        ".*sync_dist=True.*",
        ".*smaller than the logging interval.*",
    ):
        warnings.filterwarnings("ignore", message=message)


class Meter(pl.Callback):
    """Counts what was learnt from, and the seconds from the first batch fetched to the last step done.

    Evaluations in between are left out of `seconds` and counted in `evaluation_seconds`.
    """

    _COUNTS = ("examples", "windows", "tokens", "steps", "seconds", "evaluation_seconds")

    def __init__(self) -> None:
        self.examples = self.windows = self.tokens = self.steps = 0
        self.seconds = self.evaluation_seconds = 0.0
        self._since = self._evaluating = 0.0
        self._total: tuple[int, ...] = ()

    def state_dict(self) -> dict[str, Any]:
        """The counts of this process, so that a resumed run counts on."""
        return {name: getattr(self, name) for name in self._COUNTS}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """See `state_dict`."""
        vars(self).update(state_dict)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """A run that is resumed within an epoch begins here: Lightning starts no epoch then."""
        self._since = time.perf_counter()

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The first batch is about to be fetched."""
        self.steps = trainer.global_step
        self._since = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch is done."""
        now = time.perf_counter()
        self.seconds += now - self._since
        self._since = now
        self.steps = trainer.global_step
        self.windows += len(batch["index"])
        loader = trainer.train_dataloader
        if isinstance(loader, Loader):
            self.examples += int(loader.split.begins[batch["index"]].sum())
            self.tokens += int(loader.split.lengths[batch["index"]].sum())

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock of training stops."""
        self._evaluating = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock of training goes on."""
        now = time.perf_counter()
        self.evaluation_seconds += now - self._evaluating
        self._since = now

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Add up what all processes have learnt from."""
        if trainer.world_size > 1:
            counts = [self.examples, self.windows, self.tokens]
            own = torch.tensor(counts, dtype=torch.int64, device=trainer.strategy.root_device)
            total = trainer.strategy.reduce(own, reduce_op="sum")
            self._total = tuple(int(number) for number in total)

    def summary(self) -> dict[str, float]:
        """For the result file; memory is the peak of this process, in MB (10^6 bytes)."""
        import resource

        examples, windows, tokens = self._total or (self.examples, self.windows, self.tokens)
        unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss: bytes on macOS, KiB on Linux
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
        out = {
            "steps": self.steps,
            "examples": examples,
            "windows": windows,
            "tokens": tokens,
            "train_seconds": round(self.seconds, 3),
            "examples_per_second": round(examples / self.seconds, 2) if self.seconds else 0.0,
            "evaluation_seconds": round(self.evaluation_seconds, 3),
            "peak_memory_mb": round(peak, 1),
        }
        if torch.cuda.is_available():
            out["peak_gpu_memory_mb"] = round(torch.cuda.max_memory_allocated() / 1e6, 1)
        return out


class Keeper(pl.Callback):
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
        self._asked = False
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
                self._handlers[number] = signal.signal(number, self._ask)

    def _ask(self, number: int, frame: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        log.warning("Stopping after this step; what was learnt is saved. (Once more: stop at once.)")

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop here when asked to, with nothing half done."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        if self._evaluation_is_due(trainer):
            return
        if self._is_asked(trainer):
            self._save_last(trainer, pl_module)
            self._stop()
        elif trainer.global_step == trainer.max_steps:
            trainer.should_stop = True  # so that Lightning evaluates here, where the epoch does not yet count as whole

    def _is_asked(self, trainer: pl.Trainer) -> bool:
        """Whether any process was asked to stop: all stop at the same step."""
        return trainer.strategy.reduce_boolean_decision(self._asked, all=False)

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
            if self._is_asked(trainer):
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
                _replace(partial, self.folder / CHECKPOINT)
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


def _replace(new: Path, target: Path) -> None:
    if not target.is_dir():  # a sharded checkpoint is a folder
        new.replace(target)
        return
    old = target.with_name(target.name + ".old")
    target.rename(old)
    new.rename(target)
    shutil.rmtree(old)
    recover(target)


class ProgressBar(RichProgressBar):
    """Rate, time left, the running loss and the last value of the task's metric, on one line of 80 columns."""

    def _get_train_description(self, current_epoch: int) -> str:
        """Epochs are counted from 1, as everywhere else."""
        return f"Epoch {current_epoch + 1}/{self.trainer.max_epochs}"

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        """Short names: `loss`, `macro_f1`."""
        shown = super().get_metrics(trainer, pl_module)
        shown.pop("v_num", None)
        return {name.removeprefix("train_").removeprefix("validation/"): value for name, value in shown.items()}


class ProgressLines(pl.Callback):
    """A line now and then where there is no terminal to draw a bar in: step, rate, time left, loss."""

    def __init__(self, seconds: float = 15.0) -> None:
        self.seconds = seconds
        self._last = self._start = 0.0
        self._first = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The clock starts."""
        self._last = self._start = time.perf_counter()
        self._first = trainer.global_step

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A line, if the last one is old enough."""
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
        """The metrics of an evaluation."""
        if not isinstance(pl_module, TaskModule) or not trainer.is_global_zero:
            return
        best = pl_module.task.best_metric
        shown = [f"{name} {pl_module.results[name]:.4f}" for name in ("loss", best) if name in pl_module.results]
        log.info("step %d, validation: %s", trainer.global_step, ", ".join(shown))
