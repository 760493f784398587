"""Probabilities from logits, in numpy: decoding needs no torch."""

from __future__ import annotations

from ..runtime.types import Array


def softmax(logits: Array, axis: int = -1) -> Array:
    """Return probabilities that sum to 1 along an axis. Shape: that of `logits`, which may be empty."""
    import numpy as np

    exponentials = np.exp(logits - logits.max(axis=axis, keepdims=True, initial=-np.inf))
    probabilities: Array = exponentials / exponentials.sum(axis=axis, keepdims=True)
    return probabilities


def sigmoid(logits: Array) -> Array:
    """Return a probability for each logit on its own. Shape: that of `logits`."""
    import numpy as np

    return np.asarray(1 / (1 + np.exp(-logits)))
