"""Weights & Biases, under the name of the run folder."""

from __future__ import annotations

from pathlib import Path

from pytorch_lightning.loggers import WandbLogger

from ...registry import LOGGERS


@LOGGERS.register("wandb")
def wandb_logger(folder: Path) -> WandbLogger:
    """Return a logger that writes for the run in `folder`."""
    return WandbLogger(name=folder.name, save_dir=folder)
