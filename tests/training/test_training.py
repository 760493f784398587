"""Training, saving and asking: what a run does, what it leaves on the disk, and what stops it."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml
from filelock import FileLock
from helpers import (
    CHECKPOINT,
    NO_DROPOUT,
    TINY,
    command,
    environment,
    flags,
    job,
    largest_difference,
    python,
    tokenizer,
    tree,
    tsv,
    weights,
    write,
)

import ratsnlp_like.training.finetune as finetune
from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.checkpoints.base import load_config, load_model, resolve
from ratsnlp_like.corpora.samples import SampleNer, SampleSentiment
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError, TrainingError, is_full
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.runtime.files import recover
from ratsnlp_like.tasks.base import Statistics
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.training.finetune import FineTuneResult, Interrupted, fine_tune
from ratsnlp_like.training.module import TaskModule
from ratsnlp_like.training.trainer import choose_precision

STEPS = 6
"""Of an epoch of `helpers.job`: 48 examples in batches of 8."""


@pytest.fixture
def with_callbacks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`with_callbacks(c, ...)`: the trainers of `fine_tune` get these callbacks too."""
    build = finetune.build_trainer

    def add(*callbacks: pl.Callback) -> None:
        def built(*arguments: Any, **keywords: Any) -> pl.Trainer:
            trainer = build(*arguments, **keywords)
            trainer.callbacks.extend(callbacks)  # type: ignore[attr-defined]
            return trainer

        monkeypatch.setattr(finetune, "build_trainer", built)

    return add


class At(pl.Callback):
    """Calls something at the beginning of one batch, counted over all epochs."""

    def __init__(self, batch: int, call: Callable[[pl.Trainer], None]) -> None:
        self.batch, self.call, self.seen = batch, call, 0

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen += 1
        if self.seen == self.batch:
            self.call(trainer)


class Watch(pl.Callback):
    """Notes learning rates, modes and parameter groups of a run."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.modes: list[bool] = []
        self.decays: dict[str, float] = {}
        self.evaluated_after: list[int] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        (optimizer,) = trainer.optimizers
        self.rates.append(optimizer.param_groups[0]["lr"])
        self.modes.append(all(module.training for module in pl_module.modules()))
        decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
        self.decays = {name: decay[id(p)] for name, p in pl_module.named_parameters()}

    def on_validation_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.evaluated_after.append(trainer.global_step)


class Masks(pl.Callback):
    """Notes what a language model saw and was asked, batch after batch."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        self.seen.append(str([batch[name].tolist() for name in ("input_ids", "positions", "labels")]))


def logged(run: Path, name: str) -> list[float]:
    """A column of metrics.csv without its empty cells."""
    with (run / "logs" / "version_0" / "metrics.csv").open() as file:
        return [float(row[name]) for row in csv.DictReader(file) if row.get(name)]


def scores(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Evaluation after evaluation, macro_f1 has these values (the last one for ever)."""
    score, given = Classification.score, iter(values)

    def scored(*arguments: Any) -> dict[str, Any]:
        return score(*arguments) | {"macro_f1": next(given, values[-1])}

    monkeypatch.setattr(Classification, "score", scored)


class TestOptimizer:
    @pytest.mark.parametrize(
        ("schedule", "fall"),
        [
            ("linear", lambda k: 1 - k / 9),
            ("cosine", lambda k: (1 + math.cos(math.pi * k / 9)) / 2),
            ("constant", lambda k: 1.0),
        ],
    )
    def test_the_schedule_steps(
        self, tmp_path: Path, with_callbacks: Any, schedule: str, fall: Callable[[int], float]
    ) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, epochs=2, warmup=0.25, schedule=schedule))  # 12 steps, 3 of them warm up
        expected = [0, 1 / 3, 2 / 3, *(fall(k) for k in range(9))]
        assert watch.rates == pytest.approx([1e-3 * share for share in expected])
        assert logged(tmp_path / "run", "lr-AdamW/pg1") == pytest.approx([1e-3 * expected[9]])  # each tenth step

    def test_warm_up_in_steps(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, warmup=2))
        assert watch.rates[:4] == pytest.approx([0, 5e-4, 1e-3, 7.5e-4])

    def test_steps_of_the_schedule_are_optimiser_steps(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, warmup=0, accumulate=2))
        assert watch.rates == pytest.approx([1e-3 * share for share in (1, 1, 2 / 3, 2 / 3, 1 / 3, 1 / 3)])

    def test_the_schedule_ends_with_max_steps(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, warmup=0, max_steps=4))
        assert watch.rates == pytest.approx([1e-3, 7.5e-4, 5e-4, 2.5e-4])

    def test_biases_and_norms_do_not_decay(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, weight_decay=0.25))
        plain = {name for name, decay in watch.decays.items() if decay == 0}
        assert plain == {name for name in watch.decays if name.endswith("bias") or "LayerNorm" in name}
        assert {decay for name, decay in watch.decays.items() if name not in plain} == {0.25}
        assert "model.bert.embeddings.word_embeddings.weight" not in plain
        assert "model.classifier.bias" in plain

    def test_gradients_are_clipped(self, tmp_path: Path, with_callbacks: Any) -> None:
        norms: list[float] = []

        class Norms(pl.Callback):
            def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: Any, optimizer: Any) -> None:
                gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
                norms.append(float(torch.nn.utils.get_total_norm(gradients)))

        with_callbacks(Norms())
        free = fine_tune(**job(tmp_path, output=tmp_path / "free", clip=0))
        clipped = fine_tune(**job(tmp_path, output=tmp_path / "clipped", clip=1e-4))
        assert min(norms) > 1e-3
        # AdamW does not see the scale of gradients, except against its epsilon of 1e-8
        assert 0 < largest_difference(weights(free.best), weights(clipped.best)) < 0.05

    @pytest.mark.parametrize(("accumulate", "steps"), [(1, 6), (2, 3), (4, 2), (5, 2)])
    def test_accumulation(self, tmp_path: Path, accumulate: int, steps: int) -> None:
        result = fine_tune(**job(tmp_path, accumulate=accumulate))
        assert (result.summary["steps"], result.summary["examples"]) == (steps, 48)


class TestSeed:
    def test_each_epoch_has_its_own_order(self, tmp_path: Path, with_callbacks: Any) -> None:
        orders: list[list[int]] = [[], []]

        class Order(pl.Callback):
            def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
                orders[trainer.current_epoch].extend(batch["index"].tolist())

        with_callbacks(Order())
        fine_tune(**job(tmp_path, epochs=2))
        assert sorted(orders[0]) == sorted(orders[1]) == list(range(48))
        assert orders[0] != orders[1]

    def test_one_seed_gives_one_model(self, tmp_path: Path) -> None:
        one, same = (fine_tune(**job(tmp_path, output=tmp_path / name, epochs=2)) for name in ("one", "same"))
        other = fine_tune(**job(tmp_path, output=tmp_path / "other", epochs=2, seed=8))
        for folder in ("best", "last"):
            assert largest_difference(weights(one.output / folder), weights(same.output / folder)) == 0
        assert one.metrics == same.metrics
        assert one.test_metrics == same.test_metrics
        assert largest_difference(weights(one.best), weights(other.best)) > 0.01

    def test_dropout_is_on(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        dropped = fine_tune(**job(tmp_path, output=tmp_path / "a", eval_steps=2))
        assert watch.modes == [True] * STEPS  # after an evaluation too
        plain = fine_tune(**job(tmp_path, output=tmp_path / "b", config_overrides=TINY | NO_DROPOUT, eval_steps=2))
        assert largest_difference(weights(dropped.output / "last"), weights(plain.output / "last")) > 1e-4


def ctrl_c(trainer: pl.Trainer) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def power_cut(trainer: pl.Trainer) -> None:
    raise RuntimeError("power cut")


class TestResume:
    @pytest.fixture(scope="class")
    def whole(self, tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
        """The run that nobody interrupted."""
        return fine_tune(**job(tmp_path_factory.mktemp("whole"), epochs=2))

    def check(self, resumed: FineTuneResult, whole: FineTuneResult) -> None:
        for folder in ("best", "last"):
            difference = largest_difference(weights(resumed.output / folder), weights(whole.output / folder))
            assert difference == 0, folder
        assert resumed.metrics == whole.metrics
        assert resumed.test_metrics == whole.test_metrics

    @pytest.mark.parametrize("batch", [1, 3, STEPS, STEPS + 1, STEPS + 4])
    def test_interrupted_runs_end_as_if_nothing_had_happened(
        self, tmp_path: Path, with_callbacks: Any, whole: FineTuneResult, batch: int
    ) -> None:
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with_callbacks(At(batch, ctrl_c))
        with pytest.raises(Interrupted, match=f"stopped at step {batch}; go on with: .* --resume"):
            fine_tune(**job(tmp_path, epochs=2))
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        assert not (tmp_path / "run" / "result.json").exists()
        with_callbacks()
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        self.check(resumed, whole)

    def test_counts_are_those_of_the_whole_run(
        self, tmp_path: Path, with_callbacks: Any, whole: FineTuneResult
    ) -> None:
        with_callbacks(At(3, ctrl_c))
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, epochs=2))
        with_callbacks()
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        for name in ("steps", "examples", "tokens"):
            assert resumed.summary[name] == whole.summary[name], name

    @pytest.mark.parametrize("batch", [4, STEPS, STEPS + 2])  # 4 and 8 are evaluated, 6 ends an epoch
    def test_interrupted_where_evaluations_fall_within_epochs(
        self, tmp_path: Path, with_callbacks: Any, batch: int
    ) -> None:
        own = {"epochs": 2, "eval_steps": 4}
        with_callbacks(watch := Watch())
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own))
        evaluated = watch.evaluated_after
        assert evaluated[:2] == [4, 8]
        with_callbacks(At(batch, ctrl_c), watch := Watch())
        with pytest.raises(Interrupted, match=f"step {batch};"):
            fine_tune(**job(tmp_path, **own))
        before = watch.evaluated_after
        with_callbacks(watch := Watch())
        self.check(fine_tune(**job(tmp_path, **own), resume=True), whole)
        assert before + watch.evaluated_after == evaluated

    def test_interrupted_twice(self, tmp_path: Path, with_callbacks: Any, whole: FineTuneResult) -> None:
        with_callbacks(At(2, ctrl_c))
        with pytest.raises(Interrupted, match="step 2"):
            fine_tune(**job(tmp_path, epochs=2))
        with_callbacks(At(2, ctrl_c))
        with pytest.raises(Interrupted, match="step 4"):
            fine_tune(**job(tmp_path, epochs=2), resume=True)
        with_callbacks()
        self.check(fine_tune(**job(tmp_path, epochs=2), resume=True), whole)

    def test_killed_after_an_epoch(self, tmp_path: Path, with_callbacks: Any, whole: FineTuneResult) -> None:
        with_callbacks(At(STEPS + 3, power_cut))
        with pytest.raises(RuntimeError, match="power cut"):
            fine_tune(**job(tmp_path, epochs=2))
        with_callbacks()
        self.check(fine_tune(**job(tmp_path, epochs=2), resume=True), whole)

    def test_killed_after_an_evaluation_within_an_epoch(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=2, eval_steps=4))
        assert watch.evaluated_after == [4, 8, 12]
        with_callbacks(At(6, power_cut))
        with pytest.raises(RuntimeError, match="power cut"):
            fine_tune(**job(tmp_path, epochs=2, eval_steps=4))
        with_callbacks(watch := Watch())
        resumed = fine_tune(**job(tmp_path, epochs=2, eval_steps=4), resume=True)
        assert len(watch.rates) == 8
        assert watch.evaluated_after == [8, 12]
        self.check(resumed, whole)

    def test_interrupted_while_gradients_are_accumulated(self, tmp_path: Path, with_callbacks: Any) -> None:
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", accumulate=3, epochs=2))
        with_callbacks(At(2, ctrl_c))
        with pytest.raises(Interrupted, match="stopped at step 1;"):  # at the end of the step that had begun
            fine_tune(**job(tmp_path, accumulate=3, epochs=2))
        with_callbacks()
        self.check(fine_tune(**job(tmp_path, accumulate=3, epochs=2), resume=True), whole)

    def test_interrupted_ner(self, tmp_path: Path, with_callbacks: Any) -> None:
        own = {"task": "ner", "corpus": "sample-ner", "epochs": 2}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own))
        with_callbacks(At(4, ctrl_c))
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, **own))
        with_callbacks()
        self.check(fine_tune(**job(tmp_path, **own), resume=True), whole)

    @pytest.mark.parametrize("first", [2, STEPS, STEPS + 2, 2 * STEPS])
    def test_a_finished_run_goes_on_with_more_steps(self, tmp_path: Path, first: int) -> None:
        own = {"epochs": 3, "schedule": "constant", "warmup": 0}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own, max_steps=3 * STEPS))
        fine_tune(**job(tmp_path, **own, max_steps=first))
        resumed = fine_tune(**job(tmp_path, **own, max_steps=3 * STEPS), resume=True)
        assert resumed.summary["steps"] == 3 * STEPS
        difference = largest_difference(weights(resumed.output / "last"), weights(whole.output / "last"))
        assert difference == 0

    @pytest.mark.parametrize("end", [ctrl_c, power_cut])
    def test_interrupted_masked_language_model(self, tmp_path: Path, with_callbacks: Any, end: Any) -> None:
        """Its masks are drawn anew in every batch; a resumed run draws those of the whole one."""
        own = {"task": "masked-lm", "corpus": "sample-raw", "epochs": 2}
        with_callbacks(watch := Masks())
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own))
        with_callbacks(At(STEPS + 3, end), before := Masks())
        with pytest.raises((Interrupted, RuntimeError)):
            fine_tune(**job(tmp_path, **own))
        with_callbacks(after := Masks())
        began = time.perf_counter()
        resumed = fine_tune(**job(tmp_path, **own), resume=True)
        self.check(resumed, whole)
        # the clock of a run that goes on within an epoch begins with it, not with the machine
        assert resumed.summary["train_seconds"] < whole.summary["train_seconds"] + time.perf_counter() - began
        done = len(watch.seen) - len(after.seen)  # what was not saved is done again
        assert STEPS <= done < STEPS + 4
        assert before.seen[:done] + after.seen == watch.seen
        assert len(set(watch.seen)) == len(watch.seen)

    def test_more_epochs(self, tmp_path: Path) -> None:
        own = {"schedule": "constant", "warmup": 0}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=3, **own))
        fine_tune(**job(tmp_path, epochs=1, **own))
        resumed = fine_tune(**job(tmp_path, epochs=3, **own), resume=True)
        assert resumed.summary["steps"] == 3 * STEPS
        self.check(resumed, whole)
        assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["epochs"] == 3

    def test_the_best_of_before_stays_the_best(
        self, tmp_path: Path, with_callbacks: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scores(monkeypatch, 0.9, 0.1)
        with_callbacks(At(STEPS + 2, ctrl_c))
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, epochs=2))
        best = weights(tmp_path / "run" / "best")
        with_callbacks()
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        assert resumed.metrics["macro_f1"] == 0.9
        assert largest_difference(weights(resumed.best), best) == 0

    def test_the_best_of_max_steps_stays_the_best(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = {"schedule": "constant", "warmup": 0}
        scores(monkeypatch, 0.9, 0.0, 0.1, 0.0)  # validation and test, twice
        first = fine_tune(**job(tmp_path, max_steps=4, **own))
        resumed = fine_tune(**job(tmp_path, max_steps=5, **own), resume=True)
        assert first.metrics["macro_f1"] == resumed.metrics["macro_f1"] == 0.9

    def test_another_configuration_is_refused(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path))
        before = tree(tmp_path / "run")
        with pytest.raises(InputError, match=r"learning_rate: 0.001 there, 0.002 now"):
            fine_tune(**job(tmp_path, learning_rate=2e-3), resume=True)
        assert tree(tmp_path / "run") == before

    def test_nothing_to_go_on_with(self, tmp_path: Path) -> None:
        begun = fine_tune(**job(tmp_path), resume=True)
        assert begun.summary["steps"] == STEPS
        assert (tmp_path / "run" / "result.json").exists()

    def test_two_processes_never_train_into_one_folder(self, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir()
        with FileLock(tmp_path / "run" / ".lock"), pytest.raises(InputError, match="another process is training into"):
            fine_tune(**job(tmp_path))
        assert not (tmp_path / "run" / "config.yaml").exists()
        fine_tune(**job(tmp_path))  # the other one is done

    def test_a_finished_run_that_is_resumed_stays_as_it_is(self, tmp_path: Path) -> None:
        first = fine_tune(**job(tmp_path))
        before = weights(first.best)
        again = fine_tune(**job(tmp_path), resume=True)
        assert again.metrics == first.metrics
        assert largest_difference(weights(again.best), before) == 0
        assert again.summary["steps"] == STEPS


class TestBest:
    @pytest.mark.parametrize(("maximize", "best"), [(True, 0.9), (False, 0.2)])
    def test_by_the_metric_and_its_direction(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_callbacks: Any, maximize: bool, best: float
    ) -> None:
        monkeypatch.setattr(Classification, "maximize", maximize)
        values = [0.5, 0.9, 0.2, 0.7]
        scores(monkeypatch, *values)
        states: list[dict[str, torch.Tensor]] = []

        class States(pl.Callback):
            def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
                states.append({name: value.clone() for name, value in pl_module.model.state_dict().items()})

        with_callbacks(States())
        result = fine_tune(**job(tmp_path, epochs=4))
        assert result.metrics["macro_f1"] == best
        kept = states[values.index(best)]
        assert all(torch.equal(value, kept[name]) for name, value in weights(result.best).items())
        assert all(torch.equal(value, states[-1][name]) for name, value in weights(result.output / "last").items())
        assert json.loads((result.output / "last" / "metrics.json").read_text())["validation"]["macro_f1"] == 0.7

    def test_ties_are_broken_by_the_loss(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scores(monkeypatch, 0.5)
        result = fine_tune(**job(tmp_path, epochs=3, learning_rate=5e-3))
        losses = logged(result.output, "validation/loss")
        assert len(set(losses)) == 3
        assert result.metrics["loss"] == pytest.approx(min(losses))

    def test_early_stopping(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scores(monkeypatch, 0.5, 0.9, 0.8, 0.9, 0.95)
        result = fine_tune(**job(tmp_path, epochs=9, early_stopping=2))
        assert result.summary["steps"] == 4 * STEPS  # the third and the fourth are no better than the second
        assert result.metrics["macro_f1"] == 0.9

    def test_early_stopping_knows_the_direction(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Classification, "maximize", False)
        scores(monkeypatch, 0.9, 0.8, 0.7, 0.75)
        assert fine_tune(**job(tmp_path, epochs=9, early_stopping=1)).summary["steps"] == 4 * STEPS

    def test_evaluations_within_an_epoch(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(watch := Watch())
        fine_tune(**job(tmp_path, epochs=2, eval_steps=5))
        assert watch.evaluated_after == [5, 10, 12]  # the last steps too

    @pytest.mark.parametrize("own", [{"max_steps": 4}, {"eval_steps": 100}], ids=["max_steps", "eval_steps"])
    def test_a_run_that_ends_before_an_evaluation_is_evaluated_at_its_end(
        self, tmp_path: Path, own: dict[str, int]
    ) -> None:
        result = fine_tune(**job(tmp_path, **own))
        assert result.summary["steps"] == own.get("max_steps", STEPS)
        assert (result.best / "model.safetensors").exists()
        assert 0 <= result.metrics["macro_f1"] <= 1
        assert largest_difference(weights(result.best), weights(result.output / "last")) == 0


class TestLoss:
    def broken(self, monkeypatch: pytest.MonkeyPatch, batch: int, factor: float) -> None:
        """From this batch on, the loss is so many times what it was."""
        loss, seen = Classification.loss, []

        def lost(*arguments: Any) -> torch.Tensor:
            seen.append(1)
            return loss(*arguments) * (factor if len(seen) >= batch else 1.0)

        monkeypatch.setattr(Classification, "loss", lost)

    @pytest.mark.parametrize("factor", [math.nan, math.inf])
    def test_a_loss_that_is_no_number(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
        rows = [(f"{i}번 글", "긍정" if i % 2 else "부정") for i in range(22)]
        corpus = tsv(tmp_path / "r.tsv", rows)  # 2 rows are kept for validation, 5 batches of 4 are learnt from
        self.broken(monkeypatch, 3, factor)
        with pytest.raises(TrainingError) as caught:
            fine_tune(**job(tmp_path, corpus=corpus, batch_size=4, limit_train=None, limit_eval=None))
        message = str(caught.value)
        assert f"the loss is {factor} at step 2" in message
        lines = re.findall(re.escape(str(corpus)) + r", line (\d+)", message)
        assert len(set(lines)) == 4
        assert all(2 <= int(line) <= 23 for line in lines)
        assert "--learning_rate (now 0.001)" in message

    def test_the_best_of_before_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, STEPS + 2, math.nan)
        with pytest.raises(TrainingError):
            fine_tune(**job(tmp_path, epochs=2))
        assert all(torch.isfinite(value).all() for value in weights(tmp_path / "run" / "best").values())
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요").label in {"긍정", "부정"}
        assert not (tmp_path / "run" / "result.json").exists()

    def test_a_loss_that_explodes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, 12, 100)
        with pytest.raises(
            TrainingError, match=r"the loss is \d+\.?\d* at step 11 \(it was 0\.\d+ in the first steps\)"
        ):
            fine_tune(**job(tmp_path, epochs=2))

    def test_a_loss_that_grows_a_little_goes_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, 11, 3)
        assert fine_tune(**job(tmp_path, epochs=2)).summary["steps"] == 12


def says(logits: list[list[float]]) -> Any:
    """A model that answers so."""
    return lambda **inputs: SimpleNamespace(logits=torch.tensor(logits))


class TestClassWeights:
    def test_balanced(self) -> None:
        statistics = Statistics(rows=10, empty=0, labels={"긍정": 8, "부정": 2})
        task = Classification(class_weights="balanced").fit(statistics, ["긍정", "부정"], [], None)
        assert task.class_weights == (10 / 2 / 8, 10 / 2 / 2)  # rows / classes / rows of the class

    def test_the_weighted_loss_is_that_of_torch(self) -> None:
        logits, labels = [[2.0, -1.0], [0.5, 0.0], [-1.0, 3.0]], torch.tensor([0, 1, 1])
        task = Classification(class_weights=(0.625, 2.5))
        expected = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.625, 2.5]))(torch.tensor(logits), labels)
        assert float(task.loss(says(logits), {"labels": labels})) == pytest.approx(float(expected))
        plain = torch.nn.CrossEntropyLoss()(torch.tensor(logits), labels)
        assert float(Classification().loss(says(logits), {"labels": labels})) == pytest.approx(float(plain))

    def test_the_loss_of_several_labels_is_that_of_torch(self) -> None:
        logits, labels = [[2.0, -1.0], [0.5, 0.0]], torch.tensor([[1.0, 0.0], [1.0, 1.0]])
        expected = torch.nn.BCEWithLogitsLoss()(torch.tensor(logits), labels)
        task = Classification(multi_label=True)
        assert float(task.loss(says(logits), {"labels": labels})) == pytest.approx(float(expected))

    @pytest.mark.parametrize("weights", [None, (0.5, 3.0)])
    def test_the_loss_of_an_evaluation_does_not_depend_on_its_batches(
        self, tmp_path: Path, weights: tuple[float, ...] | None
    ) -> None:
        model = load_model(
            resolve(CHECKPOINT), small_config(), Classification().model_class(), vocabulary=4000, init="random"
        ).eval()
        task = Classification(class_weights=weights)
        found = []
        for size in (3, 64):
            data = TaskDataModule(
                task, SampleSentiment(), tokenizer(), cache=tmp_path, eval_batch_size=size, limit_eval=20
            )
            data.setup("fit")
            module = TaskModule(data.task, model, data.labels or [])
            quiet_trainer(tmp_path).validate(module, data, verbose=False)
            found.append(module.results)
        assert found[0]["loss"] == pytest.approx(found[1]["loss"], abs=1e-6)
        assert found[0]["confusion_matrix"] == found[1]["confusion_matrix"]

    def test_they_reach_the_saved_task(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 글", "긍정" if i % 4 else "부정") for i in range(40)]
        result = fine_tune(**job(tmp_path, corpus=tsv(tmp_path / "r.tsv", rows), class_weights="balanced"))
        described = json.loads((result.best / "task.json").read_text())
        assert described["labels"] == ["긍정", "부정"]
        assert described["fields"]["class_weights"] == [pytest.approx(2 / 3), 2.0]


def small_config(**more: Any) -> Any:
    config = load_config(resolve(CHECKPOINT), TINY | more)
    config.num_labels = 2
    return config


def quiet_trainer(tmp_path: Path, **options: Any) -> pl.Trainer:
    own = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_model_summary": False}
    return pl.Trainer(default_root_dir=tmp_path, enable_progress_bar=False, **own | options)


class TestSeveralLabels:
    def test_with_a_separator(self, tmp_path: Path) -> None:
        kinds = ["맛", "값,맛", "값", ""]
        corpus = tsv(tmp_path / "r.tsv", [(f"{i}번 글", kinds[i % 4]) for i in range(60)])
        result = fine_tune(**job(tmp_path, corpus=corpus, label_separator=","))
        assert result.predictor.task.multi_label
        assert result.predictor.labels == ["값", "맛"]
        assert set(result.metrics["per_class"]) == {"값", "맛"}
        predicted = result.predictor.with_options(threshold=0.01)("1번 글")
        assert predicted.label == ("값", "맛")
        assert sum(predicted.scores.values()) != pytest.approx(1)
        config = json.loads((result.best / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification"
        measured = evaluate(result.output, corpus=corpus, label_separator=",", cache_dir=tmp_path / "cache")
        assert set(result.metrics) == set(measured)

    def test_a_column_for_each_class(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 글", str(i % 2), str(i // 2 % 2)) for i in range(40)]
        corpus = tsv(tmp_path / "r.tsv", rows, header="text\t값\t맛")
        result = fine_tune(**job(tmp_path, corpus=corpus, label_column="값,맛"))
        assert result.predictor.task.multi_label
        assert result.predictor.labels == ["값", "맛"]
        assert sum(row["support"] for row in result.metrics["per_class"].values()) == 4  # of 4 rows: 10, 01, 11, 00

    def test_lists_in_jsonl(self, tmp_path: Path) -> None:
        lines = [json.dumps({"text": f"글 {i}", "label": [["a"], ["a", "b"], []][i % 3]}) for i in range(30)]
        result = fine_tune(**job(tmp_path, corpus=write(tmp_path / "r.jsonl", "\n".join(lines))))
        assert result.predictor.labels == ["a", "b"]
        assert result.predictor.task.multi_label

    def test_the_pipeline_of_transformers_says_the_same(self, tmp_path: Path) -> None:
        from transformers import pipeline

        lines = [json.dumps({"text": f"글 {i}", "label": [["a"], ["a", "b"]][i % 2]}) for i in range(30)]
        result = fine_tune(**job(tmp_path, corpus=write(tmp_path / "r.jsonl", "\n".join(lines))))
        (said,) = pipeline("text-classification", str(result.best), device="cpu")(["글 하나"], top_k=None)
        own = result.predictor("글 하나").scores
        assert {item["label"]: item["score"] for item in said} == pytest.approx(own, abs=1e-4)


class TestWindows:
    def test_from_end_to_end(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 손님의 길고 긴 이야기입니다 " * 6, "긍정" if i % 2 else "부정") for i in range(30)]
        own = {"corpus": tsv(tmp_path / "r.tsv", rows), "long_text": "windows", "max_length": 16}
        result = fine_tune(**job(tmp_path, limit_train=None, limit_eval=None, **own))
        sizes = result.summary["splits"]["validation"]
        assert sizes["windows"] > 2 * sizes["examples"]
        assert sizes["truncated_tokens"] == 0
        assert result.summary["examples"] == 27 < result.summary["windows"] / 2
        assert sum(row["support"] for row in result.metrics["per_class"].values()) == sizes["examples"] == 3

        text = rows[0][0]
        features = result.predictor.task.encode_inputs([TextExample(text)], tokenizer(), 16)
        model = result.predictor.model.eval()
        with torch.inference_mode():
            logits = [model(input_ids=torch.tensor([f["input_ids"]])).logits[0] for f in features]
        expected = torch.stack(logits).mean(0).softmax(0)
        said = result.predictor(text).scores
        assert len(features) > 2
        assert [said["긍정"], said["부정"]] == pytest.approx(expected.tolist(), abs=1e-6)


class TestSavedFolder:
    def test_files(self, classifier: FineTuneResult) -> None:
        assert {path.name for path in classifier.output.iterdir()} == {
            ".lock", "best", "last", "logs", "config.yaml", "result.json", "resume.ckpt",
        }  # fmt: skip
        assert {path.name for path in classifier.best.iterdir()} == {
            "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            "task.json", "metrics.json", "README.md",
        }  # fmt: skip

    def test_no_pickle(self, classifier: FineTuneResult) -> None:
        for name, content in tree(classifier.output).items():
            if name != "resume.ckpt":
                assert not content.startswith((b"\x80", b"PK")), name
        state = torch.load(classifier.output / "resume.ckpt", weights_only=True)
        assert state["global_step"] == 3 * 55

    def test_metrics_json_and_result(self, classifier: FineTuneResult) -> None:
        metrics = json.loads((classifier.best / "metrics.json").read_text())
        assert metrics == {"validation": classifier.metrics, "test": classifier.test_metrics}
        assert sum(map(sum, metrics["validation"]["confusion_matrix"]["matrix"])) == 80
        result = json.loads((classifier.output / "result.json").read_text())
        assert result["metrics"] == classifier.metrics
        assert result["test_metrics"] == classifier.test_metrics
        assert result["best"] == str(classifier.best)

    def test_the_configuration_is_whole(self, classifier: FineTuneResult) -> None:
        config = yaml.safe_load((classifier.output / "config.yaml").read_text())
        assert config["config_overrides"] == TINY
        assert (config["task"], config["corpus"], config["checkpoint"]) == (
            "classification", "sample-sentiment", CHECKPOINT,
        )  # fmt: skip
        assert (config["learning_rate"], config["epochs"], config["init"]) == (5e-3, 3, "random")

    def test_a_run_learns_something(self, recognizer: FineTuneResult) -> None:
        assert recognizer.metrics["entity_f1"] > 0.2
        assert {"klue_entity_f1", "klue_char_f1", "conll_f1", "entity_macro_f1"} <= recognizer.metrics.keys()

    def test_evaluation_gives_the_metrics_of_training(self, classifier: FineTuneResult, tmp_path: Path) -> None:
        for split, expected in (("validation", classifier.metrics), ("test", classifier.test_metrics)):
            measured = evaluate(classifier.output, corpus="sample-sentiment", split=split, cache_dir=tmp_path)
            assert measured.keys() == (expected or {}).keys()
            assert measured["confusion_matrix"] == (expected or {})["confusion_matrix"]
            assert measured["loss"] == pytest.approx((expected or {})["loss"], abs=1e-5)

    def test_options_may_be_strings(self, tmp_path: Path, classifier: FineTuneResult) -> None:
        measured = evaluate(
            str(classifier.output), corpus="sample-sentiment", split="validation", cache_dir=str(tmp_path / "cache")
        )
        assert measured["accuracy"] == classifier.metrics["accuracy"]


class TestDiskFull:
    @pytest.fixture
    def fills_up(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """After so many models, the disk takes but half of one."""
        from transformers import BertForSequenceClassification

        left, save = [1], BertForSequenceClassification.save_pretrained

        def half(self: Any, folder: Path, **options: Any) -> None:
            left[0] -= 1
            save(self, folder, **options)
            if left[0] < 0:
                whole = (folder / "model.safetensors").read_bytes()
                (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
                raise OSError(errno.ENOSPC, "No space left on device", str(folder))

        monkeypatch.setattr(BertForSequenceClassification, "save_pretrained", half)
        return left  # type: ignore[return-value]

    def test_the_best_of_before_stays_whole(
        self, tmp_path: Path, fills_up: list[int], monkeypatch: pytest.MonkeyPatch, with_callbacks: Any
    ) -> None:
        scores(monkeypatch, 0.1, 0.2)
        fills_up[0] = 2  # best and last of the first epoch
        before: list[dict[str, bytes]] = []
        with_callbacks(At(STEPS + 1, lambda trainer: before.append(tree(tmp_path / "run" / "best"))))
        with pytest.raises(InputError, match="No space left on device") as caught:
            fine_tune(**job(tmp_path, epochs=2))
        assert caught.value.place == tmp_path / "run" / "best"
        assert tree(tmp_path / "run" / "best") == before[0]
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요").label in {"긍정", "부정"}
        assert {path.name for path in (tmp_path / "run").iterdir()} == {
            ".lock", "best", "last", "logs", "config.yaml", "resume.ckpt",
        }  # fmt: skip

    def test_the_first_model(self, tmp_path: Path, fills_up: list[int]) -> None:
        fills_up[0] = 0
        with pytest.raises(InputError, match="make room on the disk"):
            fine_tune(**job(tmp_path))
        assert {path.name for path in (tmp_path / "run").iterdir()} == {".lock", "logs", "config.yaml"}

    def test_going_on_when_there_is_room_again(self, tmp_path: Path, fills_up: list[int]) -> None:
        fills_up[0] = 100
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=2))
        fills_up[0] = 2
        with pytest.raises(InputError):
            fine_tune(**job(tmp_path, epochs=2))
        fills_up[0] = 100
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        assert largest_difference(weights(resumed.output / "last"), weights(whole.output / "last")) == 0

    def test_the_state_of_the_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(self: Any, path: Path, *arguments: Any, **options: Any) -> None:
            Path(path).write_bytes(b"half")
            raise RuntimeError(
                "[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed: file write failed"
            )

        monkeypatch.setattr(pl.Trainer, "save_checkpoint", full)
        with pytest.raises(InputError, match=r"the state of the run cannot be written") as caught:
            fine_tune(**job(tmp_path))
        assert caught.value.place == tmp_path / "run" / "resume.ckpt"
        assert not list((tmp_path / "run").glob("resume*"))
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요")

    @pytest.mark.parametrize(
        ("error", "full"),
        [
            (OSError(errno.ENOSPC, "x"), True),
            (OSError(errno.EDQUOT, "x"), True),
            (OSError(errno.EFBIG, "x"), True),
            (RuntimeError("I/O error: No space left on device (os error 28)"), True),
            (OSError(errno.EACCES, "Permission denied"), False),
            (RuntimeError("shapes do not match"), False),
        ],
    )
    def test_what_a_full_disk_says(self, error: Exception, full: bool) -> None:
        assert is_full(error) is full

    @pytest.mark.slow
    def test_a_real_limit(self, tmp_path: Path) -> None:
        """A limit on the size of files stands for a full disk; models are 0.6 MB, states 1.7 MB."""
        done = python(_LIMITED, tmp_path)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout.splitlines()[-1])
        for limit, file in (("300000", "best"), ("1000000", "resume.ckpt")):
            message, same, label, left = said[limit]
            assert message.startswith(f"{tmp_path / limit / file}: "), message
            assert "make room on the disk" in message
            assert same
            assert label in {"긍정", "부정"}
            assert [name for name in left if "partial" in name or "old" in name] == []


_LIMITED = """
import json, resource, sys
from pathlib import Path
import pytorch_lightning as pl
from helpers import job, tree
from ratsnlp_like.training import finetune
from ratsnlp_like.errors import InputError
from ratsnlp_like.predictor import Predictor
from ratsnlp_like.tasks.classification import Classification

class Limit(pl.Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            self.before = tree(self.run / "best")
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, resource.RLIM_INFINITY))

build, score, given = finetune.build_trainer, Classification.score, iter(range(100))
Classification.score = lambda *a: score(*a) | {"macro_f1": next(given) / 100}
said = {}
for limit in (300000, 1000000):
    callback = Limit()
    callback.limit, callback.run = limit, Path(sys.argv[1]) / str(limit)
    def built(*a, **k):
        trainer = build(*a, **k)
        trainer.callbacks.append(callback)
        return trainer
    finetune.build_trainer = built
    message = None
    try:
        finetune.fine_tune(**job(Path(sys.argv[1]), output=callback.run, epochs=2, schedule="constant"))
    except InputError as error:
        message = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    same = tree(callback.run / "best")["model.safetensors"] == callback.before["model.safetensors"]
    label = Predictor.from_pretrained(callback.run)("좋아요").label
    left = [str(p) for p in callback.run.rglob("*")]
    said[limit] = message, same if limit == 300000 else True, label, left
print(json.dumps(said))
"""


class TestRecover:
    def test_killed_before_the_old_one_was_deleted(self, tmp_path: Path) -> None:
        write(tmp_path / "best" / "a", "new")
        write(tmp_path / "best.old" / "a", "old")
        recover(tmp_path / "best")
        assert tree(tmp_path) == {"best/a": b"new"}

    def test_nothing_to_do(self, tmp_path: Path) -> None:
        write(tmp_path / "best" / "a", "one")
        recover(tmp_path / "best")
        recover(tmp_path / "last")
        assert tree(tmp_path) == {"best/a": b"one"}


class TestRunFolder:
    def test_a_folder_of_something_else(self, tmp_path: Path) -> None:
        write(tmp_path / "run" / "thesis.docx", "years of work")
        with pytest.raises(InputError, match=r"is not empty \(thesis.docx\)"):
            fine_tune(**job(tmp_path))
        assert tree(tmp_path / "run") == {"thesis.docx": b"years of work"}
        fine_tune(**job(tmp_path), overwrite=True)
        assert (tmp_path / "run" / "thesis.docx").read_text() == "years of work"

    def test_a_file(self, tmp_path: Path) -> None:
        write(tmp_path / "run", "a file")
        with pytest.raises(InputError, match="is a file"):
            fine_tune(**job(tmp_path))
        assert (tmp_path / "run").read_text() == "a file"

    def test_overwrite(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path))
        result = fine_tune(**job(tmp_path, seed=8), overwrite=True)
        assert yaml.safe_load((result.output / "config.yaml").read_text())["seed"] == 8
        assert [path.name for path in (result.output / "logs").iterdir()] == ["version_0"]

    def test_an_unfinished_run_is_not_thrown_away(self, tmp_path: Path, with_callbacks: Any) -> None:
        with_callbacks(At(2, ctrl_c))
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path))
        before = tree(tmp_path / "run")
        with pytest.raises(InputError, match="--resume to go on with it, or --overwrite"):
            fine_tune(**job(tmp_path))
        assert tree(tmp_path / "run") == before


class TestPrecision:
    @pytest.fixture
    def hardware(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        def has(*, gpu: bool = False, bf16: bool = False, mps: bool = False) -> None:
            monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
            monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16)
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
            monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16 and not gpu)
            monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)

        return has

    @pytest.mark.parametrize(
        ("has", "accelerator", "expected"),
        [
            ({"gpu": True, "bf16": True}, "auto", "bf16-mixed"),
            ({"gpu": True}, "auto", "16-mixed"),  # a T4
            ({"gpu": True}, "gpu", "16-mixed"),
            ({"gpu": True}, "cpu", "32"),
            ({}, "auto", "32"),
            ({"bf16": True}, "auto", "bf16-mixed"),
            ({"bf16": True}, "cpu", "bf16-mixed"),
            ({"mps": True}, "auto", "32"),
        ],
    )
    def test_by_hardware(self, hardware: Any, has: dict[str, bool], accelerator: str, expected: str) -> None:
        hardware(**has)
        assert choose_precision(TrainingArguments(accelerator=accelerator)) == expected

    def test_what_is_asked_for_wins(self, hardware: Any) -> None:
        hardware(gpu=True, bf16=True)
        assert choose_precision(TrainingArguments(precision="32")) == "32"

    def test_bf16_trains(self, tmp_path: Path) -> None:
        result = fine_tune(**job(tmp_path, precision="bf16-mixed"))
        assert result.summary["precision"] == "bf16-mixed"
        assert {value.dtype for value in weights(result.best).values()} == {torch.float32}


class TestMeter:
    def test_examples_and_tokens(self, tmp_path: Path) -> None:
        rows = [("가", "긍정"), ("가 가", "부정")] * 10
        validation = tsv(tmp_path / "v.tsv", [("가 가 가", "긍정"), ("가", "부정")])
        own = {"corpus": tsv(tmp_path / "r.tsv", rows), "eval_corpus": str(validation), "epochs": 2}
        result = fine_tune(**job(tmp_path, limit_train=None, limit_eval=None, **own))
        # 10 texts of one token and 10 of two, each with two special tokens, twice
        assert result.summary["tokens"] == 2 * (10 * 3 + 10 * 4)
        assert result.summary["examples"] == 40
        assert result.summary["steps"] == 6
        assert result.summary["splits"]["validation"] == {
            "examples": 2, "windows": 2, "tokens": 5 + 3, "truncated_tokens": 0,
        }  # fmt: skip
        assert result.summary["train_seconds"] > 0
        assert result.summary["examples_per_second"] == pytest.approx(40 / result.summary["train_seconds"], rel=0.02)

    def test_evaluations_do_not_count_as_training(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import time

        score = Classification.score

        def slow(*arguments: Any) -> dict[str, Any]:
            time.sleep(0.5)
            return score(*arguments)

        monkeypatch.setattr(Classification, "score", slow)
        summary = fine_tune(**job(tmp_path, epochs=2, eval_steps=3)).summary
        assert summary["evaluation_seconds"] > 4 * 0.5
        assert summary["train_seconds"] < summary["evaluation_seconds"]


class TestAlone:
    """Each layer under a Lightning trainer of one's own."""

    @pytest.mark.parametrize("kind", [Classification, Ner])
    def test_three_lines(self, tmp_path: Path, kind: Any) -> None:
        corpus = SampleSentiment() if kind is Classification else SampleNer()
        data = TaskDataModule(kind(), corpus, tokenizer(), cache=tmp_path / "cache", limit_train=32, limit_eval=16)
        data.setup("fit")
        config = small_config()
        data.task.configure(config, data.labels or [])
        model = load_model(resolve(CHECKPOINT), config, kind().model_class(), vocabulary=4000, init="random")

        module = TaskModule(data.task, model, data.labels or [])
        trainer = pl.Trainer(max_epochs=2, accelerator="cpu", default_root_dir=tmp_path, enable_progress_bar=False)
        trainer.fit(module, data)

        assert trainer.global_step == 2
        assert 0 <= float(trainer.callback_metrics[f"validation/{kind.best_metric}"]) <= 1
        assert math.isfinite(float(trainer.callback_metrics["validation/loss"]))
        trainer.test(module, data, verbose=False)
        assert f"test/{kind.best_metric}" in trainer.callback_metrics

    def test_a_checkpoint_callback_of_lightning(self, tmp_path: Path) -> None:
        data = TaskDataModule(
            Classification(), SampleSentiment(), tokenizer(), cache=tmp_path / "cache", limit_train=32
        )
        data.setup("fit")
        model = load_model(
            resolve(CHECKPOINT), small_config(), Classification().model_class(), vocabulary=4000, init="random"
        )
        module = TaskModule(data.task, model, data.labels or [], TrainingArguments(learning_rate=1e-3))
        keep = pl.callbacks.ModelCheckpoint(tmp_path / "kept", monitor="validation/macro_f1", mode="max")
        trainer = quiet_trainer(tmp_path, max_epochs=1, enable_checkpointing=True, callbacks=[keep])
        trainer.fit(module, data)
        state = torch.load(keep.best_model_path, weights_only=True)
        assert "model.classifier.weight" in state["state_dict"]

    def test_predictor_of_an_own_model(self, tmp_path: Path) -> None:
        config = small_config()
        Classification().configure(config, ["긍정", "부정"])
        model = load_model(resolve(CHECKPOINT), config, Classification().model_class(), vocabulary=4000, init="random")
        predictor = Predictor(Classification(), model, tokenizer(), ["긍정", "부정"])
        assert predictor("좋아요") == predictor("좋아요")  # dropout is off
        predictor.save_pretrained(tmp_path / "own")
        assert Predictor.from_pretrained(tmp_path / "own")("좋아요").scores == pytest.approx(predictor("좋아요").scores)

    def test_a_corpus_of_ones_own(self, tmp_path: Path) -> None:
        from ratsnlp_like.corpora.base import Corpus

        class Own(Corpus):
            example, task = TextExample, "classification"

            def splits(self, root: Path) -> tuple[str, ...]:
                return ("train",)

            def rows(self, root: Path, split: str) -> Iterator[Any]:
                from ratsnlp_like.corpora.formats import Row

                for i in range(30):
                    yield Row({"text": f"글 {i}", "label": "ab"[i % 2]}, Place("own", i + 1))

            def fingerprint(self, root: Path, split: str) -> str:
                return "own 1"

        result = fine_tune(**job(tmp_path, corpus=Own()))
        assert result.predictor.labels == ["a", "b"]
        assert result.summary["splits"]["train"]["examples"] == 27


@pytest.mark.slow
class TestTwoProcesses:
    """DDP with gloo on the CPU, started by the command line itself."""

    @pytest.fixture(scope="class")
    def runs(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FineTuneResult, str]:
        folder = tmp_path_factory.mktemp("two")
        own = {"config_overrides": TINY | NO_DROPOUT, "epochs": 2, "limit_eval": 25, "eval_batch_size": 8}
        one = fine_tune(**job(folder, output=folder / "one", **own))
        two = {"output": folder / "two", "devices": 2, "strategy": "ddp", "result": folder / "two.json"}
        done = command(flags(folder, **own, **two), env=environment(MASTER_ADDR="127.0.0.1"))
        assert done.returncode == 0, done.stderr
        return folder, one, done.stdout

    def test_training_gives_the_weights_of_one_process(self, runs: Any) -> None:
        folder, one, _ = runs
        difference = largest_difference(weights(folder / "two" / "last"), weights(one.output / "last"))
        assert difference < 1e-4

    def test_evaluation_gives_the_metrics_of_one_process(self, runs: Any) -> None:
        folder, _, _ = runs
        kept = json.loads((folder / "two" / "best" / "metrics.json").read_text())
        for split in ("validation", "test"):
            measured = evaluate(
                folder / "two", corpus="sample-sentiment", split=split, limit_eval=25, cache_dir=folder / "cache"
            )
            assert sum(map(sum, kept[split]["confusion_matrix"]["matrix"])) == 25  # none is counted twice
            assert measured["confusion_matrix"] == kept[split]["confusion_matrix"]
            assert measured["loss"] == pytest.approx(kept[split]["loss"], abs=1e-5)

    def test_counts_are_of_all_processes(self, runs: Any) -> None:
        folder, one, _ = runs
        for file in (folder / "two" / "result.json", folder / "two.json"):
            said = json.loads(file.read_text())
            assert said["steps"] == one.summary["steps"]
            assert said["examples"] == one.summary["examples"]
            assert said["tokens"] == one.summary["tokens"]

    def test_the_table_is_shown_once(self, runs: Any) -> None:
        assert runs[2].count("predict with it: ratsnlp-like predict") == 1


def test_numbers_in_the_results_are_those_of_json(classifier: FineTuneResult, recognizer: FineTuneResult) -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            for inner in value.values():
                check(inner)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                check(inner)
        else:
            assert value is None or type(value) in {str, int, float, bool}, type(value)
            assert not isinstance(value, np.generic)

    check(classifier.to_dict())
    check(recognizer.to_dict())
