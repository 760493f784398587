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


class TestGroups:
    def cut(self, groups: list[int], strata: list[int] | None = None, share: float = 0.1) -> tuple[set[int], set[int]]:
        codes = np.array(groups)
        larger, smaller = cut(np.array(strata or [0] * len(groups)), share, 7, codes)
        assert sorted([*larger, *smaller]) == list(range(len(groups)))
        return set(codes[larger].tolist()), set(codes[smaller].tolist())

    def test_a_group_is_on_one_side(self) -> None:
        larger, smaller = self.cut([i // 6 for i in range(900)])
        assert not larger & smaller
        assert len(smaller) == 15

    def test_groups_of_one_row_change_nothing(self) -> None:
        strata = np.array([0, 1] * 50)
        for one, other in zip(cut(strata, 0.1, 7), cut(strata, 0.1, 7, np.arange(100) * 13), strict=True):
            assert one.tolist() == other.tolist()

    def test_strata_keep_their_shares(self) -> None:
        groups = np.arange(1200) // 4
        strata = (groups % 4 == 0).astype(int)  # a quarter of the groups
        larger, smaller = cut(strata, 0.2, 7, groups)
        assert len(smaller) == pytest.approx(240, abs=4)
        assert strata[smaller].sum() == pytest.approx(60, abs=4)
        assert not set(groups[larger]) & set(groups[smaller])

    def test_groups_of_several_strata(self) -> None:
        rng = np.random.default_rng(0)
        groups, strata = np.arange(900) // 6, rng.integers(0, 2, 900)
        larger, smaller = cut(strata, 0.1, 7, groups)
        assert not set(groups[larger]) & set(groups[smaller])
        assert len(smaller) == pytest.approx(90, abs=8)
        assert np.mean(strata[smaller]) == pytest.approx(np.mean(strata), abs=0.1)

    def test_single_rows_and_groups(self) -> None:
        groups = np.concatenate([np.arange(500), np.repeat(np.arange(500, 510), 50)])
        larger, smaller = cut(np.zeros(1000, dtype=int), 0.1, 7, groups)
        assert not set(groups[larger]) & set(groups[smaller])
        assert len(smaller) == pytest.approx(100, abs=25)

    def test_the_seed_determines_the_groups(self) -> None:
        groups = np.arange(300) // 3
        one, same, other = (cut(np.zeros(300, dtype=int), 0.1, seed, groups)[1].tolist() for seed in (1, 1, 2))
        assert one == same != other

    def test_few_groups(self) -> None:
        larger, smaller = self.cut([0] * 5 + [1] * 20)
        assert (larger, smaller) == ({1}, {0})  # the smallest
        assert self.cut([0] * 5) == ({0}, set())
