"""The best sequence of classes under constraints, against all sequences."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from ratsnlp_like.modeling.viterbi import best_path

BIO = ("O", "B-PS", "I-PS", "B-LC", "I-LC")
FIRST = np.array([not name.startswith("I-") for name in BIO])
ALLOWED = np.array([[not new.startswith("I-") or old[2:] == new[2:] for new in BIO] for old in BIO])


@pytest.mark.parametrize("seed", range(20))
def test_no_allowed_sequence_has_a_higher_sum(seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(5, len(BIO)))
    allowed = [
        path
        for path in product(range(len(BIO)), repeat=len(scores))
        if FIRST[path[0]] and all(ALLOWED[pair] for pair in pairwise(path))
    ]
    best = max(allowed, key=lambda path: sum(scores[k, c] for k, c in enumerate(path)))
    assert tuple(best_path(scores, ALLOWED, FIRST)) == best


def test_no_positions() -> None:
    assert len(best_path(np.zeros((0, len(BIO))), ALLOWED, FIRST)) == 0
