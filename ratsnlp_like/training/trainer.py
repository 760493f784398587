"""Build the Lightning trainer of a run: precision, loggers, callbacks."""

from __future__ import annotations

import logging
import math
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins import TorchCheckpointIO
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.callbacks import LearningRateMonitor
from pytorch_lightning.loggers import CSVLogger, Logger
from pytorch_lightning.strategies.launchers import _MultiProcessingLauncher

from ..arguments import TrainingArguments
from ..checkpoints.architectures import architecture_of
from ..errors import InputError, with_article
from ..registry import LOGGERS
from ..runtime.hardware import computes_bf16
from .callbacks.early_stopping import EarlyStopping
from .callbacks.progress import ProgressBar, ProgressLines
from .callbacks.threads import CpuThreads
from .callbacks.time_estimate import TimeEstimate
from .checkpoint_io import StreamedCheckpointIO


def choose_precision(arguments: TrainingArguments, *, weights: str = "fp32", config: Any = None) -> str:
    """Return the precision of a run, as Lightning names it.

    Args:
        arguments: of training.
        weights: data type of the weights; adapters on weights in bf16 or 4 bits compute in bf16.
        config: of the model, whose activations may exceed the range of fp16.

    Raises:
        InputError: a precision is stated that the weights or the model do not allow.
    """
    stated = arguments.precision
    if weights != "fp32":
        if stated not in {"auto", "bf16-mixed"}:
            raise InputError(f"{stated} with --weights {weights}", place="--precision", expected="bf16-mixed or auto")
        return "bf16-mixed"
    found = _by_hardware(arguments) if stated == "auto" else stated
    if found == "16-mixed" and config is not None and not architecture_of(config).fp16:
        if stated == "auto":
            return "32"
        raise InputError(
            f"activations of {with_article(config.model_type)} exceed the range of fp16: its loss would become NaN",
            place="--precision",
            expected="bf16-mixed (GPUs from Ampere on), 32 or auto",
        )
    return found


def _by_hardware(arguments: TrainingArguments) -> str:
    """Return bf16 if the hardware computes it (Ampere and later, AVX512-BF16, AMX), fp16 on older GPUs, else 32."""
    if arguments.accelerator in {"auto", "gpu", "cuda"} and torch.cuda.is_available():
        return "bf16-mixed" if computes_bf16("cuda") else "16-mixed"
    if arguments.accelerator == "cpu" or not torch.backends.mps.is_available():
        return "bf16-mixed" if computes_bf16("cpu") else "32"
    return "32"


def build_trainer(
    arguments: TrainingArguments,
    *,
    folder: Path,
    precision: str,
    callbacks: Sequence[pl.Callback],
    loggers: Sequence[Logger] = (),
) -> pl.Trainer:
    """Return the trainer of a run.

    Args:
        arguments: arguments of training; the epochs may still be `auto`, and are then set before `fit`.
        folder: run folder.
        precision: as `choose_precision` returns it.
        callbacks: callbacks next to those of the learning rate, early stopping and progress.
        loggers: loggers next to the CSV file and those named in the arguments.

    Raises:
        InputError: a logger's package is missing, or Lightning refuses a combination.
    """
    quiet_lightning()
    interactive = sys.stderr.isatty() or "ipykernel" in sys.modules
    # early stopping counts an evaluation before the state is saved
    stopping = [EarlyStopping(arguments.patience)] if arguments.patience else []
    callbacks = [*_threads(arguments), *stopping, *callbacks, LearningRateMonitor("step"), TimeEstimate()]
    callbacks.append(_progress(arguments, interactive=interactive))
    torch.set_float32_matmul_precision("high")
    try:
        trainer = pl.Trainer(
            accelerator=arguments.accelerator,
            devices=int(arguments.devices) if str(arguments.devices).isdigit() else arguments.devices,
            strategy=arguments.strategy,
            num_nodes=arguments.num_nodes,
            precision=precision,  # type: ignore[arg-type]
            max_epochs=-1 if arguments.epochs == "auto" else arguments.epochs,
            max_steps=arguments.max_steps or -1,
            accumulate_grad_batches=arguments.accumulate,
            gradient_clip_val=arguments.clip or None,
            val_check_interval=arguments.eval_steps,
            check_val_every_n_epoch=None if arguments.eval_steps else 1,
            callbacks=callbacks,
            logger=[
                CSVLogger(folder, name="logs"),
                *(LOGGERS[name](folder) for name in arguments.loggers),
                *loggers,
            ],
            log_every_n_steps=10,
            enable_progress_bar=arguments.progress and interactive,
            enable_model_summary=False,
            enable_checkpointing=False,  # `CheckpointCallback` writes model folders instead
            num_sanity_val_steps=0,
            use_distributed_sampler=False,  # `Batches` distributes
        )
    except InputError:
        raise
    except (ValueError, TypeError, RuntimeError, MisconfigurationException) as error:
        raise InputError(
            f"Lightning refuses this combination: {error}",
            place="--accelerator, --devices, --strategy, --precision, --num_nodes",
        ) from error
    if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
        trainer.strategy.checkpoint_io = StreamedCheckpointIO()
    if isinstance(trainer.strategy.launcher, _MultiProcessingLauncher):  # what Lightning chooses in a notebook
        raise InputError(
            "several devices from a notebook: training would run in copies of this process, whose results are lost",
            place="--devices",
            fix="devices=1, or run `ratsnlp-like train` as a command",
        )
    return trainer


def ended_early(trainer: pl.Trainer) -> bool:
    """Return True if a callback ended the training before its last epoch and its last step."""
    epochs, steps = trainer.max_epochs or 0, trainer.max_steps
    return trainer.current_epoch < epochs and not 0 < steps <= trainer.global_step


def _threads(arguments: TrainingArguments) -> list[pl.Callback]:
    """Set a stated number of threads, or return the callback that adapts it; OMP_NUM_THREADS states one too."""
    if arguments.threads != "auto":
        torch.set_num_threads(arguments.threads)
    return [CpuThreads()] if arguments.threads == "auto" and "OMP_NUM_THREADS" not in os.environ else []


def _progress(arguments: TrainingArguments, *, interactive: bool) -> pl.Callback:
    if not arguments.progress:
        return ProgressLines(seconds=math.inf)
    if not interactive:
        return ProgressLines()
    console = {"stderr": True} if "ipykernel" not in sys.modules else {}
    every = 10 if torch.cuda.is_available() else 1  # each refresh waits for the GPU
    return ProgressBar(every, console_kwargs=console)


def quiet_lightning() -> None:
    """Silence advice of Lightning that does not apply here or that messages of this package repeat."""
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
