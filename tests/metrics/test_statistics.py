"""At the sums of all examples, sufficient statistics give the scores that the metrics give."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.metrics.answers import answer_scores
from ratsnlp_like.metrics.classification import classification_scores, multi_label_scores
from ratsnlp_like.metrics.entities import entity_scores
from ratsnlp_like.metrics.entity_statistics import entity_statistics, strict_spans
from ratsnlp_like.metrics.similarity import similarity_scores
from ratsnlp_like.metrics.statistics import (
    ExampleStatistics,
    answer_statistics,
    classification_statistics,
    likelihood_statistics,
    multi_label_statistics,
    similarity_statistics,
)

LABELS = ["긍정", "부정", "중립"]
TEXT = "김민준은 서울 역에서 한빛전자 사람을 만났다"


def assert_equal(statistics: ExampleStatistics, scores: dict) -> None:
    """Every score that has statistics, and all that are plain numbers but `spearman`."""
    observed = statistics.observed()
    expected = {name: value for name, value in scores.items() if isinstance(value, float) and name != "spearman"}
    assert observed == pytest.approx(expected, abs=1e-9)


classes = st.lists(st.tuples(st.sampled_from([*LABELS, "기타"]), st.sampled_from([*LABELS, "기타"])), max_size=30)


@pytest.mark.slow
@given(classes)
def test_classification(pairs: list[tuple[str, str]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    found = classification_statistics(gold, predicted, LABELS)
    assert_equal(found, classification_scores(gold, predicted, LABELS))
    assert len(found) == len(pairs)
    assert found.table.shape[0] == len(set(pairs))


sets = st.sets(st.sampled_from([*LABELS, "기타"])).map(tuple)


@pytest.mark.slow
@given(st.lists(st.tuples(sets, sets), max_size=20))
def test_multi_label(pairs: list[tuple[tuple[str, ...], tuple[str, ...]]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    assert_equal(multi_label_statistics(gold, predicted, LABELS), multi_label_scores(gold, predicted, LABELS))


numbers = st.floats(0, 5, width=32)


@pytest.mark.slow
@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=20))
def test_similarity(pairs: list[tuple[float, float]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    found = similarity_statistics(gold, predicted, 3.0).observed()
    expected = similarity_scores(gold, predicted, 3.0)
    assert found["pearson"] == pytest.approx(expected["pearson"], abs=1e-6)
    assert found["f1_at_threshold"] == pytest.approx(expected["f1_at_threshold"])


def test_similarity_without_variation() -> None:
    assert similarity_statistics([1, 1, 1], [1, 2, 3], 2).observed() == {"pearson": 0.0, "f1_at_threshold": 0.0}


def test_answers_are_grouped_by_document() -> None:
    gold, predicted = [["서울역"], ["3월"], [], ["김민준"]], ["서울 역", "4월", "", "김민"]
    found = answer_statistics(gold, predicted, ["가", "나", "가", "다"])
    assert_equal(found, answer_scores(gold, predicted))
    assert (len(found), found.unit) == (3, "documents")


def test_likelihoods() -> None:
    found = likelihood_statistics([6.0, 2.0], [3, 1], [2, 0]).observed()
    assert found == pytest.approx({"perplexity": math.exp(2.0), "accuracy": 0.5})


@st.composite
def entities(draw: st.DrawFn) -> list[Entity]:
    """Entities that do not overlap; some begin with a space, some touch each other."""
    bounds = sorted(draw(st.sets(st.integers(0, len(TEXT)), max_size=8)))
    kept = [span for span in pairwise(bounds) if draw(st.booleans())]
    return [Entity(start, end, draw(st.sampled_from(["PS", "LC", "새것"]))) for start, end in kept]


@pytest.mark.slow
@given(st.lists(st.tuples(entities(), entities()), max_size=6))
def test_entities(pairs: list[tuple[list[Entity], list[Entity]]]) -> None:
    gold, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    texts = [TEXT] * len(pairs)
    found = entity_statistics(gold, predicted, texts, ["PS", "LC", "OG"])
    assert_equal(found, entity_scores(gold, predicted, texts, ["PS", "LC", "OG"]))
    assert found.unit == "sentences"


def test_strict_spans() -> None:
    tags = ["I-PS", "B-PS", "I-PS", "I-LC", "B-PS", "B-PS", "O", "I-PS", "B-LC"]
    assert strict_spans(tags) == {(1, 3, "PS"), (4, 5, "PS"), (5, 6, "PS"), (8, 9, "LC")}


def test_grouped_sums_rows() -> None:
    rows = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    statistics = ExampleStatistics.of_rows(rows, lambda sums: {"mean": sums[:, 1] / sums[:, 0]})
    grouped = statistics.grouped(["a", "b", "a"], "documents")
    assert grouped.table[grouped.codes].tolist() == [[2.0, 1.0], [1.0, 1.0]]
    assert grouped.observed() == statistics.observed() == {"mean": pytest.approx(2 / 3)}
