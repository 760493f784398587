"""Analysis of predictions: order of mistakes, reliability, tokens, tasks without mistakes."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import tokenizer

from ratsnlp_like.analysis.analysis import Analysis, check_matches
from ratsnlp_like.analysis.tokens import token_views
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.sequence_classifier import ClassPrediction


def prediction(label: str, score: float) -> ClassPrediction:
    return ClassPrediction(label, score, {label: score})


def analysis() -> Analysis:
    examples = [TextExample(f"{k}번 글", "긍정") for k in range(4)]
    own = [prediction("긍정", 0.95), prediction("부정", 0.6), prediction("부정", 0.9), prediction("긍정", 0.92)]
    return Analysis.of(Classification(), own, examples, tokenizer())


def test_confident_mistakes_come_first() -> None:
    assert analysis().wrong == [2, 1]
    assert analysis().kinds == {"긍정 > 부정": 2}
    first = analysis().mistake(2)
    assert first | {"tokens": ""} == {
        "row": 3, "place": None, "text": "2번 글", "gold": "긍정", "predicted": "부정", "confidence": 0.9,
        "kinds": ["긍정 > 부정"], "tokens": "",
        "matches": [{"gold": "긍정", "predicted": "부정", "kind": "긍정 > 부정", "label": "긍정", "confidence": 0.9}],
    }  # fmt: skip


def test_reliability() -> None:
    low, middle, high = analysis().reliability
    assert (low["confidence"], low["accuracy"], low["count"]) == (0.6, 0.0, 1)
    assert (middle["confidence"], middle["accuracy"], middle["count"]) == (0.9, 0.0, 1)
    assert (high["confidence"], high["accuracy"], high["count"]) == (pytest.approx(0.935), 1.0, 2)


def test_spans_of_a_long_text_are_cut_out() -> None:
    text = "가" * 500 + " 부산에서 만났다" + "나" * 500
    example = EntityExample(text, (Entity(501, 503, "LC"),))
    own = EntityPrediction((FoundEntity("부산에서", 501, 505, "LC", 0.8),))
    (row,) = Analysis.of(Ner(), [own], [example], tokenizer()).to_dict(5)["mistakes"]
    assert len(row["passage"]) < 200
    assert row["cut"] == [True, True]
    gold, predicted = row["gold_spans"][0], row["predicted_spans"][0]
    assert row["passage"][gold["start"] : gold["end"]] == "부산"
    assert row["passage"][predicted["start"] : predicted["end"]] == "부산에서"
    assert row["kinds"] == ["particle"]


def test_tokens() -> None:
    (view,) = token_views(Classification(), tokenizer(), [TextExample("영화는 뷁 최고", None)])
    assert view.text.replace("|", "") in {"영화는 뷁 최고", "영화는 [UNK:뷁] 최고"}
    assert view.unknown == view.text.count("[UNK:")
    assert view.count == view.text.count("|") + 3


def test_a_task_without_gold_labels() -> None:
    for name, kind in TASKS.items():
        task: Any = kind()
        if name in {"masked-lm", "causal-lm", "generation"}:
            with pytest.raises(InputError, match="no mistakes to list"):
                check_matches(task)
        else:
            check_matches(task)
