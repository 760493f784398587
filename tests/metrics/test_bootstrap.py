"""Bootstrap intervals against scipy, and their coverage by simulation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.metrics import bootstrap
from ratsnlp_like.metrics.bootstrap import confidence_intervals, percentiles, resampled_scores, rescored
from ratsnlp_like.metrics.entity_statistics import entity_statistics
from ratsnlp_like.metrics.statistics import (
    ExampleStatistics,
    classification_statistics,
    likelihood_statistics,
    similarity_statistics,
)

LABELS = ["a", "b", "c"]


def interval(statistics: ExampleStatistics, metric: str, resamples: int = 10_000) -> list[float]:
    return percentiles(resampled_scores([statistics], resamples=resamples)[0][metric])


def classes(rng: np.random.Generator, size: int, correct: float = 0.7) -> ExampleStatistics:
    gold = rng.integers(0, 3, size)
    predicted = np.where(rng.random(size) < correct, gold, rng.integers(0, 3, size))
    return classification_statistics(*([LABELS[k] for k in side] for side in (gold, predicted)), LABELS)


def normal(rng: np.random.Generator, size: int, r: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=size)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=size)


def assert_as_scipy(own: list[float], data: tuple[np.ndarray, ...], statistic: Callable[..., Any]) -> None:
    found = stats.bootstrap(
        data, statistic, paired=True, vectorized=False, n_resamples=4000, method="percentile", rng=1
    ).confidence_interval
    width = found.high - found.low
    assert own == pytest.approx([found.low, found.high], abs=0.06 * width)  # the noise of 4,000 resamples


class TestAgainstScipy:
    @pytest.mark.slow
    @pytest.mark.parametrize("size", [60, 300])
    def test_pearson(self, size: int) -> None:
        x, y = normal(np.random.default_rng(3), size)
        own = interval(similarity_statistics(x, y, 0.5), "pearson")
        assert_as_scipy(own, (x, y), lambda a, b: stats.pearsonr(a, b).statistic)

    def test_accuracy_with_few_patterns(self) -> None:
        """Drawn from the multinomial distribution of the patterns."""
        statistics = classes(np.random.default_rng(4), 400)
        correct = statistics.table[statistics.codes][:, -1]
        assert_as_scipy(interval(statistics, "accuracy"), (correct,), np.mean)

    @pytest.mark.slow
    def test_many_units(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Poisson weights in place of draws."""
        x, y = normal(np.random.default_rng(5), 400)
        monkeypatch.setattr(bootstrap, "_LARGE", 100)
        own = interval(similarity_statistics(x, y, 0.5), "pearson")
        assert_as_scipy(own, (x, y), lambda a, b: stats.pearsonr(a, b).statistic)

    def test_many_units_that_share_patterns(self, monkeypatch: pytest.MonkeyPatch) -> None:
        losses = np.repeat(np.random.default_rng(6).normal(3, 1, 100), 2)
        rows = np.stack([losses, np.ones(200)], axis=1)
        statistics = ExampleStatistics.of_rows(rows, lambda sums: {"mean": sums[:, 0] / sums[:, 1]})
        monkeypatch.setattr(bootstrap, "_LARGE", 100)
        assert statistics.table.shape[0] == 100
        assert_as_scipy(interval(statistics, "mean"), (losses,), np.mean)


class TestPoisson:
    def test_distribution(self) -> None:
        """Means by table and by numpy's generator: mean and variance are the number of units of a pattern."""
        counts = np.array([1, 1, 2, 5, 31, 32, 33, 400])
        weights = bootstrap._poisson(counts)(40_000, np.random.default_rng(9)).astype(float)
        assert weights.mean(0) == pytest.approx(counts, rel=0.02)
        assert weights.var(0) == pytest.approx(counts, rel=0.05)
        assert np.corrcoef(weights.T) == pytest.approx(np.eye(len(counts)), abs=0.03)

    @pytest.mark.parametrize("mean", [1, 3, 32])
    def test_bounds(self, mean: int) -> None:
        bounds = bootstrap._poisson_bounds(mean)
        assert bounds / 65_536 == pytest.approx(stats.poisson.cdf(np.arange(len(bounds)), mean), abs=1 / 65_536)
        assert stats.poisson.sf(len(bounds), mean) < 1 / 65_536  # the largest weight

    def test_units_of_patterns_in_any_order(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The table follows the order of the weights."""
        codes = np.repeat([2, 0, 1], [300, 40, 2])
        statistics = ExampleStatistics(np.eye(3), codes, lambda sums: {str(k): sums[:, k] for k in range(3)})
        monkeypatch.setattr(bootstrap, "_LARGE", 100)
        found = resampled_scores([statistics], resamples=4000)[0]
        assert [found[str(k)].mean() for k in range(3)] == pytest.approx([40, 2, 300], rel=0.05)


def sentences(rng: np.random.Generator, size: int) -> ExampleStatistics:
    """One or two entities in a sentence, each found with 70% probability, and one that is not there with 20%."""
    kinds = entity_statistics(*_sentence_kinds(), ["김민준은 서울 역에서 한빛전자 사람"] * 12, ["PS", "LC", "OG"])
    probabilities = [0.5 * (0.7**hits) * (0.3 ** (n - hits)) * (0.2 if wrong else 0.8) for n, hits, wrong in KINDS]
    drawn = rng.choice(12, size, p=probabilities)
    return ExampleStatistics(kinds.table, kinds.codes[drawn], kinds.scores, kinds.unit)


KINDS = [(n, sum(found), wrong) for n in (1, 2) for found in product((0, 1), repeat=n) for wrong in (False, True)]
"""Gold entities, found ones, and whether one that is not there is predicted."""


def _sentence_kinds() -> tuple[list[list[Entity]], list[list[Entity]]]:
    entities, wrong = [Entity(0, 3, "PS"), Entity(5, 7, "LC")], Entity(11, 15, "OG")
    return [entities[:n] for n, _, _ in KINDS], [entities[:hits] + [wrong] * spurious for _, hits, spurious in KINDS]


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("metric", "truth", "draw"),
    [
        # 0.7 by choice and a third of the rest by chance; by symmetry the expected macro F1 is the same
        ("accuracy", 0.8, classes),
        ("macro_f1", 0.8, classes),
        ("pearson", 0.6, lambda rng, size: similarity_statistics(*normal(rng, size), 0.5)),
        # of 1.5 entities in a sentence 1.05 are found, among 1.25 predictions
        ("entity_f1", 2 * 1.05 / (1.5 + 1.25), sentences),
    ],
)
def test_coverage(metric: str, truth: float, draw: Callable[[np.random.Generator, int], ExampleStatistics]) -> None:
    """95% of the intervals hold the true value; 600 experiments have a standard error of 0.9%."""
    rng = np.random.default_rng(8)
    found = [interval(draw(rng, 300), metric, 600) for _ in range(600)]
    covered = np.mean([low <= truth <= high for low, high in found])
    assert covered == pytest.approx(0.95, abs=0.025)


def test_models_share_their_resamples() -> None:
    """The difference of a model to itself is zero in every resample."""
    one = classes(np.random.default_rng(9), 500)
    first, second = resampled_scores([one, one], resamples=50)
    assert np.array_equal(first["macro_f1"], second["macro_f1"])
    assert first["macro_f1"].std() > 0


def test_models_on_other_units_are_refused() -> None:
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="differ"):
        resampled_scores([classes(rng, 5), classes(rng, 6)])


def test_same_seed_same_interval() -> None:
    statistics = classes(np.random.default_rng(10), 100)
    assert interval(statistics, "accuracy") == interval(statistics, "accuracy")
    first, other = (resampled_scores([statistics], seed=seed)[0]["accuracy"] for seed in (7, 8))
    assert not np.array_equal(first, other)


class Plain:
    """A task without sufficient statistics."""

    def score(self, predictions: list[float], examples: list[float], labels: list[str]) -> dict[str, Any]:
        return {"error": float(np.mean(np.abs(np.subtract(predictions, examples)))), "per_x": {}, "count": 3}


class WithStatistics(Plain):
    def statistics(self, predictions: list[float], examples: list[float], labels: list[str]) -> ExampleStatistics:
        return likelihood_statistics(predictions, examples, examples)


class TestConfidenceIntervals:
    def test_a_task_without_statistics_is_scored_again(self) -> None:
        rng = np.random.default_rng(11)
        predictions, examples = rng.normal(size=80), np.zeros(80)
        scores = Plain().score(predictions, examples, [])
        found = confidence_intervals(Plain(), scores, list(predictions), list(examples), [])
        assert list(found["intervals"]) == ["error"]
        low, high = found["intervals"]["error"]
        assert low < scores["error"] < high
        assert found["interval_settings"]["rescored"] == {"error": 200}
        assert "resamples" not in found["interval_settings"]

    def test_scores_beyond_the_statistics_are_computed_again(self) -> None:
        predictions, examples = [2.0, 3.0, 4.0, 9.0], [1.0, 2.0, 1.0, 2.0]
        task = WithStatistics()
        scores = {**task.score(predictions, examples, []), "perplexity": 5.0}
        found = confidence_intervals(task, scores, predictions, examples, [])
        assert set(found["intervals"]) == {"error", "perplexity"}
        assert found["interval_settings"] == {
            "level": 0.95, "unit": "texts", "units": 4, "seed": 7, "resamples": 10_000, "rescored": {"error": 200}
        }  # fmt: skip

    def test_one_example_has_no_interval(self) -> None:
        assert confidence_intervals(Plain(), {"error": 1.0}, [1.0], [0.0], []) == {}

    def test_a_slow_score_has_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        clock = iter(range(100))
        monkeypatch.setattr(bootstrap, "time", SimpleNamespace(perf_counter=lambda: float(next(clock))))
        assert rescored(lambda own, gold: {"x": 1.0}, [1, 2], [1, 2]) == {}
