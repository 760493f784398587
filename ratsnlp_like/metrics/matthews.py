"""Matthews correlation coefficient of a classification, one class per text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..registry import METRICS


@METRICS.register("matthews")
def matthews(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
    """Return scikit-learn's `matthews_corrcoef`, from -1 to 1; 0 where one side has a single class."""
    from sklearn.metrics import matthews_corrcoef

    gold = [str(example.label) for example in examples]
    predicted = [str(prediction.label) for prediction in predictions]
    return float(matthews_corrcoef(gold, predicted)) if gold else 0.0
