"""Confident learning against a table computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.metrics.confident_learning import confident_learning

GIVEN = np.array([0, 0, 0, 1, 1])
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.55, 0.45]])
"""Thresholds: class 0 (0.9 + 0.8 + 0.1) / 3 = 0.6, class 1 (0.7 + 0.45) / 2 = 0.575."""


def test_by_hand() -> None:
    found = confident_learning(GIVEN, PROBABILITIES)
    # 0.55 is below 0.6: the last label is not suspected, although the model prefers the other class
    assert found.suspected.tolist() == [False, False, True, False, False]
    assert found.suggested[2] == 1
    # log-odds for the other class: -2.1972, -1.3863 and 2.1972, with one of 0 on average -0.3466; -0.8473 and 0.2007,
    # on average -0.2155; 1 / (1 + exp(log-odds - average))
    assert found.quality == pytest.approx([0.8642, 0.7388, 0.0728, 0.6529, 0.3974], abs=1e-4)


def test_an_unsure_class_does_not_fill_the_list() -> None:
    """All rows of the rare class have 0.4, which is its threshold: as expected for it, and no reason for suspicion."""
    probabilities = np.array([[0.95, 0.05]] * 8 + [[0.6, 0.4]] * 2)
    found = confident_learning(np.array([0] * 8 + [1] * 2), probabilities)
    assert not found.suspected.any()


def test_certain_models() -> None:
    """Probabilities of 0 and 1 have a quality, too."""
    found = confident_learning(np.array([0, 0, 1]), np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))
    assert np.isfinite(found.quality).all()
    assert found.quality[2] < 0.01 < 0.99 < found.quality[0]


def test_a_usual_confusion_is_weak_evidence() -> None:
    """Labels of class 0 are usually taken for class 1; the one that is taken for class 2 comes first."""
    probabilities = np.array(
        [[0.05, 0.9, 0.05]] * 9 + [[0.1, 0.1, 0.8]] + [[0.1, 0.8, 0.1]] * 3 + [[0.1, 0.2, 0.7]] * 3
    )
    found = confident_learning(np.array([0] * 10 + [1] * 3 + [2] * 3), probabilities)
    assert found.suspected[:10].all()
    assert found.quality[:10].argmin() == 9
    assert found.suggested[9] == 2


def test_a_class_without_labels_is_never_suggested() -> None:
    found = confident_learning(np.array([0, 0]), np.array([[0.2, 0.8], [0.3, 0.7]]))
    assert not found.suspected.any()
