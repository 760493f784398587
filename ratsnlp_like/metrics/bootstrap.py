"""The bootstrap: scores of resampled examples, and the intervals that follow from them.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap". Examples are drawn with replacement, as many as there
are. Of more than `_LARGE` units each gets a Poisson(1) weight in place of its number of draws, which is the same up to
the total and several times as fast (Hanley and MacGibbon 2006, doi:10.1016/j.cmpb.2006.04.006). Units with the same
statistics share one weight: n of them have a Poisson(n) weight together.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from ..runtime.types import Array
from .example_statistics import ExampleStatistics, Scores, SupportsStatistics

RESAMPLES = 10_000
"""Resamples for scores with sufficient statistics."""
LEVEL = 0.95
SEED = 7
_RESCORED = 200
"""Resamples for a score that has to be computed from predictions each time."""
_SECONDS = 2.0
"""Time for these; a score that allows fewer than `_FEWEST` resamples in it gets no interval."""
_FEWEST = 100
_LARGE = 10_000
_CELLS = 4_000_000
"""Weights held at a time."""
_CACHED_CELLS = 1_600_000
"""The same for Poisson weights: few enough for the cache of a processor."""
_BY_TABLE = 32
"""Largest mean of a Poisson weight that is drawn by comparison with its distribution function."""


def confidence_intervals(
    task: Any,
    scores: Mapping[str, Any],
    predictions: Sequence[Any],
    examples: Sequence[Any],
    labels: Sequence[str],
    *,
    rescore: Callable[[Sequence[Any], Sequence[Any]], Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return 95% percentile bootstrap intervals of the scores of one evaluation.

    Args:
        task: whose `score` gave the scores; with `statistics` where it supports them.
        scores: metric -> value, tables included.
        predictions: one per example.
        examples: with gold labels.
        labels: in the model's order.
        rescore: from predictions and examples to scores, for those without statistics; `task.score` by default.

    Returns:
        `intervals` ({metric: [low, high]}) and `interval_settings` ({level, unit, units, resamples, seed}, and
        `rescored` with the smaller number of resamples of each metric without sufficient statistics).
        Empty where there is nothing to resample.
    """
    names = [name for name, value in scores.items() if isinstance(value, float)]
    intervals: dict[str, list[float]] = {}
    settings: dict[str, Any] = {"level": LEVEL, "unit": "examples", "units": len(examples), "seed": SEED}
    if len(examples) < 2:
        return {}
    if isinstance(task, SupportsStatistics):
        statistics = task.statistics(predictions, examples, labels)
        if len(statistics) < 2:
            return {}
        settings |= {"unit": statistics.unit, "units": len(statistics), "resamples": RESAMPLES}
        intervals |= {name: percentiles(values) for name, values in resampled_scores([statistics])[0].items()}
    if [name for name in names if name not in intervals]:
        rescore = rescore or (lambda own, gold: task.score(own, gold, labels))
        values = rescored(rescore, predictions, examples)
        found = {name: percentiles(own) for name, own in values.items() if name in names and name not in intervals}
        settings |= {"rescored": {name: len(values[name]) for name in found}} if found else {}
        intervals |= found
    ordered = {name: intervals[name] for name in names if name in intervals}
    return {"intervals": ordered, "interval_settings": settings} if ordered else {}


def percentiles(values: Array, level: float = LEVEL) -> list[float]:
    """Return the [low, high] of the percentile interval of resampled scores."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return [float(low), float(high)]


def resampled_scores(
    statistics: Sequence[ExampleStatistics], *, resamples: int = RESAMPLES, seed: int = SEED
) -> list[Scores]:
    """Return the scores of each model on the same resamples of the units.

    Args:
        statistics: of one model, or of several models on the same units.
        resamples: how many.
        seed: of the draws.

    Returns:
        Metric -> values for each model. Shape of the values: (resamples,).
    """
    codes, members = joint_codes(statistics)
    draw, order, step = _sampler(codes, len(members))
    tables = [own.table[members[order, k]] for k, own in enumerate(statistics)]
    if len(codes) > _LARGE:
        tables = [table.astype(np.float32) for table in tables]

    def block(start: int) -> list[Scores]:
        weights = draw(min(step, resamples - start), np.random.Generator(np.random.SFC64([seed, start])))
        sums = (np.asarray(weights @ table, dtype=float) for table in tables)
        return [own.scores(part) for own, part in zip(statistics, sums, strict=True)]

    # numpy leaves the interpreter free; threads within its matrix products would wait for each other
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        blocks = list(pool.map(block, range(0, resamples, step)))
    return [
        {name: np.concatenate([own[k][name] for own in blocks]) for name in blocks[0][k]}
        for k in range(len(statistics))
    ]


def joint_codes(statistics: Sequence[ExampleStatistics]) -> tuple[Array, Array]:
    """Return which combination of patterns each unit has, and the patterns of each combination.

    Shape: (units,) and (combinations, models).

    Raises:
        ValueError: the models were evaluated on different numbers of units.
    """
    if len({len(own) for own in statistics}) != 1:
        raise ValueError(f"the numbers of units differ: {[len(own) for own in statistics]}")
    stacked = np.stack([own.codes for own in statistics], axis=1)
    members, codes = np.unique(stacked, axis=0, return_inverse=True)
    return codes.reshape(-1), members


_Draw = Callable[[int, np.random.Generator], Array]
"""From a number of resamples to the weights of all combinations. Shape: (resamples, combinations)."""


class _Sampler(NamedTuple):
    """The fastest way of drawing the weights of combinations."""

    draw: _Draw
    order: Array
    """The combinations in the order of their weights. Shape: (combinations,)."""
    step: int
    """Number of resamples to draw at a time."""


def _sampler(codes: Array, size: int) -> _Sampler:
    units, counts = len(codes), np.bincount(codes, minlength=size)
    if units > _LARGE:
        order = np.argsort(counts, kind="stable")
        return _Sampler(_poisson(counts[order]), order, _step(size, _CACHED_CELLS))
    if 90 * size <= 6 * units:  # nanoseconds per resample, measured: 90 for each combination, 6 for each unit
        return _Sampler(_multinomial(counts / units, units), np.arange(size), _step(size, _CELLS))
    return _Sampler(_indexed(codes, size), np.arange(size), _step(units, _CELLS))


def _step(width: int, cells: int) -> int:
    """Return how many resamples of `width` weights are drawn at a time."""
    return max(1, min(500, cells // max(1, width)))


def _multinomial(shares: Array, units: int) -> _Draw:
    return lambda number, rng: rng.multinomial(units, shares, size=number).astype(float)


def _indexed(codes: Array, size: int) -> _Draw:
    units = len(codes)

    def draw(number: int, rng: np.random.Generator) -> Array:
        drawn = codes[rng.integers(0, units, (number, units))]
        drawn += size * np.arange(number)[:, None]
        return np.bincount(drawn.reshape(-1), minlength=number * size).reshape(number, size).astype(float)

    return draw


def _poisson(counts: Array) -> _Draw:
    """Return what draws weights with the given means, which are sorted."""
    means, starts = np.unique(counts, return_index=True)
    small = [int(mean) for mean in means[means <= _BY_TABLE]]
    borders = [*starts, len(counts)]
    bounds = [_poisson_bounds(mean) for mean in small]
    large = borders[len(small)]

    def draw(number: int, rng: np.random.Generator) -> Array:
        weights = np.empty((number, len(counts)), np.float32)
        for k, of_mean in enumerate(bounds):
            own = weights[:, borders[k] : borders[k + 1]]
            own[...] = _exceeded(_uniform_16_bits(own.shape, rng), of_mean)
        if large < len(counts):
            weights[:, large:] = rng.poisson(counts[large:], (number, len(counts) - large))
        return weights

    return draw


def _poisson_bounds(mean: int) -> Array:
    """Return the distribution function in units of 1 / 65,536, up to the last value below 1."""
    share = total = math.exp(-mean)
    bounds: list[int] = []
    while round(65_536 * total) < 65_536:
        bounds.append(round(65_536 * total))
        share *= mean / len(bounds)
        total += share
    return np.array(bounds, dtype=np.uint16)


def _exceeded(drawn: Array, bounds: Array) -> Array:
    """Return how many bounds are not above a number: one comparison each, which is faster than a look-up."""
    found = (drawn >= bounds[0]).view(np.uint8)
    reached = np.empty(drawn.shape, bool)
    for bound in bounds[1:]:
        np.greater_equal(drawn, bound, out=reached)
        found += reached.view(np.uint8)
    return found


def _uniform_16_bits(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Return uniform numbers from 0 to 65,535, four of each number that is drawn."""
    size = math.prod(shape)
    drawn = rng.integers(0, 2**64, -(-size // 4), dtype=np.uint64)
    return drawn.view(np.uint16)[:size].reshape(shape)


def rescored(
    score: Callable[[Sequence[Any], Sequence[Any]], Mapping[str, Any]],
    predictions: Sequence[Any],
    examples: Sequence[Any],
    *,
    seed: int = SEED,
) -> Scores:
    """Return the scores of resampled predictions, each computed by `score`; empty where that takes too long."""
    rng = np.random.default_rng(seed)
    found: list[Mapping[str, Any]] = []
    begin = time.perf_counter()
    while len(found) < _RESCORED:
        drawn = rng.integers(0, len(examples), len(examples))
        found.append(score([predictions[k] for k in drawn], [examples[k] for k in drawn]))
        if (time.perf_counter() - begin) / len(found) * _FEWEST > _SECONDS:
            return {}
    return {
        name: np.array([scores[name] for scores in found], dtype=float)
        for name, value in found[0].items()
        if isinstance(value, float) and all(name in scores for scores in found)
    }
