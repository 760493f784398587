"""Entities that share a token with another one."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.token_classifier import TokenProbabilities
from ratsnlp_like.text.neighbours import SAME, TAIL, NeighbourCounts, beside, entities_beside

TALKS = "북미 회담", [(0, 2), (3, 5)]
BOTH = [Entity(0, 1, "OG"), Entity(1, 2, "OG")]


def counted(*spans: list[Entity]) -> dict[str, str]:
    counts = NeighbourCounts()
    for entities in spans:
        counts.add(*TALKS, entities)
    return counts.neighbours()


@pytest.mark.parametrize(
    ("spans", "neighbours"),
    [
        ([BOTH, BOTH], {"미": "OG"}),
        ([BOTH], {}),  # once is no evidence
        ([BOTH, BOTH, BOTH[:1], BOTH[:1]], {}),  # as often none
        ([BOTH, BOTH, BOTH[:1]], {"미": "OG"}),
        ([[Entity(0, 2, "LC")]] * 2, {}),
    ],
)
def test_texts_that_are_mostly_entities(spans: list[list[Entity]], neighbours: dict[str, str]) -> None:
    assert counted(*spans) == neighbours


def test_words_beside_an_entity_are_without_punctuation() -> None:
    text = "【서울=뉴시스】"
    assert [text[slice(*span)] for span in beside(text, 0, 8, 4, 7)] == ["서울"]
    agency = Entity(4, 7, "OG")
    assert list(entities_beside(text, (0, 8), agency, {"서울": "LC"})) == [Entity(1, 3, "LC")]
    assert list(entities_beside(text, (0, 8), agency, {"부산": "LC"})) == []
    assert list(beside("(서울)", 0, 4, 1, 3)) == []


def test_numbers_of_ranges_are_known_by_their_shape() -> None:
    counts = NeighbourCounts()
    for text, label in (("3∼5일", "DT"), ("11∼14일", "DT"), ("2∼4명", "QT")):
        border = text.index("∼")
        counts.add(text, [(0, len(text))], [Entity(0, border, label), Entity(border + 1, len(text), label)])
    assert counts.neighbours() == {"0": SAME, "∼": SAME}
    found = entities_beside("120∼135명", (0, 8), Entity(4, 8, "QT"), counts.neighbours())
    assert list(found) == [Entity(0, 3, "QT")]


@pytest.mark.parametrize(
    ("neighbours", "found"),
    [
        (None, [(0, 1, "OG")]),
        ({"미": "OG"}, [(0, 1, "OG"), (1, 2, "OG")]),
        ({"회담": "OG"}, [(0, 1, "OG")]),  # in a token of its own the model decides
    ],
)
def test_a_known_neighbour_is_found(neighbours: dict[str, str] | None, found: list[tuple[int, int, str]]) -> None:
    """The first token is an entity, with a cut of one character at its end."""
    task = Ner(spans="cuts", cuts=(0, 1), endings={}, neighbours=neighbours)
    outputs = np.array([[0.1, 0.8, 0.1, 1.0, 0.2, 0.8], [0.9, 0.05, 0.05, 1.0, 0.9, 0.1]])
    tokens = TokenProbabilities([0, 3], [2, 5], outputs)
    prediction = task.predict_example(EntityExample("북미 회담"), tokens, ["OG"])
    assert [(e.start, e.end, e.label) for e in prediction.entities] == found
    assert {e.text for e in prediction.entities} <= {"북", "미"}


def test_texts_that_were_not_seen_are_known_by_what_is_between() -> None:
    counts = NeighbourCounts()
    for text in ("서울→대전", "부산→광주"):
        counts.add(text, [(0, 5)], [Entity(0, 2, "LC"), Entity(3, 5, "LC")])
    assert counts.neighbours() == {"→": SAME}
    assert list(entities_beside("울산→강릉", (0, 5), Entity(0, 2, "LC"), counts.neighbours())) == [Entity(3, 5, "LC")]
    assert list(entities_beside("울산·강릉", (0, 5), Entity(0, 2, "LC"), counts.neighbours())) == []


def test_the_end_of_an_entity_in_the_token_of_the_next() -> None:
    text, offsets = "24일(한국", [(0, 2), (2, 6)]
    counts = NeighbourCounts()
    for _ in range(2):
        counts.add(text, offsets, [Entity(0, 3, "DT"), Entity(4, 6, "LC")])
    assert counts.neighbours() == {"일": TAIL}
    task = Ner(spans="cuts", cuts=(2, 0), endings={}, neighbours=counts.neighbours())
    classes = np.eye(5)[[1, 3]]  # B-DT, B-LC
    cuts = np.array([[1.0, 0, 0, 1], [0, 0, 1, 1]])
    tokens = TokenProbabilities([0, 2], [2, 6], np.concatenate([classes, cuts], axis=1))
    prediction = task.predict_example(EntityExample(text), tokens, ["DT", "LC"])
    assert [(e.text, e.start, e.end, e.label) for e in prediction.entities] == [
        ("24일", 0, 3, "DT"),
        ("한국", 4, 6, "LC"),
    ]
