"""Mean absolute error of a score, such as the similarity of two texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..registry import METRICS
from .shares import share


@METRICS.register("absolute_error")
def absolute_error(predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]) -> float:
    """Return the mean of |predicted - gold|, in the units of the score; lower is better."""
    errors = [abs(p.score - float(e.score or 0.0)) for p, e in zip(predictions, examples, strict=True)]
    return share(sum(errors), len(errors))
