"""Tests of differences against scipy, values computed by hand, and models that do not differ."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ratsnlp_like.metrics.significance import differences, holm, mcnemar, paired_bootstrap, randomization_test
from ratsnlp_like.metrics.statistics import (
    ExampleStatistics,
    classification_statistics,
    likelihood_statistics,
    similarity_statistics,
)

LABELS = ["a", "b"]


def answers(correct: str) -> ExampleStatistics:
    """`+` for a text that is classified right, `-` for another."""
    return classification_statistics(["a"] * len(correct), ["a" if c == "+" else "b" for c in correct], LABELS)


def accuracy(values: Any) -> ExampleStatistics:
    rows = np.stack([np.ones(len(values)), np.asarray(values, dtype=float)], axis=1)
    return ExampleStatistics.of_rows(rows, lambda sums: {"accuracy": sums[:, 1] / sums[:, 0]})


class TestRandomization:
    def test_by_hand(self) -> None:
        """Four texts differ, three for the second model: |difference| >= 2 of 4 in 10 of 16 assignments."""
        shares = sum(abs(sum(signs)) >= 2 for signs in product((-1, 1), repeat=4)) / 16
        found = randomization_test(answers("+---++"), answers("-+++++"))
        assert shares == 10 / 16
        assert found["accuracy"] == pytest.approx(shares, abs=0.015)

    def test_as_scipy(self) -> None:
        rng = np.random.default_rng(1)
        x = rng.normal(size=60)
        first, second = x + rng.normal(size=60), x + rng.normal(0.4, 1, size=60)
        expected = stats.permutation_test(
            (first, second), lambda a, b: np.mean(b) - np.mean(a), permutation_type="samples", n_resamples=9999, rng=2
        ).pvalue
        found = randomization_test(accuracy(first), accuracy(second))
        assert found["accuracy"] == pytest.approx(expected, abs=0.015)
        assert 0.005 < expected < 0.6

    def test_many_units_with_one_pattern(self) -> None:
        """Binomial draws: 5,000 texts, on which the models differ in 60 and 30."""
        first, second = answers("+" * 4940 + "-" * 60), answers("+" * 4910 + "-" * 30 + "+" * 60)
        expected = 2 * stats.binom.sf(59, 90, 0.5)
        assert randomization_test(first, second)["accuracy"] == pytest.approx(expected, abs=0.001)

    def test_a_model_does_not_differ_from_itself(self) -> None:
        assert randomization_test(answers("+-+"), answers("+-+")) == dict.fromkeys(
            ("accuracy", "macro_f1", "micro_f1", "weighted_f1"), 1.0
        )

    def test_other_numbers_of_labels(self) -> None:
        """A model that knows one class more has columns of its own, which the other's outputs cannot fill."""
        three = classification_statistics(["a", "b"], ["a", "a"], ["a", "b", "c"])
        with pytest.raises(ValueError, match="columns"):
            randomization_test(three, classification_statistics(["a", "b"], ["a", "b"], LABELS))


class TestDifferences:
    def test_a_better_model(self) -> None:
        rng = np.random.default_rng(3)
        gold = [LABELS[k] for k in rng.integers(0, 2, 400)]
        other = {"a": "b", "b": "a"}
        first, second = (
            classification_statistics(gold, [g if rng.random() < share else other[g] for g in gold], LABELS)
            for share in (0.7, 0.85)
        )
        found = differences(first, second)["accuracy"]
        assert found.difference == pytest.approx(second.observed()["accuracy"] - first.observed()["accuracy"])
        assert 0 < found.interval[0] < found.difference < found.interval[1]
        assert found.bootstrap_p < 0.001
        assert found.randomization_p is not None
        assert found.randomization_p < 0.001
        assert set(found.to_dict()) == {"difference", "interval", "bootstrap_p", "randomization_p"}

    @pytest.mark.slow
    @pytest.mark.exhaustive
    @pytest.mark.parametrize("kind", ["accuracy", "pearson", "perplexity"])
    def test_models_of_one_quality_differ_in_few_experiments(self, kind: str) -> None:
        """At a level of 5%, about 5% of the experiments; 800 of them have a standard error of 0.8%."""
        rng = np.random.default_rng(6)
        found = []
        for _ in range(800):
            if kind == "accuracy":
                pair = [accuracy(rng.random(200) < 0.8) for _ in range(2)]
            elif kind == "pearson":
                x = rng.normal(size=200)
                pair = [similarity_statistics(x, x + rng.normal(size=200), 0.5) for _ in range(2)]
            else:
                pair = [likelihood_statistics(rng.gamma(9, 1, 200), [9] * 200, [1] * 200) for _ in range(2)]
            tested = differences(*pair, resamples=400)[kind]
            found.append((tested.bootstrap_p, tested.randomization_p))
        false = (np.array(found, dtype=float) <= 0.05).mean(axis=0)
        assert (false <= 0.07).all(), false
        assert (false >= 0.03).all(), false

    def test_p_value_of_the_bootstrap_by_hand(self) -> None:
        """2 of 99 resamples are at most 0: 2 * (2 + 1) / (99 + 1)."""
        found = paired_bootstrap(0.3, np.array([-0.1, 0.0, *[0.2] * 97]))
        assert found.bootstrap_p == pytest.approx(0.06)
        assert paired_bootstrap(0.0, np.zeros(99)).bootstrap_p == 1.0


class TestMcNemar:
    def test_exact_by_hand(self) -> None:
        """Only the first is right once, only the second 5 times: 2 * (1 + 6) / 2^6."""
        found = mcnemar([True] + [False] * 5 + [True] * 9, [False] + [True] * 5 + [True] * 9)
        assert found == {"first_only": 1, "second_only": 5, "p": pytest.approx(14 / 64)}

    def test_many(self) -> None:
        """(|700 - 600| - 1)^2 / 1,300 = 7.5392, chi-squared with 1 degree of freedom."""
        found = mcnemar([True] * 700 + [False] * 600, [False] * 700 + [True] * 600)
        assert found["p"] == pytest.approx(0.006036, abs=5e-6)

    def test_equal_models(self) -> None:
        assert mcnemar([True, False], [True, False]) == {"first_only": 0, "second_only": 0, "p": 1.0}


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
