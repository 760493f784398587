"""Runs are found by their files alone; no model is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.runs import find_runs


def write_run(folder: Path, *, task: str = "classification", result: dict | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(f"task: {task}\ncorpus: reviews.csv\ncheckpoint: klue/bert-base\n")
    if result is not None:
        (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_finished_run(tmp_path: Path) -> None:
    scores = {"macro_f1": 0.81, "intervals": {"macro_f1": [0.78, 0.84]}}
    folder = write_run(
        tmp_path / "나" / "b", result={"metrics": {"macro_f1": 0.9}, "test_metrics": scores, "train_seconds": 12.5}
    )
    (found,) = find_runs(tmp_path)
    assert found.to_dict() == {
        "folder": str(folder), "task": "classification", "corpus": "reviews.csv", "checkpoint": "klue/bert-base",
        "metric": "macro_f1", "score": 0.81, "split": "test", "interval": [0.78, 0.84], "seconds": 12.5,
        "finished": found.finished,
    }  # fmt: skip
    assert found.finished is not None


def test_validation_where_there_is_no_test_split(tmp_path: Path) -> None:
    write_run(tmp_path / "a", task="ner", result={"metrics": {"entity_f1": 0.5}, "test_metrics": None})
    (found,) = find_runs(tmp_path)
    assert (found.metric, found.score, found.split, found.interval) == ("entity_f1", 0.5, "validation", None)


def test_unfinished_runs_and_other_files(tmp_path: Path) -> None:
    write_run(tmp_path / "b")
    write_run(tmp_path / "a", task="nosuch", result={"metrics": {"x": 0.5}})
    broken = write_run(tmp_path / "c")
    (broken / "result.json").write_text("{")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.yaml").write_text("- 1\n")
    found = find_runs(tmp_path)
    assert [Path(record.folder).name for record in found] == ["a", "b", "c"]
    assert [record.score for record in found] == [None, None, None]
    assert found[1].finished is None
    assert found[0].metric is None


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        find_runs(tmp_path / "none")
