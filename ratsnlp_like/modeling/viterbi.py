"""The best sequence of classes under constraints on neighbours, in numpy."""

from __future__ import annotations

from ..runtime.types import Array


def best_path(scores: Array, allowed: Array, first: Array) -> Array:
    """Return the sequence of classes with the highest sum of scores among those that are allowed (Viterbi 1967).

    Args:
        scores: such as log probabilities. Shape: (positions, classes).
        allowed: True where the class of a column may follow that of a row. Shape: (classes, classes).
        first: True for a class that may be the first. Shape: (classes,).

    Returns:
        The class of each position. Shape: (positions,).
    """
    import numpy as np

    greedy: Array = scores.argmax(axis=1)
    if not len(greedy) or (first[greedy[0]] and allowed[greedy[:-1], greedy[1:]].all()):
        return greedy  # nothing can have a higher sum
    penalty = np.where(allowed, 0.0, -np.inf)
    total = np.where(first, scores[0], -np.inf)
    before = np.zeros(scores.shape, dtype=np.int64)
    for k in range(1, len(scores)):
        candidates = total[:, None] + penalty
        before[k] = candidates.argmax(axis=0)
        total = candidates.max(axis=0) + scores[k]
    path = np.empty(len(scores), dtype=np.int64)
    path[-1] = total.argmax()
    for k in range(len(scores) - 1, 0, -1):
        path[k - 1] = before[k, path[k]]
    return path
