"""MLflow, in the folder `mlflow` of the run."""

from __future__ import annotations

from pathlib import Path

from pytorch_lightning.loggers import MLFlowLogger

from ...registry import LOGGERS


@LOGGERS.register("mlflow")
def mlflow_logger(folder: Path) -> MLFlowLogger:
    """Return a logger that writes for the run in `folder`."""
    return MLFlowLogger(run_name=folder.name, save_dir=str(folder / "mlflow"))
