"""Baselines on hand-written examples."""

from __future__ import annotations

import math

import pytest

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.metrics.baselines import (
    first_word,
    frequent_entities,
    most_frequent,
    tfidf_classes,
    unigram_likelihoods,
)


def test_most_frequent() -> None:
    assert most_frequent(["b", "a", "a", "b", "c"]) == "b"
    assert most_frequent([("a", "b"), ("a",), ("a",)]) == ("a",)


def test_tfidf_classes() -> None:
    train = [("배송이 빨라서 좋아요",), ("맛이 좋아요",), ("환불해 주세요",), ("너무 늦어서 환불했어요",)] * 3
    labels = ["긍정", "긍정", "부정", "부정"] * 3
    assert tfidf_classes(train, labels, [("가격도 좋아요",), ("바로 환불합니다",)]) == ["긍정", "부정"]


def test_tfidf_classes_of_two_texts() -> None:
    """The second text decides."""
    train = [
        ("비가 온다", "우산을 쓴다"),
        ("비가 온다", "해가 뜬다"),
        ("눈이 온다", "우산을 산다"),
        ("눈이 온다", "해가 진다"),
    ]
    found = tfidf_classes(
        train, ["참", "거짓", "참", "거짓"], [("안개가 낀다", "우산을 편다"), ("안개가 낀다", "해가 난다")]
    )
    assert found == ["참", "거짓"]


def test_frequent_entities() -> None:
    train = ["김민준은 서울에 산다", "김민준은 서울에 갔다", "서울에 비가 온다"]
    entities = [[Entity(0, 3, "PS"), Entity(5, 7, "LC")], [Entity(0, 3, "PS")], []]
    found = frequent_entities(train, entities, ["어제 김민준은 서울에 갔다", ""])
    assert found == [[Entity(3, 6, "PS")], []]  # 서울에 is an entity once of three times


def test_first_word() -> None:
    assert first_word("  서울 역") == (2, 4)
    assert first_word(" ") == (0, 0)


def test_unigram_by_hand() -> None:
    """Counts 3 and 1 of ids 5 and 6, id 7 is new: (3 + 1, 1 + 1, 1) of 4 + 3."""
    (found,) = unigram_likelihoods([[5, 5], [5, 6]], [[5, 7]])
    assert found["loss"] == pytest.approx(-math.log(4 / 7) - math.log(1 / 7))
    assert (found["targets"], found["correct"]) == (2, 1)
