"""The type of a metric that is registered by name or passed to `fine_tune` and `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Metric(Protocol):
    """A function on predictions and gold examples.

    ```python
    def long_answers(predictions, examples, labels):
        return sum(len(prediction.text) > 20 for prediction in predictions) / len(predictions)


    fine_tune(..., metrics=[long_answers])
    ```
    """

    def __call__(
        self, predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str], /
    ) -> float | Mapping[str, float]:
        """Return one number, reported under the name of the metric, or several by name.

        Args:
            predictions: those of the task, one per example.
            examples: the gold examples, in the same order.
            labels: all labels of the task; empty where it has none.
        """
        ...
