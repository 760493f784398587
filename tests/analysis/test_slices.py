"""Slices: a planted weakness comes first, and nothing is found where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ratsnlp_like.analysis.slices import Row, find_slices
from ratsnlp_like.metrics.significance import higher_rate
from ratsnlp_like.tasks.matches import Match

WORDS = ("영화", "배우", "음악", "정말", "조금", "3편", "ㅋㅋ", "OST", "좋다", "길다")


def rows(seed: int, *, planted: float, copies: int = 1) -> list[Row]:
    """Return 600 texts, a fifth of them with a negation; a tenth are wrong, of the negated ones `planted`."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(600):
        negated = k % 5 == 0
        text = " ".join([*rng.choice(WORDS, rng.integers(2, 9)), *["재미없다"] * negated])
        wrong = rng.random() < (planted if negated else 0.1)
        match = Match("가", "나" if wrong else "가", "가 > 나" if wrong else "", "가", 0.9)
        out.append(Row(text, 10, int(rng.random() < 0.1), [match] * copies, {"source": f"신문 {k % 3}"}))
    return out


def test_the_planted_slice_comes_first() -> None:
    first, *others = find_slices(rows(0, planted=0.35))
    assert (first.slice, first.value) == ("negation", "yes")
    assert first.is_weak
    assert first.rows == 120
    assert first.rate == pytest.approx(0.35, abs=0.08)
    assert first.rate_of_rest == pytest.approx(0.1, abs=0.03)
    assert not any(own.is_weak for own in others)


@pytest.mark.slow
def test_no_slice_is_weak_by_chance() -> None:
    weak = sum(any(own.is_weak for own in find_slices(rows(seed, planted=0.1))) for seed in range(40))
    assert weak <= 4  # 2 are expected at a level of 5%


def test_a_column_of_the_corpus() -> None:
    own = [Row("글", 1, 0, row.matches, row.columns) for row in rows(1, planted=0.1)]
    wrong = [Match("가", "나", "가 > 나", "가", 0.9)]
    worse = [Row(row.text, 1, 0, wrong, row.columns) if k % 6 == 0 else row for k, row in enumerate(own)]
    first = find_slices(worse)[0]
    assert (first.slice, first.value) == ("source", "신문 0")
    assert first.is_weak


def test_the_p_value_of_scipy() -> None:
    wrong, rest = np.arange(50) < 20, np.arange(200) < 40
    expected = stats.fisher_exact([[20, 30], [40, 160]], alternative="greater").pvalue
    assert higher_rate(wrong, np.arange(50), rest, np.arange(200)) == pytest.approx(expected)


def test_copies_within_a_row_are_no_further_evidence() -> None:
    """Rows whose five matches are all right or all wrong weigh as much as one match."""
    once, five = (find_slices(rows(0, planted=0.35, copies=copies))[0] for copies in (1, 5))
    assert five.matches == 5 * once.matches
    assert five.p == pytest.approx(once.p, rel=0.5)


def test_few_rows_are_no_slice() -> None:
    assert find_slices(rows(0, planted=0.9)[:12]) == []
    assert find_slices([]) == []
