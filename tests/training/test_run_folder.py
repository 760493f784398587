"""The run folder: files of a run, refusals, results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from helpers import (
    CHECKPOINT,
    TINY,
    job,
    tree,
    write,
)
from helpers_training import At, ctrl_c

from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.training.finetune import FineTuneResult, Interrupted, fine_tune
from ratsnlp_like.training.run_folder import Run


class TestSavedFolder:
    def test_files(self, classifier: FineTuneResult) -> None:
        assert {path.name for path in classifier.output.iterdir()} == {
            ".lock", "best", "last", "logs", "config.yaml", "result.json", "splits.json",
        }  # fmt: skip
        assert {path.name for path in classifier.best.iterdir()} == {
            "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
            "task.json", "metrics.json", "README.md",
        }  # fmt: skip

    def test_no_pickle(self, classifier: FineTuneResult) -> None:
        for name, content in tree(classifier.output).items():
            assert not content.startswith((b"\x80", b"PK")), name

    @pytest.mark.slow
    def test_the_state_loads_without_unpickling(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path, keep_state=True))
        state = torch.load(tmp_path / "run" / "resume.ckpt", weights_only=True)
        assert state["global_step"] == 6

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

    def test_a_run_improves(self, recognizer: FineTuneResult) -> None:
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


class TestRunFolder:
    @pytest.mark.slow
    def test_a_folder_of_something_else(self, tmp_path: Path) -> None:
        write(tmp_path / "run" / "thesis.docx", "years of work")
        with pytest.raises(InputError, match=r"is not empty \(thesis.docx\)"):
            fine_tune(**job(tmp_path))
        assert tree(tmp_path / "run") == {"thesis.docx": b"years of work"}
        fine_tune(**job(tmp_path), overwrite=True)
        assert (tmp_path / "run" / "thesis.docx").read_text() == "years of work"

    @pytest.mark.parametrize("resume", [True, False])
    def test_a_kill_before_the_configuration_is_written(self, tmp_path: Path, resume: bool) -> None:
        write(tmp_path / ".lock", "")
        write(tmp_path / "config.yaml.partial", "task: class")
        run = Run(tmp_path, {})
        run.check(resume=resume, overwrite=False)
        run.begin(resume=resume, found={}, data={})
        assert {path.name for path in tmp_path.iterdir()} == {".lock", "config.yaml", "splits.json"}

    def test_a_file(self, tmp_path: Path) -> None:
        write(tmp_path / "run", "a file")
        with pytest.raises(InputError, match="is a file"):
            fine_tune(**job(tmp_path))
        assert (tmp_path / "run").read_text() == "a file"

    @pytest.mark.slow
    def test_overwrite(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path))
        result = fine_tune(**job(tmp_path, seed=8), overwrite=True)
        assert yaml.safe_load((result.output / "config.yaml").read_text())["seed"] == 8
        assert [path.name for path in (result.output / "logs").iterdir()] == ["version_0"]

    def test_an_unfinished_run_is_not_thrown_away(self, tmp_path: Path) -> None:
        at = At(2, ctrl_c)
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path), callbacks=[at])
        before = tree(tmp_path / "run")
        with pytest.raises(InputError, match="--resume to continue it, or --overwrite"):
            fine_tune(**job(tmp_path), callbacks=[at])
        assert tree(tmp_path / "run") == before


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
