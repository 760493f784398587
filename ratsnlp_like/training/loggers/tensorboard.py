"""TensorBoard event files in the folder `tensorboard` of the run."""

from __future__ import annotations

from pathlib import Path

from pytorch_lightning.loggers import TensorBoardLogger

from ...registry import LOGGERS


@LOGGERS.register("tensorboard")
def tensorboard_logger(folder: Path) -> TensorBoardLogger:
    """Return a logger that writes for the run in `folder`."""
    return TensorBoardLogger(folder, name="tensorboard")
