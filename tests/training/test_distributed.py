"""Training in several processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    NO_DROPOUT,
    TINY,
    command,
    environment,
    flags,
    job,
    largest_difference,
    weights,
)
from helpers_training import logged

from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune


@pytest.mark.slow
class TestTwoProcesses:
    """DDP with gloo on the CPU, started by the command line itself."""

    @pytest.fixture(scope="class")
    def runs(self, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, FineTuneResult, str]:
        folder = tmp_path_factory.mktemp("two")
        # 41 rows in batches of 8: the last batch has one window, which the second process repeats
        own = {"config_overrides": TINY | NO_DROPOUT, "epochs": 2, "limit_eval": 25, "eval_batch_size": 8}
        own |= {"limit_train": 41, "class_weights": "balanced"}
        one = fine_tune(**job(folder, output=folder / "one", **own))
        two = {"output": folder / "two", "devices": 2, "strategy": "ddp", "result": folder / "two.json"}
        done = command(flags(folder, **own, **two), env=environment(MASTER_ADDR="127.0.0.1"))
        assert done.returncode == 0, done.stderr
        return folder, one, done.stdout

    def test_training_gives_the_weights_of_one_process(self, runs: Any) -> None:
        folder, one, _ = runs
        difference = largest_difference(weights(folder / "two" / "last"), weights(one.output / "last"))
        assert difference < 1e-4

    def test_the_loss_of_training_is_that_of_all_processes(self, runs: Any) -> None:
        folder, one, _ = runs
        assert logged(folder / "two", "train_loss") == pytest.approx(logged(one.output, "train_loss"), abs=1e-4)
        assert logged(folder / "two", "train_loss")

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
            result = json.loads(file.read_text())
            assert result["steps"] == one.summary["steps"]
            assert result["examples"] == one.summary["examples"]
            assert result["tokens"] == one.summary["tokens"]

    def test_the_table_is_shown_once(self, runs: Any) -> None:
        assert runs[2].count("predict with it: ratsnlp-like predict") == 1
