"""`nlpbook.get_trainer`: a Lightning trainer with the book's checkpoint names."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.accelerators import XLAAccelerator
from pytorch_lightning.callbacks import ModelCheckpoint

from ..errors import InputError
from ..inference.predictor import Predictor
from ..training.trainer import quiet_lightning
from .arguments import split_monitor
from .task import BookTask

log = logging.getLogger("ratsnlp")

FILENAME = "{epoch}-{val_loss:.2f}"


def get_trainer(args: Any, return_trainer_only: bool = True) -> Any:
    """Return a trainer that saves to `args.downstream_model_dir`.

    Args:
        args: training arguments.
        return_trainer_only: False returns (checkpoint_callback, trainer).

    Raises:
        InputError: `args.downstream_model_dir` is None.
    """
    if args.downstream_model_dir is None:
        raise InputError("no folder for checkpoints", place="downstream_model_dir", expected="a path")
    quiet_lightning()
    folder = Path(args.downstream_model_dir).expanduser().resolve()
    folder.mkdir(parents=True, exist_ok=True)
    mode, monitor = split_monitor(args.monitor)
    checkpoint = ModelCheckpoint(
        dirpath=folder, save_top_k=args.save_top_k, monitor=monitor, mode=mode, filename=FILENAME
    )
    accelerator, devices = choose_device(args.tpu_cores)
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=devices,
        precision=choose_precision(args.fp16, accelerator),  # type: ignore[arg-type]
        max_epochs=args.epochs,
        fast_dev_run=args.test_mode,
        num_sanity_val_steps=None if args.test_mode else 0,
        deterministic="warn" if accelerator == "gpu" and args.seed is not None else None,
        callbacks=[checkpoint, BestModel(folder)],
        default_root_dir=folder,
        enable_model_summary=False,
        log_every_n_steps=10,
    )
    return trainer if return_trainer_only else (checkpoint, trainer)


def choose_device(tpu_cores: int) -> tuple[str, int]:
    """Return accelerator and number of devices: the requested TPU, or else the GPU or CPU available."""
    if tpu_cores and XLAAccelerator.is_available():
        return "tpu", tpu_cores
    available = "gpu" if torch.cuda.is_available() or torch.backends.mps.is_available() else "cpu"
    if tpu_cores:
        log.warning("tpu_cores=%d: no TPU available; training on the %s.", tpu_cores, available.upper())
    return available, 1


def choose_precision(fp16: bool, accelerator: str) -> str:
    """Return the precision: fp16 needs a GPU."""
    if fp16 and accelerator != "gpu":
        log.warning("fp16=True: no GPU available; training in fp32.")
    return "16-mixed" if fp16 and accelerator == "gpu" else "32"


class BestModel(pl.Callback):
    """Saves the best model as a folder that transformers, `Predictor` and `ratsnlp-like serve` open.

    Args:
        folder: of the run; the model is saved to its subfolder `best`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save the best checkpoint's model if the training dataset is a `BookDataset`."""
        best = getattr(trainer.checkpoint_callback, "best_model_path", "")
        dataset = pl_module.train_dataset() if isinstance(pl_module, BookTask) else None
        if not best or dataset is None or dataset.split is None or not trainer.is_global_zero:
            return
        state = torch.load(best, map_location="cpu", weights_only=True, mmap=True)["state_dict"]
        weights = {name.removeprefix("model."): value.clone() for name, value in state.items()}
        score = trainer.checkpoint_callback.best_model_score  # type: ignore[union-attr]
        predictor = Predictor(
            dataset.split.task,
            pl_module.model,
            dataset.tokenizer,
            dataset.core_labels(),
            max_length=dataset.args.max_seq_length,
            about={
                "checkpoint": dataset.args.pretrained_model_name,
                "corpus": dataset.args.downstream_corpus_name,
                "fingerprints": {"train": dataset.split.read.fingerprint},
            },
            metrics={"validation": {split_monitor(dataset.args.monitor)[1]: float(score)}},
        )
        written = predictor.save_pretrained(self.folder / "best", state_dict=weights)
        log.info("the best model is %s; as a folder of transformers it is %s", best, written)
