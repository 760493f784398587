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
    # p / (p + H), with H in bits: 0.469 of 0.9, 0.722 of 0.8, 0.881 of 0.7, 0.993 of 0.55
    assert found.quality == pytest.approx([0.6574, 0.5257, 0.1757, 0.4427, 0.3119], abs=1e-4)


def test_an_unsure_class_does_not_fill_the_list() -> None:
    """All rows of the rare class have 0.4, which is its threshold: as expected for it, and no reason for suspicion."""
    probabilities = np.array([[0.95, 0.05]] * 8 + [[0.6, 0.4]] * 2)
    found = confident_learning(np.array([0] * 8 + [1] * 2), probabilities)
    assert not found.suspected.any()


def test_certain_models() -> None:
    """The quality is defined where the entropy is 0: 1 for the given class, 0 for another."""
    found = confident_learning(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert found.quality == pytest.approx([1.0, 0.0])


def test_a_class_without_labels_is_never_suggested() -> None:
    found = confident_learning(np.array([0, 0]), np.array([[0.2, 0.8], [0.3, 0.7]]))
    assert not found.suspected.any()
