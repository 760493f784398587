"""The gradient of a step is that of the mean over all its targets, however it is cut into batches and processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.gradients import WHOLE, Cut, difference, gradient, losses, table
from ratsnlp_like.data.batches import Batches


@pytest.mark.slow
@pytest.mark.parametrize("name", losses())
def test_accumulation_gives_the_gradient_of_one_batch(tmp_path: Path, name: str) -> None:
    """27 rows, up to 100 windows: batches of 8, of which the last is smaller."""
    loss = losses()[name]
    one, several = gradient(loss, WHOLE, tmp_path), gradient(loss, Cut(8, 32), tmp_path)
    assert float(one.norm()) > 0
    assert difference(one, several) < 1e-4


def test_a_group_that_is_full(tmp_path: Path) -> None:
    """27 rows in batches of 8, 8, 8 and 3, with groups of 4: the only step has all of them."""
    loss = losses()["ner"]
    assert difference(gradient(loss, WHOLE, tmp_path), gradient(loss, Cut(8, 4), tmp_path)) < 1e-4


@pytest.mark.exhaustive
@pytest.mark.slow
def test_processes_with_uneven_shares_give_the_gradient_of_one(tmp_path: Path) -> None:
    """The losses whose numbers of targets differ most; the benchmark has all, on 3 processes too."""
    names = ["classification, class weights", "ner", "question-answering", "masked-lm", "causal-lm", "generation"]
    found = table(names, [cut := Cut(8, 32, 2)])
    assert {name for name, row in found.items() if row[cut] >= 1e-4} == set()


def test_a_window_that_is_taken_to_keep_step_is_marked() -> None:
    ranks = [Batches(np.array([5, 4, 3]), 2, shuffle=False, rank=r, world_size=2) for r in range(2)]
    marks = [[(batch.tolist(), batches.repeated) for batch in batches] for batches in ranks]
    assert marks == [[([0], False), ([2], False)], [([1], False), ([2], True)]]
