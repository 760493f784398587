"""Folders that transformers saved, without task.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import tsv

from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.inference.model_folder import find_model
from ratsnlp_like.inference.predictor import Predictor

Save = Callable[..., Path]
TAGS = ["O", "I-PS", "B-PS", "[PAD]"]


@pytest.fixture
def save(tmp_path: Path, tiny_tokenizer: Any) -> Save:
    """Return a function that saves a tiny BERT with a head, as the Trainer of transformers does."""

    def make(head: str, labels: list[str] | None = None, **fields: Any) -> Path:
        import transformers

        names = {"id2label": dict(enumerate(labels))} if labels else {}
        config = transformers.BertConfig(
            vocab_size=len(tiny_tokenizer),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=64,
            **names,
            **fields,
        )
        torch.manual_seed(0)
        folder = tmp_path / "saved"
        getattr(transformers, head)(config).save_pretrained(folder)
        tiny_tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.mark.parametrize(
    ("head", "labels", "fields", "task"),
    [
        ("BertForSequenceClassification", ["부정", "긍정"], {}, "classification"),
        ("BertForSequenceClassification", ["entailment", "neutral", "contradiction"], {}, "pair"),
        ("BertForTokenClassification", TAGS, {}, "ner"),
        ("BertForQuestionAnswering", None, {}, "question-answering"),
        ("BertForMaskedLM", None, {}, "masked-lm"),
        ("BertLMHeadModel", None, {"is_decoder": True}, "generation"),
    ],
)
def test_the_head_states_the_task(
    save: Save, head: str, labels: list[str] | None, fields: dict[str, Any], task: str
) -> None:
    predictor = Predictor.from_pretrained(save(head, labels, **fields))
    assert predictor.task.name == task
    assert predictor.max_length == 64
    example = predictor.task.example_input
    assert predictor([example if len(example) > 1 else example[0]])


def test_predictions_are_those_of_the_model(save: Save) -> None:
    import transformers

    folder = save("BertForSequenceClassification", ["부정", "긍정"])
    pipe = transformers.pipeline("text-classification", str(folder), device="cpu")
    texts = ["안녕하세요 한국어", "영화가 지루해요"]
    found = Predictor.from_pretrained(folder)(texts)
    assert [(p.label, round(p.score, 5)) for p in found] == [(p["label"], round(p["score"], 5)) for p in pipe(texts)]


def test_several_labels(save: Save) -> None:
    folder = save("BertForSequenceClassification", ["욕설", "혐오"], problem_type="multi_label_classification")
    assert isinstance(Predictor.from_pretrained(folder)("안녕하세요").label, tuple)


def test_tags_of_entities_keep_their_order(save: Save) -> None:
    predictor = Predictor.from_pretrained(save("BertForTokenClassification", TAGS))
    assert (predictor.labels, predictor.task.classes(predictor.labels)) == (["PS"], TAGS)


def test_labels_without_names(save: Save, tmp_path: Path) -> None:
    folder = save("BertForSequenceClassification", num_labels=2)
    corpus = tsv(tmp_path / "own.tsv", [("영화가 재미있어요", "긍정"), ("지루해요", "부정")])
    with pytest.raises(InputError, match="the label '긍정' is not among the labels of the model"):
        evaluate(folder, corpus=corpus)
    scores = evaluate(folder, corpus=corpus, labels=["부정", "긍정"])
    assert 0 <= scores["accuracy"] <= 1
    with pytest.raises(InputError, match=r"classes of the tokens are LABEL_0, LABEL_1, without B-"):
        Predictor.from_pretrained(save("BertForTokenClassification", num_labels=2))


def test_a_task_with_the_same_head_is_chosen(save: Save) -> None:
    folder = save("BertForSequenceClassification", ["부정", "긍정"])
    assert Predictor.from_pretrained(folder, task="pair").task.name == "pair"
    with pytest.raises(InputError, match=r"(?s)BertForSequenceClassification is not for ner.*--task classification or"):
        Predictor.from_pretrained(folder, task="ner")


def test_what_cannot_be_opened(save: Save, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"(?s)config.json names BertModel, which has no head of a task.*train it"):
        Predictor.from_pretrained(save("BertModel"))
    with pytest.raises(InputError, match="predicts a number, on a scale that its folder does not state"):
        Predictor.from_pretrained(save("BertForSequenceClassification", num_labels=1))
    outer = tmp_path / "outer"
    save("BertForMaskedLM").rename(outer.mkdir() or outer / "checkpoint-5")  # type: ignore[func-returns-value]
    with pytest.raises(InputError, match=r"(?s)contains no model.*use .*checkpoint-5"):
        find_model(outer)


def test_a_folder_with_task_json_names_its_task(save: Save, tmp_path: Path) -> None:
    saved = Predictor.from_pretrained(save("BertForMaskedLM")).save_pretrained(tmp_path / "own")
    assert json.loads((saved / "task.json").read_text())["task"] == "masked-lm"
    with pytest.raises(InputError, match="the model is for masked-lm, not for ner"):
        Predictor.from_pretrained(saved, task="ner")
    with pytest.raises(InputError, match="names its labels itself"):
        Predictor.from_pretrained(saved, labels=["a"])
