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
    assert found.margin == pytest.approx(
        [0.3 + 0.475, 0.2 + 0.375, -0.5 - 0.325, 0.125 + 0.3, -0.125 + 0.05], abs=1e-12
    )


def test_an_unsure_class_does_not_fill_the_list() -> None:
    """All rows of the rare class have 0.4, which is its threshold: as expected for it, and no reason for suspicion."""
    probabilities = np.array([[0.95, 0.05]] * 8 + [[0.6, 0.4]] * 2)
    found = confident_learning(np.array([0] * 8 + [1] * 2), probabilities)
    assert not found.suspected.any()


def test_a_class_without_labels_is_never_suggested() -> None:
    found = confident_learning(np.array([0, 0]), np.array([[0.2, 0.8], [0.3, 0.7]]))
    assert not found.suspected.any()
