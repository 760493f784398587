"""`nlpbook.metrics.accuracy`."""

from typing import Any


def accuracy(preds: Any, labels: Any, ignore_index: int | None = None) -> Any:
    """Return the fraction of correct predictions among labels other than `ignore_index`; 0 if there are none.

    Args:
        preds: predicted class indices.
        labels: gold class indices, in the shape of `preds`.
        ignore_index: label of positions that are not counted.
    """
    correct = preds == labels
    if ignore_index is not None:
        correct = correct[labels != ignore_index]
    return correct.sum().float() / max(1, correct.numel())
