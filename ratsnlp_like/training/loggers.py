"""training.loggers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytorch_lightning.loggers import Logger


def new_logger(name: str, folder: Path) -> Logger:
    """Return a Lightning logger by name, writing below the run folder."""
    from pytorch_lightning import loggers

    kinds: dict[str, Callable[[], Logger]] = {
        "tensorboard": lambda: loggers.TensorBoardLogger(folder, name="tensorboard"),
        "wandb": lambda: loggers.WandbLogger(name=folder.name, save_dir=folder),
        "mlflow": lambda: loggers.MLFlowLogger(run_name=folder.name, save_dir=str(folder / "mlflow")),
    }
    return kinds[name]()
