"""Optimizer and schedule, clipping, accumulation, seeds."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from helpers import (
    NO_DROPOUT,
    TINY,
    job,
    largest_difference,
    weights,
)
from helpers_training import STEPS, Watch, logged

from ratsnlp_like.training.finetune import fine_tune


class TestOptimizer:
    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("schedule", "fall"),
        [
            ("linear", lambda k: 1 - k / 9),
            ("cosine", lambda k: (1 + math.cos(math.pi * k / 9)) / 2),
            ("constant", lambda k: 1.0),
        ],
    )
    def test_the_schedule_steps(self, tmp_path: Path, schedule: str, fall: Callable[[int], float]) -> None:
        watch = Watch()
        fine_tune(
            **job(tmp_path, epochs=2, warmup=0.25, schedule=schedule), callbacks=[watch]
        )  # 12 steps, 3 of them warm up
        expected = [0, 1 / 3, 2 / 3, *(fall(k) for k in range(9))]
        assert watch.rates == pytest.approx([1e-3 * share for share in expected])
        assert logged(tmp_path / "run", "lr-AdamW/pg1") == pytest.approx([1e-3 * expected[9]])  # each tenth step

    @pytest.mark.slow
    def test_warm_up_in_steps(self, tmp_path: Path) -> None:
        watch = Watch()
        fine_tune(**job(tmp_path, warmup=2), callbacks=[watch])
        assert watch.rates[:4] == pytest.approx([0, 5e-4, 1e-3, 7.5e-4])

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_steps_of_the_schedule_are_optimiser_steps(self, tmp_path: Path) -> None:
        watch = Watch()
        fine_tune(**job(tmp_path, warmup=0, accumulate=2), callbacks=[watch])
        assert watch.rates == pytest.approx([1e-3 * share for share in (1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3)])

    @pytest.mark.slow
    def test_the_schedule_ends_with_max_steps(self, tmp_path: Path) -> None:
        watch = Watch()
        fine_tune(**job(tmp_path, warmup=0, max_steps=4), callbacks=[watch])
        assert watch.rates == pytest.approx([1e-3, 7.5e-4, 5e-4, 2.5e-4])

    @pytest.mark.slow
    def test_biases_and_norms_do_not_decay(self, tmp_path: Path) -> None:
        watch = Watch()
        fine_tune(**job(tmp_path, weight_decay=0.25), callbacks=[watch])
        plain = {name for name, decay in watch.decays.items() if decay == 0}
        assert plain == {name for name in watch.decays if name.endswith("bias") or "LayerNorm" in name}
        assert {decay for name, decay in watch.decays.items() if name not in plain} == {0.25}
        assert "model.bert.embeddings.word_embeddings.weight" not in plain
        assert "model.classifier.bias" in plain

    @pytest.mark.slow
    def test_gradients_are_clipped(self, tmp_path: Path) -> None:
        norms: list[float] = []

        class Norms(pl.Callback):
            def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:
                gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
                norms.append(float(torch.nn.utils.get_total_norm(gradients)))

        recorder = Norms()
        free = fine_tune(**job(tmp_path, output=tmp_path / "free", clip=0), callbacks=[recorder])
        clipped = fine_tune(**job(tmp_path, output=tmp_path / "clipped", clip=1e-4), callbacks=[recorder])
        assert min(norms) > 1e-3
        # AdamW does not see the scale of gradients, except against its epsilon of 1e-8
        assert 0 < largest_difference(weights(free.best), weights(clipped.best)) < 0.05

    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize(("accumulate", "steps"), [(1, 6), (2, 3), (4, 2), (5, 2)])
    def test_accumulation(self, tmp_path: Path, accumulate: int, steps: int) -> None:
        result = fine_tune(**job(tmp_path, accumulate=accumulate))
        assert (result.summary["steps"], result.summary["examples"]) == (steps, 48)


class TestSeed:
    @pytest.mark.slow
    def test_each_epoch_has_its_own_order(self, tmp_path: Path) -> None:
        orders: list[list[int]] = [[], []]

        class Order(pl.Callback):
            def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
                orders[trainer.current_epoch].extend(batch["index"].tolist())

        fine_tune(**job(tmp_path, epochs=2), callbacks=[Order()])
        assert sorted(orders[0]) == sorted(orders[1]) == list(range(48))
        assert orders[0] != orders[1]

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_one_seed_gives_one_model(self, tmp_path: Path) -> None:
        one, same = (fine_tune(**job(tmp_path, output=tmp_path / name, epochs=2)) for name in ("one", "same"))
        other = fine_tune(**job(tmp_path, output=tmp_path / "other", epochs=2, seed=8))
        for folder in ("best", "last"):
            assert largest_difference(weights(one.output / folder), weights(same.output / folder)) == 0
        assert one.metrics == same.metrics
        assert one.test_metrics == same.test_metrics
        assert largest_difference(weights(one.best), weights(other.best)) > 0.01

    @pytest.mark.slow
    def test_dropout_is_on(self, tmp_path: Path) -> None:
        watch = Watch()
        dropped = fine_tune(**job(tmp_path, output=tmp_path / "a", eval_steps=2), callbacks=[watch])
        assert watch.modes == [True] * STEPS  # after an evaluation too
        plain = fine_tune(
            **job(tmp_path, output=tmp_path / "b", config_overrides=TINY | NO_DROPOUT, eval_steps=2), callbacks=[watch]
        )
        assert largest_difference(weights(dropped.output / "last"), weights(plain.output / "last")) > 1e-4
