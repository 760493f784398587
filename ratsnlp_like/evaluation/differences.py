"""Tests of the difference of scores between two evaluations of the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..metrics.bootstrap import rescored
from ..metrics.example_statistics import ExampleStatistics, SupportsStatistics
from ..metrics.significance import differences, paired_bootstrap

if TYPE_CHECKING:
    from .evaluate import Evaluation


def score_differences(first: Evaluation, second: Evaluation) -> dict[str, dict[str, Any]]:
    """Return the tests of every score that two evaluations of the same rows have, second minus first."""
    names = [name for name, value in first.scores.items() if isinstance(value, float) and name in second.scores]
    statistics = _statistics(first), _statistics(second)
    found = {}
    if statistics[0] is not None and statistics[1] is not None:
        found = differences(statistics[0], statistics[1])
    if missing := [name for name in names if name not in found and name != "loss"]:
        ours, theirs = _rescored(first), _rescored(second)  # on the same resamples: the seed draws them
        for name in missing:
            if name in ours and name in theirs:
                size = min(len(ours[name]), len(theirs[name]))
                gap = second.scores[name] - first.scores[name]
                found[name] = paired_bootstrap(gap, theirs[name][:size] - ours[name][:size])
    return {name: found[name].to_dict() for name in names if name in found}


def _statistics(evaluation: Evaluation) -> ExampleStatistics | None:
    task: object = evaluation.predictor.task
    if not isinstance(task, SupportsStatistics):
        return None
    return task.statistics(evaluation.predictions, evaluation.examples, evaluation.predictor.labels)


def _rescored(evaluation: Evaluation) -> dict[str, Any]:
    task, labels = evaluation.predictor.task, evaluation.predictor.labels
    return rescored(
        lambda predictions, examples: task.score(predictions, examples, labels),
        evaluation.predictions,
        evaluation.examples,
    )
