"""Callbacks, loggers and metrics of the user in `fine_tune` and `evaluate`, as objects and by name."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from helpers import job, largest_difference, weights
from helpers_training import logged
from pytorch_lightning.loggers import Logger

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.registry import LOGGERS, METRICS
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.module import monitored
from ratsnlp_like.training.scoring import metrics_by_name


class ListLogger(Logger):
    """Records the metrics that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.logged: list[tuple[int | None, dict[str, float]]] = []

    @property
    def name(self) -> str:
        return "list"

    @property
    def version(self) -> int:
        return 0

    def log_hyperparams(self, *_: Any, **__: Any) -> None:
        pass

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.logged.append((step, dict(metrics)))


class Freezer(pl.Callback):
    """Freezes all but the head, which shows in the weights of the result."""

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        for name, parameter in pl_module.model.named_parameters():
            parameter.requires_grad_("classifier" in name)


def certainty(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> dict[str, float]:
    """Mean score of the predicted labels, and the number of predictions."""
    return {"certainty": sum(p.score for p in predictions) / len(predictions), "certainty_rows": len(predictions)}


def share_of_first_label(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
    return sum(p.label == labels[0] for p in predictions) / len(examples)


@pytest.fixture
def registered() -> Iterator[list[ListLogger]]:
    """A metric and a logger that are registered under the name `own`."""
    loggers: list[ListLogger] = []

    def create(folder: Path) -> Logger:
        loggers.append(ListLogger())
        return loggers[-1]

    LOGGERS.register("own", create)
    METRICS.register("own", lambda predictions, examples, labels: len(examples) / 100)
    yield loggers
    LOGGERS.remove("own")
    METRICS.remove("own")


@pytest.mark.slow
def test_a_callback(tmp_path: Path) -> None:
    plain = fine_tune(**job(tmp_path, output=tmp_path / "plain"))
    frozen = fine_tune(**job(tmp_path, output=tmp_path / "frozen", epochs=2), callbacks=[Freezer()])
    name = "bert.encoder.layer.0.output.dense.weight"
    first, last = weights(plain.best), weights(frozen.output / "last")
    assert largest_difference({name: first[name]}, {name: last[name]}) > 0
    again = fine_tune(**job(tmp_path, output=tmp_path / "again", epochs=1), callbacks=[Freezer()])
    assert largest_difference({name: weights(again.best)[name]}, {name: last[name]}) == 0  # initial weights
    assert largest_difference(weights(again.best), last) > 0


@pytest.mark.slow
def test_a_logger(tmp_path: Path) -> None:
    logger = ListLogger()
    result = fine_tune(**job(tmp_path), loggers=[logger, "tensorboard"])
    (logged,) = [m["validation/macro_f1"] for _, m in logger.logged if "validation/macro_f1" in m]
    assert logged == pytest.approx(result.metrics["macro_f1"])
    assert list((tmp_path / "run" / "tensorboard").rglob("events.*"))


@pytest.mark.slow
def test_metrics_are_reported_in_training_and_evaluation(tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path), metrics=[certainty, share_of_first_label, "matthews"])
    for metrics in (result.metrics, result.test_metrics or {}):
        assert 0.5 <= metrics["certainty"] <= 1
        assert metrics["certainty_rows"] == 24
        row = metrics["confusion_matrix"]["matrix"]
        assert metrics["share_of_first_label"] == sum(line[0] for line in row) / 24
        assert -1 <= metrics["matthews"] <= 1
    saved = json.loads((result.best / "metrics.json").read_text())
    assert saved["test"] == result.test_metrics
    again = evaluate(result.output, corpus="sample-sentiment", limit_eval=24, metrics=[certainty, "matthews"])
    assert again["certainty"] == pytest.approx((result.test_metrics or {})["certainty"], abs=1e-6)
    assert again["matthews"] == (result.test_metrics or {})["matthews"]
    assert "share_of_first_label" not in again


@pytest.mark.slow
def test_names(tmp_path: Path, registered: list[ListLogger]) -> None:
    result = fine_tune(**job(tmp_path, metrics="own", loggers=("own",)))
    assert result.metrics["own"] == 0.24
    assert any("validation/own" in metrics for _, metrics in registered[0].logged)


@pytest.mark.slow
def test_a_metric_chooses_the_best_model(tmp_path: Path) -> None:
    values = (0.3, 0.9, 0.5, 0.0)  # by evaluation, since intervals score resamples in between
    states: list[dict[str, Any]] = []

    class States(pl.Callback):
        def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
            states.append({name: value.clone() for name, value in pl_module.model.state_dict().items()})

    def chosen(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
        return values[len(states)]

    result = fine_tune(**job(tmp_path, epochs=3, monitor="chosen"), metrics=[chosen], callbacks=[States()])
    assert largest_difference(weights(result.best), states[1]) == 0


@pytest.mark.slow
def test_the_loss_chooses_the_best_model(tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path, epochs=3, learning_rate=2e-2, monitor="loss"))
    losses = logged(result.output, "validation/loss")
    assert len(losses) == 3
    assert result.metrics["loss"] == pytest.approx(min(losses), abs=1e-5)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, ("macro_f1", True)),
        ({"monitor": "loss"}, ("loss", False)),
        ({"monitor": "absolute_error"}, ("absolute_error", False)),
        ({"monitor": "accuracy"}, ("accuracy", True)),
        ({"monitor": "accuracy", "monitor_mode": "min"}, ("accuracy", False)),
        ({"monitor_mode": "min"}, ("macro_f1", False)),
    ],
)
def test_direction_of_the_monitored_metric(own: dict[str, Any], expected: tuple[str, bool]) -> None:
    assert monitored(Classification(), TrainingArguments(**own)) == expected


def test_perplexity_is_minimized() -> None:
    assert monitored(MaskedLM(), TrainingArguments())[1] is MaskedLM.maximize
    assert not monitored(Classification(), TrainingArguments(monitor="perplexity"))[1]


def test_an_unknown_monitor_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown metric 'acuracy'") as caught:
        fine_tune(**job(tmp_path, monitor="acuracy"))
    assert "did you mean 'accuracy'" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_metric_that_does_not_fit(tmp_path: Path) -> None:
    def lengths(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
        return math.fsum(len(p.summary) for p in predictions)

    with pytest.raises(InputError, match="the metric 'lengths' does not fit predictions of classification"):
        fine_tune(**job(tmp_path), metrics=[lengths])


def test_a_metric_with_the_name_of_another(tmp_path: Path) -> None:
    def accuracy(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
        return 1.0

    with pytest.raises(InputError, match="the metric 'accuracy' repeats 'accuracy'"):
        fine_tune(**job(tmp_path), metrics=[accuracy])


def test_names_of_metrics() -> None:
    assert list(metrics_by_name(["matthews", certainty])) == ["matthews", "certainty"]
    with pytest.raises(InputError, match="unknown metric 'mathews'"):
        metrics_by_name(["mathews"])
