"""Confident learning: which given labels are wrong, from probabilities of models that were not trained on them.

Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", arXiv:1911.00068.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..runtime.types import Array


class Suspicion(NamedTuple):
    """The result for each label; arrays of shape (labels,)."""

    suggested: Array
    """Class with the highest probability, relative to the threshold of the class."""
    suspected: Array
    """True where another class than the given one is confident: off the diagonal of the confident joint."""
    margin: Array
    """Probability of the given class above its threshold, less that of the best other class above its own. The lower,
    the more likely is the label wrong. Thresholds keep classes that a model is unsure of from filling the list."""


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
    best = others.argmax(axis=1)
    suggested = np.where(suspected, most, best)
    return Suspicion(suggested, suspected, above[np.arange(rows), given] - others.max(axis=1))
