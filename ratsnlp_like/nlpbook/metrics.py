"""`nlpbook.metrics.accuracy`."""

from typing import Any


def accuracy(preds: Any, labels: Any, ignore_index: int | None = None) -> Any:
    """The share of predictions that are right, of those whose label is not `ignore_index`; 0 where there are none.

    Args:
        preds: class numbers.
        labels: gold class numbers. Shape: that of `preds`.
        ignore_index: the label of what does not count.
    """
    right = preds == labels
    if ignore_index is not None:
        right = right[labels != ignore_index]
    return right.sum().float() / max(1, right.numel())
