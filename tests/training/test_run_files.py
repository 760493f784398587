"""Damaged files of run folders, and folders that another process has changed: one message each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import write

from ratsnlp_like.errors import InputError
from ratsnlp_like.training.run_files import read_config, read_found, read_result, read_splits
from ratsnlp_like.training.run_folder import Run
from ratsnlp_like.training.state import check_state

WEIGHTS = {"model.weight": torch.zeros(2, 3)}


def state(**changes: Any) -> dict[str, Any]:
    empty = {"optimizer_states": [], "lr_schedulers": [], "loops": {}, "global_step": 3}
    return {"state_dict": dict(WEIGHTS), "callbacks": {"CheckpointCallback": {"best": [0.5, 0.0]}}, **empty, **changes}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    write(tmp_path / "best" / "task.json", "{}")
    torch.save(state(), tmp_path / "resume.ckpt")
    return tmp_path / "resume.ckpt"


class TestState:
    def test_a_whole_state(self, saved: Path) -> None:
        check_state(saved, WEIGHTS, saved.parent / "best")

    @pytest.mark.parametrize(
        ("damage", "problem"),
        [
            (lambda content: b"", "the file is empty"),
            (lambda content: content[:-100], "the file is damaged"),
            (lambda content: content[:50], "the file is damaged"),
            (lambda content: b"\x80\x04\x95 a pickle", "the file is damaged"),
            (lambda content: b'{"a": 1}', "the file is damaged"),
        ],
    )
    def test_damaged_files(self, saved: Path, damage: Callable[[bytes], bytes], problem: str) -> None:
        saved.write_bytes(damage(saved.read_bytes()))
        with pytest.raises(InputError, match=problem) as caught:
            check_state(saved, WEIGHTS, saved.parent / "best")
        assert caught.value.place == saved
        assert "--overwrite" in str(caught.value)

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ([1, 2], "not a state of training"),
            (state(more=Path("a")), "pickled objects besides tensors, which could execute code"),
            (dict(WEIGHTS), "not a state of training: it has no state_dict"),
            (
                state(state_dict={"model.weight": torch.zeros(2, 4)}),
                r"is \(2, 4\) in it, \(2, 3\) in this",
            ),
            (state(state_dict={}), "model.weight is missing in it"),
        ],
    )
    def test_files_of_another_kind(self, saved: Path, content: Any, problem: str) -> None:
        torch.save(content, saved)
        with pytest.raises(InputError, match=problem):
            check_state(saved, WEIGHTS, saved.parent / "best")

    def test_the_best_model_is_missing(self, saved: Path) -> None:
        (saved.parent / "best" / "task.json").unlink()
        with pytest.raises(InputError, match="the best model so far is missing"):
            check_state(saved, WEIGHTS, saved.parent / "best")
        torch.save(state(callbacks={"CheckpointCallback": {"best": None}}), saved)
        check_state(saved, WEIGHTS, saved.parent / "best")


@pytest.mark.parametrize(
    ("read", "contents"),
    [
        (read_splits, ["", "[]", "{", "{}", '{"labels": 1, "splits": {}}', '{"labels": [], "splits": {"train": 3}}']),
        (read_splits, ['{"labels": [], "splits": {"train": {"source": "corpus", "split": "train", "rows": []}}}']),
        (read_found, ["", "[1]", '{"batch_size": "8"}', '{"batch_size": true}', '{"batch_size": 0}']),
        (read_result, ["", "3", "{}", '{"metrics": []}', "[" * 5000]),
        (read_config, ["", "- a", "a: [", "\x00", "text"]),
    ],
)
def test_files_that_cannot_be_read(read: Callable[[Path], Any], contents: list[str], tmp_path: Path) -> None:
    for content in [*contents, b"\xff\xfe\x00"]:
        path = write(tmp_path / "file", content)
        with pytest.raises(InputError) as caught:
            read(path)
        assert caught.value.place == path
        assert caught.value.fix


def test_a_finished_run_without_its_best_model(tmp_path: Path) -> None:
    write(tmp_path / "result.json", json.dumps({"metrics": {}, "test_metrics": None}))
    with pytest.raises(InputError, match="finished, but its best model is missing"):
        Run(tmp_path, {}).result()


def test_a_folder_that_another_process_has_trained_into_since_the_check(tmp_path: Path) -> None:
    run = Run(tmp_path, {"seed": 1})
    before = run.stamp()
    run.check(resume=False, overwrite=True)
    write(tmp_path / "config.yaml", "seed: 2\n")
    write(tmp_path / "result.json", "{}")
    with pytest.raises(InputError, match="another process has trained into this folder"), run.locked(before):
        pass
    with run.locked(run.stamp()):
        assert (tmp_path / "result.json").read_text() == "{}"


def test_links_of_a_run_that_is_overwritten(tmp_path: Path) -> None:
    other = write(tmp_path / "other" / "task.json", "{}").parent
    run = Run(tmp_path / "run", {})
    run.folder.mkdir()
    (run.folder / "best").symlink_to(other)
    (run.folder / "last").symlink_to(tmp_path / "missing")
    run.begin(resume=False, found={}, data={})
    assert sorted(path.name for path in run.folder.iterdir()) == ["config.yaml", "splits.json"]
    assert (other / "task.json").exists()
