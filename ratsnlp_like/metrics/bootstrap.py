"""The bootstrap: scores of resampled examples, and the intervals that follow from them.

Efron and Tibshirani 1993, "An Introduction to the Bootstrap". Examples are drawn with replacement, as many as there
are. Of more than `_LARGE` units each gets a Poisson(1) weight in place of its number of draws, which is the same up to
the total and several times as fast (Hanley and MacGibbon 2006, doi:10.1016/j.cmpb.2006.04.006).
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

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
    draw, width = _sampler(codes, len(members))
    tables = [own.table[members[:, k]] for k, own in enumerate(statistics)]
    if len(codes) > _LARGE:
        tables = [table.astype(np.float32) for table in tables]
    step = max(1, min(500, _CELLS // max(1, width)))

    def block(start: int) -> list[Scores]:
        weights = draw(min(step, resamples - start), np.random.Generator(np.random.SFC64([seed, start])))
        sums = (np.asarray(weights @ table, dtype=float) for table in tables)
        return [own.scores(part) for own, part in zip(statistics, sums, strict=True)]

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:  # numpy leaves the interpreter free
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


def _sampler(codes: Array, size: int) -> tuple[_Draw, int]:
    """Return what draws weights, and the cells that one resample needs meanwhile."""
    units = len(codes)
    # nanoseconds per resample, measured: 90 for each combination, 6 for each unit (3 where there are many)
    if 90 * size <= (3 if units > _LARGE else 6) * units:
        return _multinomial(np.bincount(codes, minlength=size) / units, units), size
    if units > _LARGE:
        return _poisson(codes, size), units
    return _indexed(codes, size), units


def _multinomial(shares: Array, units: int) -> _Draw:
    return lambda number, rng: rng.multinomial(units, shares, size=number).astype(float)


def _indexed(codes: Array, size: int) -> _Draw:
    units = len(codes)

    def draw(number: int, rng: np.random.Generator) -> Array:
        drawn = codes[rng.integers(0, units, (number, units))]
        drawn += size * np.arange(number)[:, None]
        return np.bincount(drawn.reshape(-1), minlength=number * size).reshape(number, size).astype(float)

    return draw


def _poisson(codes: Array, size: int) -> _Draw:
    """Weights from a table of 65,536 entries, so that a draw is a look-up; exact to 1/65,536 in each probability."""
    bounds = np.cumsum([math.exp(-1) / math.factorial(k) for k in range(10)])
    table = np.searchsorted(bounds, (np.arange(65_536) + 0.5) / 65_536).astype(np.float32)
    units = len(codes)
    starts = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=size))[:-1]])  # of units sorted by code

    def draw(number: int, rng: np.random.Generator) -> Array:
        weights = np.take(table, rng.integers(0, 65_536, (number, units), dtype=np.uint16))
        return weights if size == units else np.add.reduceat(weights, starts, axis=1)

    return draw


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
