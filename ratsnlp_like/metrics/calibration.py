"""Calibration: whether a confidence of 0.8 is right in 80% of the cases, and how it is made so.

Temperature scaling (Guo et al. 2017, arXiv:1706.04599) divides logits by one number that is fitted on held-out
examples. It changes no predicted class, only the probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..runtime.types import Array

_BINS = 15
_TINY = 1e-12
_FEWEST = 20
"""Examples that a threshold of abstention has to leave for its accuracy to count."""


def fit_temperature(logits: Array, targets: Array) -> float:
    """Return the temperature that minimises the negative log-likelihood of held-out examples.

    A standard normal prior on its logarithm keeps it near 1 where examples are few, or all are predicted right.

    Args:
        logits: or log-probabilities, of classes that exclude each other. Shape: (examples, classes).
        targets: the gold class, or -1 for one that the model does not know. Shape: (examples,).
    """
    known = np.flatnonzero(targets >= 0)
    if len(known) == 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        scaled = _log_softmax(logits[known] / np.exp(log_temperature))
        return float(-scaled[np.arange(len(known)), targets[known]].sum()) + log_temperature**2 / 2

    return float(np.exp(_minimum(loss)))


def fit_binary_temperature(logits: Array, targets: Array) -> float:
    """Return the temperature of independent yes/no decisions, as `fit_temperature` does for classes.

    Args:
        logits: log-odds. Shape: any.
        targets: 0 or 1. Shape: that of the logits.
    """
    signed = np.where(np.asarray(targets) > 0, logits, -np.asarray(logits, dtype=float))

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signed / np.exp(log_temperature)).sum()) + log_temperature**2 / 2

    return float(np.exp(_minimum(loss))) if signed.size else 1.0


def fit_platt(logits: Array, targets: Array) -> tuple[float, float]:
    """Return the temperature and the offset that make sigmoid(logit / temperature + offset) fit yes/no outcomes.

    Platt 1999. Unlike a temperature alone, the offset can lower a confidence below 0.5. Normal priors on the logarithm
    of the temperature and on the offset keep them near 1 and 0 where examples are few.

    Args:
        logits: log-odds of the confidences. Shape: (examples,).
        targets: whether each was right. Shape: (examples,).
    """
    from scipy.optimize import minimize

    x = np.asarray(logits, dtype=float)
    sign = np.where(np.asarray(targets) > 0, 1.0, -1.0)
    if x.size == 0:
        return 1.0, 0.0

    def loss(parameters: Array) -> float:
        log_temperature, offset = parameters
        values = sign * (x / np.exp(log_temperature) + offset)
        return float(np.logaddexp(0, -values).sum() + (log_temperature**2 + offset**2) / 2)

    log_temperature, offset = minimize(loss, np.zeros(2), method="BFGS").x
    return float(np.exp(np.clip(log_temperature, -3, 3))), float(offset)


def calibration_error(confidences: Array, correct: Array, bins: int = _BINS) -> float:
    """Return the expected calibration error over bins of equal width (Guo et al. 2017), 0 for no examples.

    Args:
        confidences: of the predictions, 0 to 1. Shape: (examples,).
        correct: whether each is right. Shape: (examples,).
        bins: their number.
    """
    confidences, correct = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    if len(confidences) == 0:
        return 0.0
    at = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(at, confidences - correct, minlength=bins)
    return float(np.abs(gaps).sum() / len(confidences))


def brier_score(probabilities: Array, targets: Array) -> float:
    """Return the mean squared distance of probabilities to outcomes (Brier 1950), 0 for no examples.

    Args:
        probabilities: of classes, or of one yes/no outcome. Shape: (examples, classes) or (examples,).
        targets: 1 where the outcome happened, else 0. Shape: that of the probabilities.
    """
    squares = (np.asarray(probabilities, dtype=float) - np.asarray(targets, dtype=float)) ** 2
    return float(squares.sum() / len(squares)) if len(squares) else 0.0


def accuracy_by_coverage(confidences: Array, correct: Array) -> tuple[Array, Array, Array]:
    """Return coverage and accuracy of answering only from a confidence on, for each distinct confidence.

    Returns:
        Thresholds, falling; the share of examples with at least that confidence; the accuracy among them.
    """
    order = np.argsort(-np.asarray(confidences, dtype=float), kind="stable")
    sorted_confidences = np.asarray(confidences, dtype=float)[order]
    hits = np.cumsum(np.asarray(correct, dtype=float)[order])
    last = np.flatnonzero(np.append(np.diff(sorted_confidences) != 0, True)) if len(order) else np.array([], dtype=int)
    return sorted_confidences[last], (last + 1) / max(1, len(order)), hits[last] / (last + 1)


def threshold_for_accuracy(confidences: Array, correct: Array, accuracy: float) -> float | None:
    """Return the lowest confidence from which predictions reach an accuracy, None where no threshold does.

    Fewer than 20 remaining examples do not count.
    """
    thresholds, coverage, reached = accuracy_by_coverage(confidences, correct)
    enough = (reached >= accuracy) & (coverage * len(np.asarray(confidences)) >= _FEWEST - 0.5)
    return float(thresholds[np.flatnonzero(enough)[-1]]) if enough.any() else None


def calibration_scores(before: Array, after: Array, targets: Array, *, independent: bool = False) -> dict[str, float]:
    """Return calibration error and Brier score of probabilities before and after calibration.

    Args:
        before: uncalibrated probabilities. Shape: (examples, classes).
        after: calibrated ones. Shape: that of `before`.
        targets: 1 for gold classes, else 0. Shape: that of `before`.
        independent: True where an example may have any number of classes: each cell is a decision of its own, else the
            class with the highest probability is.

    Returns:
        `ece`, `brier`, `ece_uncalibrated`, `brier_uncalibrated`.
    """
    out = {}
    for suffix, probabilities in (("", after), ("_uncalibrated", before)):
        if independent:
            confidences, correct = probabilities.reshape(-1), targets.reshape(-1)
        else:
            best = probabilities.argmax(axis=1)[:, None]
            confidences, correct = (np.take_along_axis(side, best, axis=1)[:, 0] for side in (probabilities, targets))
        out[f"ece{suffix}"] = calibration_error(confidences, correct)
        out[f"brier{suffix}"] = brier_score(probabilities, targets)
    return out


def coverage_scores(
    confidences: Array, correct: Array, accuracies: Sequence[float] = (0.9, 0.95, 0.99)
) -> dict[str, dict[str, float]]:
    """Return for each accuracy the threshold that reaches it and the share of examples that it keeps.

    An accuracy that no threshold reaches is left out; see `threshold_for_accuracy`.
    """
    out = {}
    for accuracy in accuracies:
        threshold = threshold_for_accuracy(confidences, correct, accuracy)
        if threshold is not None:
            kept = float((np.asarray(confidences) >= threshold).mean())
            out[f"{accuracy:g}"] = {"threshold": threshold, "coverage": kept}
    return out


def log_odds(probabilities: Any) -> Array:
    """Return log(p / (1 - p)), finite at 0 and 1."""
    p = np.clip(np.asarray(probabilities, dtype=float), _TINY, 1 - _TINY)
    return np.asarray(np.log(p) - np.log1p(-p))


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _minimum(loss: Callable[[float], float]) -> float:
    """The logarithm of the best temperature from 1/20 to 20."""
    from scipy.optimize import minimize_scalar

    return float(minimize_scalar(loss, bounds=(-3, 3), method="bounded", options={"xatol": 1e-4}).x)
