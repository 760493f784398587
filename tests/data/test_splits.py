"""Cutting a validation part from a training split."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.data.splits import cut


class TestCut:
    def test_every_stratum_gives_its_share(self) -> None:
        strata = np.repeat([0, 1, 2], [70, 20, 10])
        larger, smaller = cut(strata, 0.1, 7)
        assert np.bincount(strata[smaller]).tolist() == [7, 2, 1]
        assert sorted([*larger, *smaller]) == list(range(100))
        assert list(larger) == sorted(larger)
        assert list(smaller) == sorted(smaller)

    def test_the_seed_determines_the_cut(self) -> None:
        strata = np.array([0, 1] * 50)
        assert cut(strata, 0.1, 1)[1].tolist() == cut(strata, 0.1, 1)[1].tolist()
        assert cut(strata, 0.1, 1)[1].tolist() != cut(strata, 0.1, 2)[1].tolist()

    def test_rows_are_taken_at_random(self) -> None:
        _, smaller = cut(np.zeros(1000, dtype=int), 0.1, 3)
        assert len(set(np.diff(smaller))) > 5  # not each tenth

    @pytest.mark.parametrize("share", [0.1, 0.25, 0.5])
    def test_classes_of_one_row(self, share: float) -> None:
        larger, smaller = cut(np.arange(40), share, 7)
        assert (len(larger), len(smaller)) == (round(40 * (1 - share)), round(40 * share))

    def test_no_strata(self) -> None:
        larger, smaller = cut(np.zeros(10, dtype=int), 0.3, 7)
        assert (len(larger), len(smaller)) == (7, 3)
