"""Matches of predictions with gold labels, and the kinds of mistakes."""

from __future__ import annotations

import pytest

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.examples.question import Answer
from ratsnlp_like.tasks.entity_predictions import FoundEntity
from ratsnlp_like.tasks.matches import answer_match, class_match, entity_matches, label_set_match, number_match

TEXT = "김하늘은 부산에서 한빛전자에 다닌다"
NAME, CITY, COMPANY = Entity(0, 3, "PS"), Entity(5, 7, "LC"), Entity(10, 14, "OG")


def found(*entities: Entity) -> list[FoundEntity]:
    return [FoundEntity(TEXT[e.start : e.end], *e, score=0.9) for e in entities]


@pytest.mark.parametrize(
    ("predicted", "kind"),
    [
        ([CITY], ""),
        ([], "missed"),
        ([Entity(5, 9, "LC")], "particle"),  # 부산에서
        ([Entity(5, 8, "LC")], "particle"),  # 부산에
        ([Entity(5, 6, "LC")], "boundary"),
        ([Entity(2, 7, "LC")], "boundary"),
        ([Entity(5, 7, "OG")], "wrong type"),
        ([Entity(5, 9, "OG")], "wrong type and boundary"),
    ],
)
def test_the_kind_of_an_entity(predicted: list[Entity], kind: str) -> None:
    (match,) = entity_matches(TEXT, [CITY], found(*predicted))
    assert match.kind == kind
    assert match.correct == (not kind)
    assert match.gold == "부산 (LC)"
    assert match.label == "LC"
    assert match.confidence == (0.9 if predicted else None)


def test_each_predicted_entity_is_matched_once() -> None:
    matches = entity_matches(TEXT, [NAME, CITY], found(NAME, Entity(5, 6, "LC"), Entity(6, 7, "LC"), COMPANY))
    assert [(m.gold, m.predicted, m.kind) for m in matches] == [
        ("김하늘 (PS)", "김하늘 (PS)", ""),
        ("부산 (LC)", "부 (LC)", "boundary"),
        (None, "산 (LC)", "boundary"),
        (None, "한빛전자 (OG)", "invented"),
    ]


@pytest.mark.parametrize(
    ("span", "kind", "overlap"),
    [
        ((5, 7), "", 1.0),
        ((5, 9), "particle", 2 / 3),
        ((0, 9), "too long", 0.4),
        ((6, 7), "too short", 2 / 3),
        ((6, 12), "boundary", 2 / 7),
        ((10, 14), "elsewhere", 0.0),
        ((0, 0), "missed", 0.0),
    ],
)
def test_the_kind_of_an_answer(span: tuple[int, int], kind: str, overlap: float) -> None:
    match = answer_match(TEXT, [Answer("부산", 5)], *span, 0.5)
    assert match.kind == kind
    assert match.overlap == pytest.approx(overlap)


def test_a_question_without_an_answer() -> None:
    assert answer_match(TEXT, [], 0, 0, 0.9).correct
    assert answer_match(TEXT, [], 5, 7, 0.9).kind == "invented"


def test_another_gold_answer() -> None:
    assert answer_match(TEXT, [Answer("부산에서", 5), Answer("부산", 5)], 5, 7, 0.9).correct


def test_classes_sets_and_numbers() -> None:
    assert class_match("긍정", "부정", 0.7).kind == "긍정 > 부정"
    assert class_match("긍정", "긍정", 0.7).correct
    assert label_set_match(("가", "나"), ("나", "다"), 0.7).kind == "missing label and extra label"
    assert label_set_match((), (), 0.1).correct
    assert number_match(2.0, 3.0, 1.0).correct
    assert number_match(2.0, 3.1, 1.0).kind == "too high"
    assert number_match(2.0, 0.9, 1.0).kind == "too low"
