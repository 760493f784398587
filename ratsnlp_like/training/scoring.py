"""Scores of an evaluation: metrics of the task and of the user, the mean loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..data.batches import ON_HOST
from ..errors import InputError
from ..metrics.base import Metric
from ..modeling import unpadded
from ..registry import METRICS
from ..tasks.base import AnyTask


def metrics_by_name(metrics: Iterable[str | Metric]) -> dict[str, Metric]:
    """Return metrics by name: registered ones, or functions under their own names.

    Raises:
        InputError: a name is not registered.
    """
    out: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str):
            out[metric] = METRICS[metric]
        else:
            out[getattr(metric, "__name__", type(metric).__name__)] = metric
    return out


def score(
    task: AnyTask,
    predictions: Sequence[Any],
    examples: Sequence[Any],
    labels: Sequence[str],
    metrics: Mapping[str, Metric],
) -> dict[str, Any]:
    """Return the metrics of a task and further ones, by name.

    Raises:
        InputError: a metric has the name of another one, or does not fit the predictions.
    """
    results = task.score(predictions, examples, labels)
    for name, metric in metrics.items():
        try:
            value = metric(predictions, examples, labels)
        except (AttributeError, TypeError) as error:
            raise InputError(
                f"the metric {name!r} does not fit predictions of {task.name}: {error}",
                place="--metrics",
                expected="a function of (predictions, examples, labels)",
            ) from error
        found = value if isinstance(value, Mapping) else {name: float(value)}
        if taken := sorted(results.keys() & found.keys()):
            raise InputError(f"the metric {name!r} repeats {taken[0]!r}", place="--metrics", fix="rename the function")
        results |= found
    return results


def split_names(values: Iterable[str | Any] | str) -> tuple[tuple[str, ...], list[Any]]:
    """Split names from objects, in a sequence of both or a string of names with commas."""
    values = values.split(",") if isinstance(values, str) else list(values)
    return tuple(v for v in values if isinstance(v, str)), [v for v in values if not isinstance(v, str)]


def mean_loss(losses: Mapping[int, tuple[float, float]]) -> float:
    """Return the mean loss over all targets, from the mean loss and the number of targets of each batch."""
    total = sum(targets for _, targets in losses.values())
    return sum(loss * targets for loss, targets in losses.values()) / (total or 1)


def task_inputs(batch: Mapping[str, Any], model: Any) -> dict[str, Any]:
    """Return the entries of a batch that the task takes; those on the host serve a GPU without padding alone."""
    on_host = unpadded.installed(model) and next(model.parameters()).device.type == "cuda"
    left_out = {"index", "repeated"} | (frozenset() if on_host else ON_HOST)
    return {name: value for name, value in batch.items() if name not in left_out}
