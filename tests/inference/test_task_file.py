"""task.json and metrics.json of model folders: complete, damaged, of a later version."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers import new_tokenizer
from helpers_serve import predictor

from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.inference.task_file import read_metrics, read_task_file, vocabulary_digest


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return predictor().save_pretrained(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    shutil.copytree(saved, tmp_path / "model")
    return tmp_path / "model"


def change(folder: Path, **values: Any) -> None:
    """Replace values of task.json; `...` deletes one."""
    content = json.loads((folder / "task.json").read_text("utf-8")) | values
    content = {name: value for name, value in content.items() if value is not ...}
    (folder / "task.json").write_text(json.dumps(content), encoding="utf-8")


def test_content(saved: Path) -> None:
    content = read_task_file(saved)
    assert (content.task.name, content.labels, content.max_length) == ("classification", ["부정", "긍정"], 64)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"labels": ...}, "no labels"),
        ({"labels": "긍정"}, "labels is '긍정'"),
        ({"labels": [1, 2]}, "a label is no string"),
        ({"max_length": "64"}, "max_length is '64'"),
        ({"max_length": True}, "max_length is 'True'"),
        ({"max_length": 0}, "max_length is 0"),
        ({"format_version": ...}, "no format_version"),
        ({"format_version": 99}, "later version"),
        ({"about": ...}, "no about"),
        ({"fields": []}, "fields is"),
        ({"fields": {"threshold": "high"}}, "threshold: 'high'"),
        ({"fields": {"threshold": 7}}, "threshold"),
        ({"fields": {"temperature": math.nan}}, "temperature: nan"),
        ({"fields": {"class_weights": [1.0, None]}}, "class_weights: [1.0, None]"),
        ({"fields": {"class_weights": [math.nan, 1.0]}}, "class_weights: [nan, 1.0]"),
        ({"fields": {"normalization": [[]]}}, "normalization: [[]]"),
        ({"fields": {"normalization": "nfc"}}, "normalization: 'nfc'"),
        ({"task": "ner", "fields": {"cuts": "01"}}, "cuts: '01'"),
        ({"task": "ner", "fields": {"endings": {"은": [3, "1"]}}}, "endings: {'은': [3, '1']}"),
        ({"task": "ner", "fields": {"particles": {"PS": "은"}}}, "particles: {'PS': '은'}"),
        ({"task": "ner", "fields": {"cuts": [1]}}, "cuts: [1]"),
        ({"task": "ner", "fields": {"cuts": [1, None]}}, "cuts: [1, None]"),
        ({"fields": {"treshold": 0.5}}, "treshold"),
        ({"task": "clasification"}, "unknown task 'clasification'"),
        ({"task": None}, "no task"),
    ],
    ids=str,
)
def test_invalid_values(folder: Path, values: dict[str, Any], problem: str) -> None:
    change(folder, **values)
    with pytest.raises(InputError) as caught:
        Predictor.from_pretrained(folder)
    assert problem in str(caught.value)
    assert "task.json" in str(caught.value.place)


def test_classes_in_another_order(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"id2label": {"0": "긍정", "1": "부정"}, "label2id": {"긍정": 0, "부정": 1}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.json has the classes 긍정, 부정, task\.json 부정, 긍정"):
        Predictor.from_pretrained(folder)
    change(folder, labels=["긍정", "부정"])
    assert Predictor.from_pretrained(folder).labels == ["긍정", "부정"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"3"])
def test_damaged_task_json(folder: Path, content: bytes) -> None:
    (folder / "task.json").write_bytes(content)
    with pytest.raises(InputError) as caught:
        Predictor.from_pretrained(folder)
    assert "task.json" in str(caught.value.place)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000])
def test_damaged_metrics_json_is_left_out(folder: Path, content: bytes) -> None:
    (folder / "metrics.json").write_bytes(content)
    assert read_metrics(folder) == {}
    assert Predictor.from_pretrained(folder)("좋아요").label in {"부정", "긍정"}


def test_a_folder_of_an_earlier_version_has_no_vocabulary(folder: Path) -> None:
    change(folder, vocabulary=...)
    assert read_task_file(folder).vocabulary is None
    assert Predictor.from_pretrained(folder)("좋아요").label in {"부정", "긍정"}


def test_an_unregistered_task_names_the_remedy(folder: Path) -> None:
    change(folder, task="rewriting")
    with pytest.raises(InputError, match="import the module that registers the task"):
        Predictor.from_pretrained(folder)


def test_the_digest_of_a_vocabulary_depends_on_tokens_and_ids() -> None:
    one, other = new_tokenizer(), new_tokenizer()
    assert vocabulary_digest(one) == vocabulary_digest(other)
    other.add_tokens(["새말"])
    assert vocabulary_digest(one) != vocabulary_digest(other)


def change_tokenizer(folder: Path, change_template: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change_template(content["post_processor"])
    path.write_text(json.dumps(content), encoding="utf-8")


def test_a_damaged_template_with_the_same_vocabulary(folder: Path) -> None:
    change_tokenizer(folder, lambda template: template["special_tokens"]["[SEP]"].update(ids=[], tokens=[]))
    with pytest.raises(InputError, match="the tokenizer is not that of the model: it gives other ids"):
        Predictor.from_pretrained(folder)


def test_a_template_with_an_undefined_token(folder: Path) -> None:
    change_tokenizer(folder, lambda template: template["special_tokens"].pop("[SEP]"))
    with pytest.raises(InputError, match=r"tokenizer\.json is damaged"):
        Predictor.from_pretrained(folder)


def test_a_folder_of_an_earlier_version_has_no_ids(folder: Path) -> None:
    change(folder, encoding=...)
    assert read_task_file(folder).encoding is None
    assert Predictor.from_pretrained(folder)("좋아요").label in {"부정", "긍정"}
