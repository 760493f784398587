"""Confident learning: which given labels are wrong, from probabilities of models that were not trained on them.

Labels are suspected as by Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels", arXiv:1911.00068, and ranked by the confidence-weighted entropy of Kuan and Mueller 2022, "Model-agnostic label
quality scoring to detect real-world label errors".
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
    quality: Array
    """Probability p of the given class, relative to the normalized entropy H of all: p / (p + H). The lower, the more
    likely is the label wrong. Measured on planted errors (`benchmarks.label_errors`), it finds wrong entities better
    than p alone, or than margins over the thresholds: a model that overlooks an entity is certain of it, too."""


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
    known = np.clip(probabilities, 1e-12, 1.0)
    entropy = -(known * np.log(known)).sum(axis=1) / np.log(max(2, classes))
    return Suspicion(suggested, suspected, of_given / np.maximum(of_given + entropy, 1e-12))
