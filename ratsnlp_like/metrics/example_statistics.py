"""Numbers of each example whose sums determine a score, and the protocol of tasks that have them.

numpy is imported by the methods: tasks name this module in annotations, and an error in an argument would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..runtime.types import Array

Scores = dict[str, Array]
"""Metric -> values. Shape: (resamples,)."""


@dataclass(frozen=True)
class ExampleStatistics:
    """Numbers of each unit (an example, or the examples of one document) whose sums determine the scores."""

    table: Any
    """Distinct rows of numbers, dense or a sparse matrix of scipy. Shape: (patterns, columns)."""
    codes: Array
    """The row of each unit in the table. Shape: (units,)."""
    scores: Callable[[Array], Scores]
    """From sums (resamples, columns) to scores; must not depend on a common factor of the sums."""
    unit: str = "examples"
    """What is resampled, in the plural: examples, sentences, documents."""

    @classmethod
    def of_rows(cls, rows: Array, scores: Callable[[Array], Scores], *, unit: str = "examples") -> ExampleStatistics:
        """Return the statistics of one row of numbers per unit; equal rows are stored once.

        Args:
            rows: Shape: (units, columns).
            scores: see `ExampleStatistics.scores`.
            unit: see `ExampleStatistics.unit`.
        """
        import numpy as np

        table, codes = np.unique(np.asarray(rows, dtype=float), axis=0, return_inverse=True)
        return cls(table, codes.reshape(-1), scores, unit)

    def __len__(self) -> int:
        return len(self.codes)

    def grouped(self, groups: Sequence[Any], unit: str) -> ExampleStatistics:
        """Return statistics whose units are groups of the present ones, such as the questions on one document.

        Args:
            groups: the group of each unit, anything hashable.
            unit: see `ExampleStatistics.unit`.
        """
        import numpy as np

        index = {group: k for k, group in enumerate(dict.fromkeys(groups))}
        sums = np.zeros((len(index), self.table.shape[1]))
        np.add.at(sums, [index[group] for group in groups], self.table[self.codes])
        return ExampleStatistics.of_rows(sums, self.scores, unit=unit)

    def observed(self) -> dict[str, float]:
        """Return the scores of all examples."""
        import numpy as np

        counts = np.bincount(self.codes, minlength=self.table.shape[0])
        return {name: float(value[0]) for name, value in self.scores((counts @ self.table)[None, :]).items()}


@runtime_checkable
class SupportsStatistics(Protocol):
    """A task whose scores are determined by sums over examples."""

    def statistics(
        self, predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]
    ) -> ExampleStatistics:
        """Return the sufficient statistics of the scores that `Task.score` returns, as far as there are some.

        Args:
            predictions: one per example.
            examples: with gold labels.
            labels: in the model's order.
        """
        ...
