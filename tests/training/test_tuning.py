"""The search for hyperparameters: budget, pruning, resuming after a kill, no look at the test split."""

from __future__ import annotations

import importlib.util
import json
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import CHECKPOINT, TINY, job, python

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.training import tuning
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.job import Job
from ratsnlp_like.training.search_space import SearchSpace, dropouts_of, fixed_in
from ratsnlp_like.training.tuning import tune

needs_optuna = pytest.mark.skipif(importlib.util.find_spec("optuna") is None, reason="Optuna is not installed")
SPACE = SearchSpace(1e-3, 1, ("hidden_dropout_prob",), rows=48)


def options(tmp_path: Path, **own: Any) -> dict[str, Any]:
    return job(tmp_path, output=tmp_path / "search", batch_size=16, **{"learning_rate": "auto"} | own)


class Fixed:
    """A trial with given values."""

    def __init__(self, **values: Any) -> None:
        self.values = values

    def suggest_float(self, name: str, low: float, high: float, **_: Any) -> float:
        return self._within(name, low, high)

    suggest_int = suggest_float

    def suggest_categorical(self, name: str, choices: list[int]) -> int:
        assert self.values[name] in choices
        return int(self.values[name])

    def _within(self, name: str, low: float, high: float) -> Any:
        assert low <= self.values[name] <= high
        return self.values[name]


def test_the_space_becomes_a_job(tmp_path: Path) -> None:
    values = {"learning_rate": 2e-3, "batch_size": 8, "epochs": 2, "layer_decay": 0.9, "dropout": 0.25}
    own = job(tmp_path)
    base = Job.of(own.pop("task"), own.pop("corpus"), own.pop("checkpoint"), {k: own[k] for k in own if k != "output"})
    made = SPACE.apply(SPACE.suggest(Fixed(**values)), base)
    assert {
        name: getattr(made.training, name) for name in ("learning_rate", "batch_size", "epochs", "layer_decay")
    } == {name: value for name, value in values.items() if name != "dropout"}
    assert made.model.config_overrides == {**TINY, "hidden_dropout_prob": 0.25}


def test_what_is_set_keeps_its_value(tmp_path: Path) -> None:
    overrides = {"attention_probs_dropout_prob": 0.0}
    own = job(tmp_path, learning_rate="auto", batch_size=32, epochs=4, config_overrides=overrides)
    base = Job.of(own.pop("task"), own.pop("corpus"), own.pop("checkpoint"), {k: own[k] for k in own if k != "output"})
    space = replace(SPACE, fixed=fixed_in(base))
    found = space.suggest(Fixed(learning_rate=2e-3, batch_size=8, layer_decay=0.9))
    assert found == {"learning_rate": 2e-3, "batch_size": 8, "layer_decay": 0.9}
    made = space.apply(found, base)
    assert made.training.epochs == 4
    assert made.model.config_overrides == overrides


def test_dropouts() -> None:
    config = load_config(resolve(CHECKPOINT))
    assert dropouts_of(config) == ("hidden_dropout_prob", "attention_probs_dropout_prob")
    assert dropouts_of(load_config(resolve("ko-tiny-gpt"))) == ("resid_pdrop", "attn_pdrop")


def test_without_optuna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "ratsnlp_like\[tune\]"'):
        tune(**options(tmp_path))


@needs_optuna
@pytest.mark.slow
def test_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trials, then a third one in the same folder; the best configuration trains the same model."""
    read: list[str] = []
    original = TaskDataModule._read
    monkeypatch.setattr(
        TaskDataModule, "_read", lambda self, c, split: (read.append(split), original(self, c, split))[1]
    )
    tune(**options(tmp_path), trials=2)
    result = tune(**options(tmp_path), trials=3)
    assert set(read) == {"train", "validation"}
    assert len(result.trials) == 3
    scores = [trial["score"] for trial in result.trials if trial["state"] == "complete"]
    assert result.score == max(scores)
    assert len({trial["params"]["learning_rate"] for trial in result.trials}) == 3
    assert result.best.keys() == {"learning_rate", "layer_decay", "dropout"}  # batch size and epochs are set
    assert json.loads((tmp_path / "search" / "tuning.json").read_text()) == result.to_dict()
    config = yaml.safe_load((tmp_path / "search" / "best.yaml").read_text())
    assert config["use_test"]
    assert config["learning_rate"] == result.best["learning_rate"]
    again = fine_tune(**config | {"patience": 0, "baselines": False, "output": tmp_path / "again"})
    assert again.test_metrics is not None
    saved = json.loads((tmp_path / "search" / "best" / "metrics.json").read_text())
    assert "test" not in saved
    with pytest.raises(InputError, match=r"another configuration \(max_length\)"):
        tune(**options(tmp_path, max_length=16), trials=3)


@needs_optuna
def test_pruning(tmp_path: Path) -> None:
    """A trial below the median of the others at the same share of its steps is stopped."""
    import optuna

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=2))
    for _ in range(3):
        other = study.ask()
        for step in range(1, 6):
            other.report(2.0, step)
        study.tell(other, 2.0)
    with pytest.raises(tuning.Pruned, match="pruned after 1 of 5 evaluations"):
        fine_tune(**job(tmp_path, epochs=5, baselines=False), callbacks=[tuning.ReportToTrial(study.ask())])


@needs_optuna
@pytest.mark.slow
def test_a_killed_search_continues(tmp_path: Path) -> None:
    code = """
import json, os, signal, sys
from ratsnlp_like.training import tuning
class Kill(tuning.ReportToTrial):
    def on_validation_end(self, trainer, pl_module):
        super().on_validation_end(trainer, pl_module)
        if self._trial.number == 1 and trainer.global_step > 2:
            os.kill(os.getpid(), signal.SIGKILL)
tuning.ReportToTrial = Kill
tuning.tune(**json.loads(sys.argv[1]), trials=2)
"""
    own = options(tmp_path, max_steps=5, epochs="auto")
    done = python(code, json.dumps(own, default=str))
    assert done.returncode == -signal.SIGKILL, done.stderr
    result = tune(**own, trials=2)
    states = [trial["state"] for trial in result.trials]
    assert states == ["complete", "fail", "complete"]
    assert result.trials[1]["params"] == result.trials[2]["params"]
    assert not (tmp_path / "search" / "trial-1").exists()
