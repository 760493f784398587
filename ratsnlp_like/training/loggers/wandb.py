"""Weights & Biases, under the name of the run folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...registry import LOGGERS

if TYPE_CHECKING:
    from pytorch_lightning.loggers import WandbLogger


@LOGGERS.register("wandb")
def wandb_logger(folder: Path) -> WandbLogger:
    """Return a logger that writes for the run in `folder`."""
    from pytorch_lightning.loggers import WandbLogger

    return WandbLogger(name=folder.name, save_dir=folder)
