"""ThroughputMeter: examples, tokens and seconds."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    job,
    tsv,
)

from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import fine_tune


class TestMeter:
    @pytest.mark.slow
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

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_evaluations_do_not_count_as_training(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

        score = Classification.score

        def slow(*arguments: Any) -> dict[str, Any]:
            time.sleep(0.5)
            return score(*arguments)

        monkeypatch.setattr(Classification, "score", slow)
        summary = fine_tune(**job(tmp_path, epochs=2, eval_steps=3)).summary
        assert summary["evaluation_seconds"] > 4 * 0.5
        assert summary["train_seconds"] < summary["evaluation_seconds"]
