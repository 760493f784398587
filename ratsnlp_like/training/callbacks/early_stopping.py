"""EarlyStopping: ends training after evaluations without improvement."""

from __future__ import annotations

import logging
import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn

from ..module import TaskModule

log = logging.getLogger("ratsnlp_like")


class EarlyStopping(pl.Callback):
    """Stops when neither the monitored metric nor the validation loss has improved for some evaluations.

    Lightning's callback watches one number. Entity F1 is 0 in the first epochs of most runs, while the loss falls;
    later the loss may rise while a metric still improves.

    Args:
        patience: evaluations in a row without improvement after which training stops.
    """

    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.best = [-math.inf, -math.inf]
        """Best monitored metric and best loss, with the sign that makes higher values better."""

    def state_dict(self) -> dict[str, Any]:
        """Return the best values so far; a resumed run may have another patience."""
        return {"waited": self.waited, "values": self.best}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.waited, self.best = state_dict["waited"], state_dict["values"]

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Count an evaluation, and stop after too many without improvement."""
        if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking or not isinstance(pl_module, TaskModule):
            return
        value = float(pl_module.results[pl_module.monitor])
        values = [value if pl_module.maximize else -value, -float(pl_module.results.get("loss", math.inf))]
        improved = [new > old for new, old in zip(values, self.best, strict=True)]  # False for NaN
        self.best = [new if better else old for new, old, better in zip(values, self.best, improved, strict=True)]
        self.waited = 0 if any(improved) else self.waited + 1
        if trainer.strategy.reduce_boolean_decision(self.waited >= self.patience, all=False):
            trainer.should_stop = True
            log.info("stopped early: no improvement in %d evaluations (--patience)", self.waited)
