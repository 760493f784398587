"""Comparison of a trained model with simple baselines, in one line after training."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Literal

from ..arguments import TrainingArguments
from ..data.module import TaskDataModule
from ..inference.predictor import Predictor
from ..metrics.example_statistics import ExampleStatistics, SupportsStatistics
from ..metrics.significance import randomization_test
from ..tasks.abilities import SupportsBaselines
from ..tasks.base import AnyTask
from .rates import MIN_STEPS, choose_learning_rate, learning_rate

log = logging.getLogger("ratsnlp_like")

_ROWS = 10_000
"""Largest number of training examples that a baseline is fitted on, and of evaluation examples that it predicts."""
_LEVEL = 0.05
Relation = Literal["better than", "as good as", "not significantly better than", "no better than"]


@dataclass(frozen=True)
class Baseline:
    """The score of a baseline, and the test of the model's advantage over it."""

    name: str
    score: float
    p: float | None
    """Two-sided p-value of approximate randomisation; None for a task without sufficient statistics."""
    better: bool
    """True if the score of the model is better."""
    beaten: bool
    """True if it is better with a p-value below 0.05, where there is one."""


@dataclass(frozen=True)
class Verdict:
    """A model against baselines that were fitted on its training examples."""

    metric: str
    score: float
    baselines: tuple[Baseline, ...]
    advice: tuple[str, ...]
    """Settings to try where a baseline is not beaten."""
    warnings: tuple[str, ...] = ()
    """Classes that are never predicted, with the setting that helps."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "relation": self.relation, "text": str(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Verdict:
        """Return the verdict that `to_dict` described."""
        baselines = tuple(Baseline(**own) for own in content["baselines"])
        texts = {name: tuple(content[name]) for name in ("advice", "warnings")}
        return cls(content["metric"], content["score"], baselines, **texts)

    @property
    def relation(self) -> Relation:
        """The model's relation to the baselines that are not beaten, or to all where none is left."""
        others = [own for own in self.baselines if not own.beaten]
        if not others:
            return "better than"
        if all(own.score == self.score for own in others):
            return "as good as"
        return "not significantly better than" if all(own.better for own in others) else "no better than"

    def __str__(self) -> str:
        """Return the verdict in one line."""
        others = [own for own in self.baselines if not own.beaten]
        listed = " and ".join(f"{own.name} ({own.score:.4f})" for own in others or self.baselines)
        text = f"{self.metric} {self.score:.4f} is {self.relation} {listed}"
        text += f": try {', or '.join(self.advice)}" if self.advice else ""
        return "; ".join([text, *self.warnings])


def judge(
    predictor: Predictor,
    data: TaskDataModule,
    predictions: Sequence[Any],
    examples: Sequence[Any],
    metrics: Mapping[str, Any],
    arguments: TrainingArguments,
    *,
    steps: int | None,
) -> Verdict | None:
    """Compare a model with the baselines of its task.

    Args:
        predictor: the best model.
        data: whose training split the baselines are fitted on.
        predictions: of the model.
        examples: what it was evaluated on, with gold labels.
        metrics: of that evaluation.
        arguments: of the training.
        steps: optimizer steps of the training; None if it ended before its last epoch, since scores no longer improved.

    Returns:
        The verdict; None for a task without baselines.
    """
    task: AnyTask = predictor.task
    if not isinstance(task, SupportsBaselines) or data.train is None or not examples:
        return None
    own, gold = predictions[:_ROWS], examples[:_ROWS]
    train = list(islice(data.train.sample(_ROWS, arguments.seed).examples(), _ROWS))
    found = task.baselines(train, gold, predictor.labels, predictor.tokenizer)
    if not found:
        return None
    scores = task.score(own, gold, predictor.labels)
    statistics = _statistics(task, own, gold, predictor.labels)
    baselines = tuple(
        _baseline(task, name, scores[task.best_metric], statistics, guesses, gold, predictor.labels)
        for name, guesses in found.items()
    )
    perfect = task.maximize and scores[task.best_metric] >= 1
    beaten = perfect or all(baseline.beaten for baseline in baselines)
    advice = [] if beaten else _settings(arguments, predictor.model, steps)
    return Verdict(
        task.best_metric, scores[task.best_metric], baselines, tuple(advice), tuple(_never_predicted(metrics))
    )


def _baseline(
    task: AnyTask,
    name: str,
    score: float,
    statistics: ExampleStatistics | None,
    predictions: Sequence[Any],
    examples: Sequence[Any],
    labels: Sequence[str],
) -> Baseline:
    metric = task.best_metric
    own = task.score(predictions, examples, labels)[metric]
    better = score > own if task.maximize else score < own
    other = _statistics(task, predictions, examples, labels)
    p = None
    if statistics is not None and other is not None:
        p = randomization_test(statistics, other, resamples=2000).get(metric)
    return Baseline(name, own, p, better, better and (p is None or p < _LEVEL))


def _statistics(
    task: object, predictions: Sequence[Any], examples: Sequence[Any], labels: Sequence[str]
) -> ExampleStatistics | None:
    return task.statistics(predictions, examples, labels) if isinstance(task, SupportsStatistics) else None


def _settings(arguments: TrainingArguments, model: Any, steps: int | None) -> list[str]:
    """Return settings that help where a model has learned little."""
    fitting = choose_learning_rate(model).value
    advice = [f"--learning_rate {fitting:g}"] if learning_rate(arguments, model) <= fitting / 2 else []
    if steps is not None and steps < MIN_STEPS and arguments.epochs != "auto":
        advice.append(f"--epochs {max(arguments.epochs + 1, round(arguments.epochs * MIN_STEPS / max(1, steps)))}")
    return advice or ["more examples, or another --checkpoint"]


def _never_predicted(metrics: Mapping[str, Any]) -> list[str]:
    """Return a note on classes that occur and are never predicted."""
    table = metrics.get("confusion_matrix")
    if not table:
        return []
    columns = [sum(column) for column in zip(*table["matrix"], strict=True)]
    rows = zip(table["labels"], map(sum, table["matrix"]), columns, strict=True)
    never = [label for label, occurs, predicted in rows if occurs and not predicted]
    verb = "is" if len(never) == 1 else "are"
    return [f"{', '.join(never[:5])} {verb} never predicted: --class_weights balanced"] if never else []
