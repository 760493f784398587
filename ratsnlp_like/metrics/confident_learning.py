"""Confident learning: which given labels are wrong, from probabilities of models that were not trained on them.

Labels are suspected as by Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels", arXiv:1911.00068, and ranked by how much stronger the evidence for the suggested class is than on average for
labels of the given class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..runtime.types import Array

_LEAST = 1e-6
"""Smaller probabilities are no stronger evidence."""


class Suspicion(NamedTuple):
    """The result for each label; arrays of shape (labels,)."""

    suggested: Array
    """Class with the highest probability, relative to the threshold of the class."""
    suspected: Array
    """True where another class than the given one is confident: off the diagonal of the confident joint."""
    quality: Array
    """0 to 1: the lower, the more likely is the label wrong. The logistic function of the log-odds of the given class
    against the suggested one, less their mean over the labels of the given class (with one more label of log-odds 0,
    for rare classes). A model that overlooks entities is certain of it, so that its certainty means little there.
    `benchmarks.label_errors` compares it with other rankings."""


def confident_learning(given: Array, probabilities: Array) -> Suspicion:
    """Find labels that are probably wrong.

    A class is confident for an example if its probability is at least the mean probability of the class over the
    examples that have it as given label (equations 1 and 2).

    Args:
        given: number of the given class of each label. Shape: (labels,).
        probabilities: out-of-sample. Shape: (labels, classes).
    """
    rows, classes = probabilities.shape
    of_given = probabilities[np.arange(rows), given]
    counts = np.bincount(given, minlength=classes)
    sums = np.bincount(given, weights=of_given, minlength=classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    above = probabilities - thresholds
    confident = np.where(above >= 0, probabilities, -1.0)
    most = confident.argmax(axis=1)
    suspected = (confident.max(axis=1) >= 0) & (most != given)
    others = above.copy()
    others[np.arange(rows), given] = -np.inf
    suggested = np.where(suspected, most, others.argmax(axis=1))
    return Suspicion(suggested, suspected, _quality(given, suggested, probabilities))


def _quality(given: Array, suggested: Array, probabilities: Array) -> Array:
    rows, classes = np.arange(len(given)), probabilities.shape[1]
    logs = np.log(np.maximum(probabilities, _LEAST))
    odds = logs[rows, given][:, None] - logs
    means = np.array([odds[given == k].sum(axis=0) / (1 + np.sum(given == k)) for k in range(classes)])
    found: Array = 1 / (1 + np.exp(means[given, suggested] - odds[rows, suggested]))
    return found
