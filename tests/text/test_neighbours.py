"""Entities that share a token with another one."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.token_classifier import TokenProbabilities
from ratsnlp_like.text.neighbours import NeighbourCounts, beside, entities_beside

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
    assert list(entities_beside(text, (0, 8), (4, 7), {"서울": "LC"})) == [Entity(1, 3, "LC")]
    assert list(entities_beside(text, (0, 8), (4, 7), {"부산": "LC"})) == []
    assert list(beside("(서울)", 0, 4, 1, 3)) == []


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
