"""Memory that is released before the best model is loaded and evaluated."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from helpers import job, largest_difference, weights

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune


class Kept(pl.Callback):
    """Keeps what was trained."""

    def on_fit_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.module, self.optimizer = pl_module, trainer.optimizers[0]


@pytest.mark.slow
def test_one_model_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept()
    loaded_weights: list[weakref.ref[torch.Tensor]] = []
    held: list[int] = []
    load = Predictor.from_pretrained

    def loaded(*arguments: Any, **options: Any) -> Predictor:
        trained = list(kept.module.parameters())
        gradients = [parameter.grad for parameter in kept.module.parameters() if parameter.grad is not None]
        held.append(
            sum(tensor.numel() for tensor in (*trained, *gradients))
            + len(kept.optimizer.state)
            + sum(tensor() is not None for tensor in loaded_weights)
        )
        predictor = load(*arguments, **options)
        loaded_weights.extend(weakref.ref(tensor) for tensor in predictor.model.parameters())
        return predictor

    monkeypatch.setattr(Predictor, "from_pretrained", loaded)
    result = fine_tune(**job(tmp_path), callbacks=[kept])
    assert held == [0, 0]  # the model to evaluate, and the one that is returned
    assert largest_difference(weights(result.best), dict(result.predictor.model.state_dict())) == 0
