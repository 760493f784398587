"""Tests of the difference between two models that were evaluated on the same examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..runtime.types import Array
from .bootstrap import RESAMPLES, SEED, joint_codes, percentiles, resampled_scores
from .example_statistics import ExampleStatistics

_EXACT = 1000
"""McNemar's test is exact up to so many examples on which the models differ."""
_CELLS = 4_000_000


@dataclass(frozen=True)
class Difference:
    """The difference of one score between two models, second minus first."""

    difference: float
    interval: list[float]
    """95% percentile interval of the difference over paired bootstrap resamples."""
    bootstrap_p: float
    """Two-sided p-value of the paired bootstrap."""
    randomization_p: float | None = None
    """Two-sided p-value of approximate randomisation; None for a score without sufficient statistics."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


def differences(
    first: ExampleStatistics, second: ExampleStatistics, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, Difference]:
    """Test the difference of every score that both models have.

    Args:
        first: of the one model.
        second: of the other, on the same units in the same order.
        resamples: of the bootstrap, and assignments of the randomisation.
        seed: of both.

    Returns:
        Metric -> difference, second minus first.
    """
    ours, theirs = resampled_scores([first, second], resamples=resamples, seed=seed)
    before, after = first.observed(), second.observed()
    shuffled = randomization_test(first, second, resamples=resamples, seed=seed)
    return {
        name: paired_bootstrap(after[name] - before[name], theirs[name] - ours[name], shuffled[name])
        for name in before
        if name in after
    }


def paired_bootstrap(difference: float, resampled: Array, randomization_p: float | None = None) -> Difference:
    """Return a difference with its interval and p-value, from the differences on paired resamples.

    The p-value is twice the smaller share of resamples on either side of zero, with the observed sample counted as
    one of them (Davison and Hinkley 1997, section 4.4).
    """
    at_most, at_least = (int(np.count_nonzero(side)) for side in (resampled <= 0, resampled >= 0))
    p = min(1.0, 2 * (min(at_most, at_least) + 1) / (len(resampled) + 1))
    return Difference(difference, percentiles(resampled), p, randomization_p)


def randomization_test(
    first: ExampleStatistics, second: ExampleStatistics, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, float]:
    """Return the two-sided p-value of approximate randomisation for each score.

    The outputs of both models on a unit are exchanged with probability 1/2; the p-value is the share of such
    assignments whose difference is at least the observed one (Noreen 1989; Riezler and Maxwell 2005,
    https://aclanthology.org/W05-0908), with the observed assignment counted as one of them.

    Raises:
        ValueError: the models were evaluated on other units, or with other labels.
    """
    if first.table.shape[1] != second.table.shape[1]:
        raise ValueError(f"the models have {first.table.shape[1]} and {second.table.shape[1]} columns of statistics")
    codes, members = joint_codes([first, second])
    counts = np.bincount(codes, minlength=len(members))
    before, after = (own.table[members[:, k]] for k, own in enumerate((first, second)))
    sums = counts @ before, counts @ after
    moved = after - before
    changed = np.flatnonzero(np.asarray(abs(moved).sum(axis=1)).reshape(-1))
    counts, moved = counts[changed], moved[changed]
    observed = _gaps(first, second, sums[0][None, :], sums[1][None, :])
    hits = dict.fromkeys(observed, 0)
    draw, width = _exchanges(counts)
    step = max(1, min(500, _CELLS // max(1, width)))
    for start in range(0, resamples, step):
        swapped = draw(min(step, resamples - start), np.random.Generator(np.random.SFC64([seed, start])))
        shift = np.asarray(swapped @ moved, dtype=float)
        for name, gaps in _gaps(first, second, sums[0] + shift, sums[1] - shift).items():
            hits[name] += int(np.count_nonzero(gaps >= observed[name] - 1e-12))
    return {name: (number + 1) / (resamples + 1) for name, number in hits.items()}


def _gaps(first: ExampleStatistics, second: ExampleStatistics, ours: Array, theirs: Array) -> dict[str, Array]:
    before, after = first.scores(ours), second.scores(theirs)
    return {name: np.abs(after[name] - before[name]) for name in before if name in after}


def _exchanges(counts: Array) -> tuple[Callable[[int, np.random.Generator], Array], int]:
    """Return what draws how many units of each combination are exchanged, and the cells that one draw needs."""
    units = int(counts.sum())
    if 40 * len(counts) <= units or units == 0:  # a binomial number takes as long as 40 coins
        return lambda number, rng: rng.binomial(counts, 0.5, size=(number, len(counts))).astype(float), len(counts)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])

    def draw(number: int, rng: np.random.Generator) -> Array:
        coins = np.unpackbits(rng.integers(0, 256, (number, (units + 7) // 8), dtype=np.uint8), axis=1, count=units)
        weights = coins.astype(np.float32)
        return weights if len(counts) == units else np.add.reduceat(weights, starts, axis=1)

    return draw, units


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> dict[str, float]:
    """Test whether two classifiers have the same error rate, from which examples each gets right.

    Exact (binomial, two-sided) up to 1,000 examples on which they differ, else chi-squared with continuity correction
    (McNemar 1947; Edwards 1948).

    Args:
        first: whether the one model is right, example by example.
        second: the same of the other.

    Returns:
        `first_only` and `second_only` (examples that only the one model gets right) and `p`.
    """
    from scipy import stats

    pairs = list(zip(first, second, strict=True))
    only = [sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)]
    differing = sum(only)
    if differing == 0:
        p = 1.0
    elif differing <= _EXACT:
        p = float(stats.binomtest(only[0], differing).pvalue)
    else:
        p = float(stats.chi2.sf((abs(only[0] - only[1]) - 1) ** 2 / differing, 1))
    return {"first_only": only[0], "second_only": only[1], "p": p}


def higher_rate(wrong: Array, groups: Array, other_wrong: Array, other_groups: Array) -> float:
    """Return the one-sided p-value of Fisher's exact test that errors are more frequent in a sample than in another.

    Errors of one group, such as the entities of one sentence, are not independent. Counts are divided by the design
    effect, the variance of the rate over groups relative to that of independent errors, where it is above 1 (Rao and
    Scott 1992, A simple method for the analysis of clustered binary data).

    Args:
        wrong: whether each outcome of the sample is an error. Shape: (outcomes,).
        groups: the group of each. Shape: (outcomes,).
        other_wrong: the same of the other sample.
        other_groups: the same of the other sample.
    """
    from scipy import stats

    table = []
    for errors, own in ((wrong, groups), (other_wrong, other_groups)):
        effect = _design_effect(errors, own)
        number = int(errors.sum())
        table.append([round(number / effect), round((len(errors) - number) / effect)])
    return float(stats.fisher_exact(table, alternative="greater").pvalue)


def _design_effect(wrong: Array, groups: Array) -> float:
    """Return the variance of an error rate over groups relative to that of independent errors, at least 1."""
    _, at = np.unique(groups, return_inverse=True)
    number, rate = int(at.max()) + 1, float(wrong.mean())
    if number in (1, len(wrong)) or rate in (0.0, 1.0):
        return 1.0
    residuals = np.bincount(at, wrong - rate)
    variance = number / (number - 1) * float(residuals @ residuals) / len(wrong) ** 2
    return max(1.0, variance * len(wrong) / (rate * (1 - rate)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for several comparisons (Holm 1979), in the given order."""
    order = sorted(range(len(p_values)), key=lambda k: p_values[k])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = largest
    return adjusted
