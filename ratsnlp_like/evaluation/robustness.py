"""Scores on perturbed text: how far they fall with lost spaces, typing errors, jamo, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from ..errors import InputError
from ..tasks.forward import can_be_wrong
from ..text.perturbations import perturb
from .differences import score_differences
from .tables import new_console, new_table

if TYPE_CHECKING:
    from .evaluate import Evaluation

SEED = 7


def robustness(evaluation: Evaluation, names: Sequence[str], *, seed: int = SEED) -> dict[str, Any]:
    """Predict on the same rows with each kind of noise, and compare the scores.

    Entities and answers keep their spans: they are those of the same words in the perturbed text.

    Args:
        evaluation: of the rows as they are.
        names: of `text.perturbations.PERTURBATIONS`.
        seed: of the noise; the same rows get the same noise in every evaluation.

    Returns:
        `metric`, `score`, `rows`, `seed`, and `perturbations`: name -> `changed` (rows with another text), `scores`,
        `fall` (of the metric), and where the task has sufficient statistics `interval` (95%, paired bootstrap) and `p`
        (approximate randomisation).

    Raises:
        InputError: the task predicts the text itself.
    """
    predictor = evaluation.predictor
    task = predictor.task
    if not can_be_wrong(task):
        raise InputError(
            f"{task.name} predicts the text itself, which the noise changes",
            place="--perturb",
            expected="a model with gold labels: classes, pairs, scores, entities, answers",
        )
    return {
        "metric": task.best_metric,
        "score": evaluation.scores[task.best_metric],
        "rows": len(evaluation.examples),
        "seed": seed,
        "perturbations": {name: _perturbed(evaluation, name, seed) for name in names},
    }


def _perturbed(evaluation: Evaluation, name: str, seed: int) -> dict[str, Any]:
    predictor, task = evaluation.predictor, evaluation.predictor.task
    examples = [example.edited(partial(perturb, name=name, seed=seed)) for example in evaluation.examples]
    predictions = predictor.predict(examples, batch_size=evaluation.evaluation_set.batch_size)
    scores = task.score(predictions, examples, predictor.labels)
    noisy = replace(evaluation, scores=scores, predictions=predictions, examples=examples)
    metric = task.best_metric
    difference = score_differences(evaluation, noisy).get(metric, {})
    pairs = zip(evaluation.examples, examples, strict=True)
    return {
        "changed": sum(before.inputs() != after.inputs() for before, after in pairs),
        "scores": {key: value for key, value in scores.items() if isinstance(value, (int, float))},
        "fall": evaluation.scores[metric] - scores[metric],
        "interval": [-end for end in reversed(difference["interval"])] if difference else None,
        "p": difference.get("randomization_p"),
    }


def show_robustness(found: dict[str, Any]) -> None:
    """Print the fall of the metric with each kind of noise."""
    console = new_console()
    table = new_table("noise", "rows changed", found["metric"], "fall", "95% interval", "p")
    table.add_row("none", "", f"{found['score']:.4f}", "", "", "")
    for name, own in found["perturbations"].items():
        ends = own["interval"]
        table.add_row(
            escape(name),
            f"{own['changed']:,}",
            f"{own['scores'][found['metric']]:.4f}",
            f"{own['fall']:+.4f}",
            f"{ends[0]:+.4f} to {ends[1]:+.4f}" if ends else "",
            "" if own["p"] is None else f"{own['p']:.4f}",
        )
    console.print()
    console.print(table)
