"""Splits and notices of corpora as training sees them, through the data module."""

from __future__ import annotations

from pathlib import Path

import helpers
import pytest
from helpers import write

from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.tasks.classification import Classification

ROWS = "".join(f"{n}번 글은 {'좋다' if n % 2 else '나쁘다'},{'긍정' if n % 2 else '부정'}\n" for n in range(20))
TRAIN = "text,label\n" + ROWS


def module(folder: Path, cache: Path) -> TaskDataModule:
    data = TaskDataModule(Classification(), folder, helpers.tokenizer(), cache=cache, batch_size=4)
    data.setup("fit")
    return data


def test_a_test_split_without_labels_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "comp"
    write(folder / "train.csv", TRAIN)
    write(folder / "test.csv", "id,text\n1,어떤 글\n")
    write(folder / "sample_submission.csv", "id,label\n1,긍정\n")
    data = module(folder, tmp_path / "cache")
    assert data.test is None
    assert "the split test has no labels, and is not evaluated on" in caplog.text


@pytest.mark.parametrize("name", ["dev.csv", "검증.csv", "Test/a.csv"])
def test_evaluation_files_alone_are_not_trained_on(name: str, tmp_path: Path) -> None:
    write(tmp_path / "own" / name, TRAIN)
    with pytest.raises(InputError, match="no split to train on") as caught:
        module(tmp_path / "own", tmp_path / "cache")
    assert "--train_files" in str(caught.value)


def test_notices_are_logged_again_when_rows_come_from_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / "a.csv", TRAIN + "한 글,-\n")
    for _ in range(2):
        caplog.clear()
        data = module(path, tmp_path / "cache")
        assert data.labels == ["긍정", "부정"]
        assert caplog.text.count("no gold label (annotators did not agree): left out (rows: 1") == 1
