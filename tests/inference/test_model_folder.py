"""Model folders: their files, folders that are broken, and what transformers reads from them."""

from __future__ import annotations

import json
import math
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from helpers import CHECKPOINT, TEXTS, TINY, tokenizer, tree, weights, write
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification

from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.model_folder import find_model
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.inference.task_file import encoding_digest, vocabulary_digest
from ratsnlp_like.runtime.files import file_digest
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import FineTuneResult


def test_task_json(classifier: FineTuneResult) -> None:
    described = json.loads((classifier.best / "task.json").read_text())
    about = described.pop("about")
    assert described == {
        "format_version": 1,
        "task": "classification",
        "fields": {
            "normalization": [],
            "multi_label": False,
            "threshold": 0.5,
            "long_text": "head",
            "class_weights": None,
            "label_smoothing": 0.0,
            "temperature": classifier.predictor.task.temperature,
            "abstain": 0.0,
            "abstain_accuracy": None,
        },
        "labels": ["긍정", "부정"],
        "max_length": 32,
        "vocabulary": vocabulary_digest(tokenizer()),
        "encoding": encoding_digest(tokenizer()),
        "weights": {"model.safetensors": file_digest(classifier.best / "model.safetensors")},
    }
    assert about["checkpoint"] == CHECKPOINT
    assert about["corpus"] == "sample-sentiment"
    assert set(about["fingerprints"]) == {"train", "validation", "test"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in about["fingerprints"].values())


def test_config_json(classifier: FineTuneResult, recognizer: FineTuneResult) -> None:
    config = json.loads((classifier.best / "config.json").read_text())
    assert config["id2label"] == {"0": "긍정", "1": "부정"}
    assert config["label2id"] == {"긍정": 0, "부정": 1}
    assert config["problem_type"] == "single_label_classification"
    tags = json.loads((recognizer.best / "config.json").read_text())["id2label"]
    assert list(tags.values())[:5] == ["O", "B-DT", "I-DT", "B-LC", "I-LC"]


def test_auto_classes_open_the_folder(classifier: FineTuneResult, recognizer: FineTuneResult) -> None:
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification, AutoTokenizer

    model, info = AutoModelForSequenceClassification.from_pretrained(classifier.best, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.config.num_labels == 2
    tags, info = AutoModelForTokenClassification.from_pretrained(recognizer.best, output_loading_info=True)
    assert not info["missing_keys"]
    assert tags.config.num_labels == 11
    assert AutoTokenizer.from_pretrained(classifier.best)("좋아요")["input_ids"] == tokenizer()("좋아요")["input_ids"]


def test_pipelines_find_the_same_classes(classifier: FineTuneResult) -> None:
    from transformers import pipeline

    theirs = pipeline("text-classification", str(classifier.best), device="cpu")(TEXTS)
    own = Predictor.from_pretrained(classifier.output)(TEXTS, temperature=1.0)  # transformers knows no calibration
    assert [item["label"] for item in theirs] == [p.label for p in own]
    assert [item["score"] for item in theirs] == pytest.approx([p.score for p in own], abs=1e-4)
    assert len({p.label for p in own}) == 2


def test_pipelines_find_the_same_entities(recognizer: FineTuneResult) -> None:
    """Where their tags are consistent: an I- without its B- begins an entity there, and is not predicted here."""
    from transformers import pipeline

    recognize = pipeline("token-classification", str(recognizer.best), device="cpu")
    best = Predictor.from_pretrained(recognizer.output)
    own = best._with(task=replace(best.task, spans="tokens"))(TEXTS, temperature=1.0, offset=0.0)
    count = 0
    for text, ours in zip(TEXTS, own, strict=True):
        if is_consistent([str(token["entity"]) for token in recognize(text, ignore_labels=[])]):
            theirs = recognize(text, aggregation_strategy="simple")
            assert [(e["start"], e["end"], e["entity_group"]) for e in theirs] == [
                (e.start, e.end, e.label) for e in ours.entities
            ], text
            assert [float(e["score"]) for e in theirs] == pytest.approx([e.score for e in ours.entities], abs=1e-4)
            count += len(ours.entities)
        assert [text[e.start : e.end] for e in ours.entities] == [e.text for e in ours.entities]
    assert count >= 5


def is_consistent(tags: list[str]) -> bool:
    return all(not new.startswith("I-") or old[2:] == new[2:] for old, new in pairwise(["O", *tags]))


def test_a_save_killed_between_its_two_renames_is_recovered(tmp_path: Path, classifier: FineTuneResult) -> None:
    folder = tmp_path / "run" / "best"
    classifier.predictor.save_pretrained(folder)
    before = tree(folder)
    renamed, rename = [], Path.rename

    def killed(self: Path, target: Path) -> Path:
        if renamed:
            raise SystemExit  # like SIGKILL: nothing is cleaned up
        renamed.append(target)
        return rename(self, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(SystemExit):
            classifier.predictor.save_pretrained(folder)
    assert not folder.exists()
    assert find_model(tmp_path / "run") == folder
    assert tree(folder) == before
    assert not (tmp_path / "run" / "best.old").exists()


def test_the_remains_of_an_interrupted_save_are_removed(tmp_path: Path, classifier: FineTuneResult) -> None:
    folder = tmp_path / "model"
    write(tmp_path / "model.partial" / "task.json", "{}")
    classifier.predictor.save_pretrained(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        Predictor.from_pretrained(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"contains no model \(it contains nothing\)"):
        Predictor.from_pretrained(tmp_path)


@pytest.fixture
def copied(tmp_path: Path, classifier: FineTuneResult) -> Path:
    """A copy of a trained model, for tests that damage it."""
    return Path(shutil.copytree(classifier.best, tmp_path / "copied"))


@pytest.mark.parametrize("lost", ["classifier.weight", "bert.pooler.dense.bias", "bert.embeddings.LayerNorm.weight"])
def test_missing_weights_are_not_initialized(copied: Path, lost: str) -> None:
    state = weights(copied)
    del state[lost]
    save_file(state, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"1 tensors of .* are missing or of another size, such as {lost}"):
        Predictor.from_pretrained(copied)


def test_a_head_of_another_size(copied: Path) -> None:
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    names = dict(enumerate(["긍정", "부정", "중립"]))
    config |= {"id2label": names, "label2id": {name: k for k, name in names.items()}}
    write(copied / "config.json", json.dumps(config))
    with pytest.raises(InputError, match=r"2 tensors of .* such as classifier.bias"):
        Predictor.from_pretrained(copied)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_not_finite(copied: Path, value: float) -> None:
    state = weights(copied)
    state["classifier.weight"][0, 3] = value
    save_file(state, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"NaN or infinity, in classifier.weight"):
        Predictor.from_pretrained(copied)


@pytest.mark.parametrize("layers", [0, -1, 10**30])
def test_an_impossible_number_of_layers(copied: Path, layers: int) -> None:
    config = json.loads((copied / "config.json").read_text("utf-8")) | {"num_hidden_layers": layers}
    write(copied / "config.json", json.dumps(config))
    with pytest.raises(InputError, match=f"num_hidden_layers is {layers}\n  expected: 1 to 1,000 layers") as caught:
        Predictor.from_pretrained(copied)
    assert caught.value.place == copied / "config.json"


def test_a_configuration_with_too_few_layers(tmp_path: Path) -> None:
    config = BertConfig(vocab_size=len(tokenizer()), **TINY | {"num_hidden_layers": 2})
    two = Predictor(Classification(), BertForSequenceClassification(config), tokenizer(), ["가", "나"], max_length=32)
    folder = two.save_pretrained(tmp_path / "model")
    values = json.loads((folder / "config.json").read_text("utf-8")) | {"num_hidden_layers": 1}
    write(folder / "config.json", json.dumps(values))
    with pytest.raises(InputError, match=r"16 tensors of the weights are not part .* such as bert.encoder.layer.1"):
        Predictor.from_pretrained(folder)


def test_the_tokenizer_of_another_model(copied: Path) -> None:
    path = copied / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = content["model"]["vocab"]
    vocabulary["이"], vocabulary["는"] = vocabulary["는"], vocabulary["이"]
    write(path, json.dumps(content))
    with pytest.raises(InputError, match="the tokenizer is not that of the model"):
        Predictor.from_pretrained(copied)


@pytest.mark.parametrize(
    ("file", "values"),
    [
        ("tokenizer_config.json", {"model_input_names": [{}]}),
        ("tokenizer_config.json", {"model_max_length": [1]}),
        ("tokenizer_config.json", {"pad_token": 5}),
        ("config.json", {"id2label": 3}),
        ("config.json", {"id2label": {"0": 5, "1": None}}),
        ("config.json", {"hidden_size": "32"}),
        ("config.json", {"vocab_size": None}),
    ],
)
def test_settings_of_other_types(copied: Path, file: str, values: dict[str, object]) -> None:
    content = json.loads((copied / file).read_text("utf-8")) | values
    (copied / file).write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        Predictor.from_pretrained(copied)
    assert str(copied) in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("content", ["[]", "3", "null", '"text"', ""])
@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_files_of_another_json_type(copied: Path, file: str, content: str) -> None:
    (copied / file).write_text(content)
    with pytest.raises(InputError):
        Predictor.from_pretrained(copied)


def test_a_page_of_zeros_in_the_weights(copied: Path) -> None:
    path = copied / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-4096:] = bytes(4096)
    path.write_bytes(content)
    with pytest.raises(InputError, match="the weights are damaged") as caught:
        Predictor.from_pretrained(copied)
    assert caught.value.place == path
    path.unlink()
    with pytest.raises(InputError):
        Predictor.from_pretrained(copied)
