"""Counts of what is cut off after the endings of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.text.endings import EndingCounts, ending_evidence


def test_counts_by_ending() -> None:
    """Endings of one and two characters; those that occur once are left out, and "" counts all."""
    counts = EndingCounts()
    for token, cut in (("서울에", 1), ("부산에", 1), ("독도에서", 2), ("인천", 0), ("에", 0)):
        counts.add(token, cut)
    assert counts.counts() == {"": [2, 2, 1], "에": [1, 2]}


def test_evidence() -> None:
    """P(cut | 에) is ([0, 2] + P(cut)) / 3; an unknown longer ending changes nothing."""
    counts = {"": [3, 1], "에": [0, 2]}
    prior = np.array([3.01, 1.01]) / 4.02
    expected = (np.array([0, 2]) + prior) / 3 / prior
    for token in ("에", "집에"):
        assert ending_evidence(counts, token, 2) == pytest.approx(expected)
    assert ending_evidence(counts, "집", 2) == pytest.approx([1, 1])


def test_evidence_of_fewer_and_of_more_classes() -> None:
    assert ending_evidence({"": [1, 1, 1], "에": [0, 0, 2]}, "에", 2) == pytest.approx([1, 1])
    evidence = ending_evidence({"": [3, 1], "에": [0, 2]}, "에", 4)
    assert evidence.argmax() == 1
    assert np.isfinite(evidence).all()
