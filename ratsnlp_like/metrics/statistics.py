"""Sufficient statistics of scores: numbers of each example whose sums determine a score.

Accuracy needs the number of correct examples and their total, an F1 score the counts of its precision and recall,
Pearson's r five sums. A resample of the examples is then a weighted sum of rows, and thousands of resamples are one
matrix product; no score is computed from predictions again.

Each function here has a counterpart that scores the examples themselves (`classification_scores`, ...). At the sums of
all examples both return the same numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from ..runtime.types import Array
from .answers import answer_row_scores
from .example_statistics import ExampleStatistics, Scores
from .shares import check_lengths, share


def classification_statistics(
    gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> ExampleStatistics:
    """Return the statistics of the scores of `classification_scores`.

    A unit is a pair of classes, so that there are few distinct rows however many texts there are.
    """
    check_lengths(gold=gold, predicted=predicted)
    pairs: dict[tuple[str, str], int] = {}
    codes = np.array([pairs.setdefault(pair, len(pairs)) for pair in zip(gold, predicted, strict=True)], dtype=np.int64)
    rights, founds = ([pair[k] for pair in pairs] for k in (0, 1))
    counts = _label_counts([[label] for label in rights], [[label] for label in founds], labels)
    correct = [[1.0, float(right == found)] for right, found in pairs] or np.zeros((0, 2))
    size = len(labels)

    def scores(sums: Array) -> Scores:
        f1, support = _f1_of_labels(sums[:, :-2], size)
        micro = _micro_f1(sums[:, :-2], size)
        return {
            "accuracy": ratio(sums[:, -1], sums[:, -2]),
            "macro_f1": f1.sum(axis=1) / max(1, size),
            "micro_f1": micro,
            "weighted_f1": ratio((f1 * support).sum(axis=1), support.sum(axis=1)),
        }

    return ExampleStatistics(_joined(counts, correct), codes, scores, "texts")


def multi_label_statistics(
    gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str]
) -> ExampleStatistics:
    """Return the statistics of the scores of `multi_label_scores`."""
    check_lengths(gold=gold, predicted=predicted)
    pairs: dict[tuple[frozenset[str], frozenset[str]], int] = {}
    both = zip(map(frozenset, gold), map(frozenset, predicted), strict=True)
    codes = np.array([pairs.setdefault(pair, len(pairs)) for pair in both], dtype=np.int64)
    known = frozenset(labels)
    others = [
        (
            1.0,
            float(right == found),
            share(2 * len(right & found & known), len(right & known) + len(found & known)),
            float(len((right ^ found) & known)),
        )
        for right, found in pairs
    ]
    counts = _label_counts([right for right, _ in pairs], [found for _, found in pairs], labels)
    size = len(labels)

    def scores(sums: Array) -> Scores:
        f1, support = _f1_of_labels(sums[:, :-4], size)
        rows, exact, own_f1, wrong_cells = sums[:, -4:].T
        return {
            "subset_accuracy": ratio(exact, rows),
            "micro_f1": _micro_f1(sums[:, :-4], size),
            "macro_f1": f1.sum(axis=1) / max(1, size),
            "weighted_f1": ratio((f1 * support).sum(axis=1), support.sum(axis=1)),
            "samples_f1": ratio(own_f1, rows),
            "hamming_loss": ratio(wrong_cells, rows * size),
        }

    return ExampleStatistics(_joined(counts, others or np.zeros((0, 4))), codes, scores, "texts")


def similarity_statistics(gold: Sequence[float], predicted: Sequence[float], threshold: float) -> ExampleStatistics:
    """Return the statistics of Pearson's r and of the F1 at a threshold, see `similarity_scores`.

    Spearman's rho has none: ranks depend on the whole resample.
    """
    check_lengths(gold=gold, predicted=predicted)
    x, y = _standardized(gold), _standardized(predicted)
    right, found = np.asarray(gold, dtype=float) >= threshold, np.asarray(predicted, dtype=float) >= threshold
    rows = np.stack([np.ones_like(x), x, y, x * x, y * y, x * y, right & found, 1.0 * right + found], axis=1)

    def scores(sums: Array) -> Scores:
        n = np.maximum(sums[:, 0], 1e-12)
        mean_x, mean_y, xx, yy, xy = (sums[:, k] / n for k in range(1, 6))
        variances = np.clip(xx - mean_x**2, 0, None) * np.clip(yy - mean_y**2, 0, None)
        spread = np.sqrt(np.where(variances > 1e-12, variances, 0.0))
        return {
            "pearson": np.clip(ratio(xy - mean_x * mean_y, spread), -1.0, 1.0),
            "f1_at_threshold": ratio(2 * sums[:, 6], sums[:, 7]),
        }

    return ExampleStatistics(rows, np.arange(len(rows)), scores, "pairs")


def answer_statistics(
    gold: Sequence[Sequence[str]], predicted: Sequence[str], documents: Sequence[str]
) -> ExampleStatistics:
    """Return the statistics of the scores of `answer_scores`; questions on one document are resampled together."""
    rows = answer_row_scores(gold, predicted)
    names = list(rows)
    table = np.array([*rows.values(), [1.0] * len(predicted)]).T.reshape(-1, len(names) + 1)

    def scores(sums: Array) -> Scores:
        return {name: ratio(sums[:, k], sums[:, -1]) for k, name in enumerate(names)}

    return ExampleStatistics.of_rows(table, scores).grouped(documents, "documents")


def likelihood_statistics(
    losses: Sequence[float], targets: Sequence[float], correct: Sequence[float]
) -> ExampleStatistics:
    """Return the statistics of perplexity and accuracy over tokens.

    Args:
        losses: the sum of the losses of each text, in nats.
        targets: the number of predicted tokens of each text.
        correct: how many of them were ranked first.
    """
    check_lengths(losses=losses, targets=targets, correct=correct)
    rows = np.array([losses, targets, correct], dtype=float).T.reshape(-1, 3)

    def scores(sums: Array) -> Scores:
        mean = ratio(sums[:, 0], sums[:, 1])
        return {"perplexity": np.exp(np.minimum(mean, 700.0)), "accuracy": ratio(sums[:, 2], sums[:, 1])}

    return ExampleStatistics(rows, np.arange(len(rows)), scores, "texts")


def _label_counts(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str]) -> Any:
    """Hits, predictions and gold labels of each label, sparse. Shape: (rows, 3 * labels)."""
    from scipy.sparse import csr_matrix

    column: Mapping[str, int] = {label: k for k, label in enumerate(labels)}
    size, cells = len(labels), []
    for row, (right, found) in enumerate(zip(gold, predicted, strict=True)):
        for offset, names in enumerate((set(right) & set(found), found, right)):
            cells += [(row, offset * size + column[name]) for name in set(names) if name in column]
    at = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    return csr_matrix((np.ones(at.shape[1]), (at[0], at[1])), shape=(len(gold), 3 * size))


def _joined(counts: Any, others: Any) -> Any:
    """Counts and further columns side by side, dense where that is small."""
    from scipy.sparse import csr_matrix, hstack

    table = hstack([counts, csr_matrix(np.asarray(others, dtype=float))], format="csr")
    return table.toarray() if table.shape[0] * table.shape[1] <= 500_000 else table


def _f1_of_labels(sums: Array, size: int) -> tuple[Array, Array]:
    """F1 and support of each label. Shape: (resamples, labels) each."""
    hits, predicted, gold = sums[:, :size], sums[:, size : 2 * size], sums[:, 2 * size :]
    return ratio(2 * hits, predicted + gold), gold


def _micro_f1(sums: Array, size: int) -> Array:
    return ratio(2 * sums[:, :size].sum(axis=1), sums[:, size:].sum(axis=1))


def ratio(part: Array, whole: Array) -> Array:
    """Return part / whole element by element, 0 where the whole is 0."""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=np.asarray(whole) > 0)


def _standardized(values: Sequence[float]) -> Array:
    """Mean 0 and standard deviation 1, so that sums of squares keep their digits; all 0 without variation."""
    numbers = np.asarray(values, dtype=float)
    if len(numbers) == 0 or not np.isfinite(numbers).all() or np.ptp(numbers) == 0:
        return np.zeros(len(numbers))
    scaled = (numbers - numbers.mean()) / np.ptp(numbers)
    return np.asarray((scaled - scaled.mean()) / scaled.std())
