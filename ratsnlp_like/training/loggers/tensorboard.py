"""TensorBoard event files in the folder `tensorboard` of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...registry import LOGGERS

if TYPE_CHECKING:
    from pytorch_lightning.loggers import TensorBoardLogger


@LOGGERS.register("tensorboard")
def tensorboard_logger(folder: Path) -> TensorBoardLogger:
    """Return a logger that writes for the run in `folder`."""
    from pytorch_lightning.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name="tensorboard")
