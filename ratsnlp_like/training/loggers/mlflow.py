"""MLflow, in the folder `mlflow` of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...registry import LOGGERS

if TYPE_CHECKING:
    from pytorch_lightning.loggers import MLFlowLogger


@LOGGERS.register("mlflow")
def mlflow_logger(folder: Path) -> MLFlowLogger:
    """Return a logger that writes for the run in `folder`."""
    from pytorch_lightning.loggers import MLFlowLogger

    return MLFlowLogger(run_name=folder.name, save_dir=str(folder / "mlflow"))
