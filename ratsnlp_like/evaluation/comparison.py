"""Comparison of saved models on the same rows of one corpus."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ..corpora.base import Corpus
from ..errors import InputError
from ..inference.model_folder import find_model
from ..inference.task_file import read_task_file
from ..metrics.significance import holm, mcnemar
from ..tasks.abilities import SupportsExport, SupportsOracle
from .differences import score_differences
from .evaluate import Evaluation

_CHANGED = 1000
"""Largest number of changed rows that are listed."""


def compare(
    folders: Sequence[str | Path],
    *,
    corpus: str | Path | Corpus | None = None,
    split: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Evaluate models on the same rows and test whether their scores differ.

    Args:
        folders: two or more run folders or model folders of one task.
        corpus: registered name, file, hub id, or `Corpus`; by default the corpus that all were trained on.
        split: split of the corpus; see `evaluate`.
        options: those of `evaluate`.

    Returns:
        `task`, `corpus`, `split`, `rows`, `best_metric`;
        `runs`: a list of `run`, `checkpoint`, `scores`, `intervals` and `interval_settings`;
        `pairs`: for each two runs `first` and `second` (positions in `runs`), `metrics` (metric -> `difference`, second
        minus first, `interval`, `bootstrap_p`, `randomization_p`), `mcnemar` for tasks with one class per example, and
        `changes` (numbers of rows: `changed`, `fixed`, `broken`). Each p-value also has a `*_holm`, adjusted for the
        number of pairs;
        `changed`: up to 1,000 rows on which the runs disagree, first those of which some are right: `row`, `place`, the
        input, `gold`, `correct` and `predictions`.

    Raises:
        InputError: fewer than two runs, runs of different tasks or labels, or no common corpus.
    """
    if len(folders) < 2:
        raise InputError(f"{len(folders)} run", expected="at least two", fix="ratsnlp-like compare RUN RUN ...")
    corpus = _common_corpus(folders, corpus)
    evaluations = [Evaluation.of(folder, corpus=corpus, split=split, **options) for folder in folders]
    first = evaluations[0]
    for folder, other in zip(folders, evaluations, strict=True):
        if [e.inputs() for e in other.examples] != [e.inputs() for e in first.examples]:
            raise InputError("was evaluated on other rows", place=folder, fix="--corpus FILE, for all runs")
    correct = [_correct(evaluation) for evaluation in evaluations]
    pairs: list[dict[str, Any]] = []
    for i, k in combinations(range(len(folders)), 2):
        metrics = score_differences(evaluations[i], evaluations[k])
        changes = _changes(evaluations[i], evaluations[k], correct[i], correct[k])
        pairs.append({"first": i, "second": k, "metrics": metrics, **changes})
    _adjust(pairs)
    return {
        "task": first.predictor.task.name,
        "corpus": first.evaluation_set.corpus,
        "split": first.evaluation_set.kind,
        "rows": len(first.examples),
        "best_metric": first.predictor.task.best_metric,
        "runs": [_run(folder, evaluation) for folder, evaluation in zip(folders, evaluations, strict=True)],
        "pairs": pairs,
        "changed": _changed_rows(evaluations, correct),
    }


def _common_corpus(folders: Sequence[str | Path], corpus: str | Path | Corpus | None) -> str | Path | Corpus:
    """Return the corpus to evaluate on.

    Raises:
        InputError: the runs have different tasks or labels, or no corpus in common.
    """
    described = [read_task_file(find_model(folder)) for folder in folders]
    facts = {"tasks": [own.task.name for own in described], "labels": [str(own.labels) for own in described]}
    for plural, own in facts.items():
        values = {value: str(folder) for folder, value in zip(folders, own, strict=True)}
        if len(values) > 1:
            listed = "; ".join(f"{folder}: {value}" for value, folder in values.items())
            raise InputError(f"the runs have different {plural} ({listed})", expected=f"runs with the same {plural}")
    if corpus is not None:
        return corpus
    trained = sorted({str(own.about.get("corpus")) for own in described})
    if len(trained) > 1:
        raise InputError(f"the runs were trained on different corpora: {', '.join(trained)}", fix="--corpus NAME")
    return trained[0]


def _run(folder: str | Path, evaluation: Evaluation) -> dict[str, Any]:
    scores = evaluation.scores
    return {
        "run": str(folder),
        "checkpoint": evaluation.predictor.about.get("checkpoint"),
        "scores": {name: value for name, value in scores.items() if isinstance(value, (int, float))},
        "intervals": scores.get("intervals", {}),
        "interval_settings": scores.get("interval_settings", {}),
    }


def _correct(evaluation: Evaluation) -> list[bool] | None:
    """Return which predictions agree with the gold labels; None for a task where that is undefined."""
    task = evaluation.predictor.task
    if not isinstance(task, SupportsOracle) or not isinstance(task, SupportsExport):
        return None
    pairs = zip(evaluation.predictions, evaluation.examples, strict=True)
    return [task.agrees(prediction, task.gold_prediction(example)) for prediction, example in pairs]


def _changes(
    first: Evaluation, second: Evaluation, before: list[bool] | None, after: list[bool] | None
) -> dict[str, Any]:
    """Return how many rows changed, and McNemar's test where each example has one class."""
    task = first.predictor.task
    if before is None or after is None or not isinstance(task, SupportsExport):
        return {}
    differ = [not task.agrees(a, b) for a, b in zip(first.predictions, second.predictions, strict=True)]
    test = mcnemar(before, after)
    out: dict[str, Any] = {
        "changes": {"changed": sum(differ), "fixed": test["second_only"], "broken": test["first_only"]}
    }
    if all(isinstance(getattr(p, "label", None), str) for p in (*first.predictions, *second.predictions)):
        out["mcnemar"] = test
    return out


def _adjust(pairs: Sequence[dict[str, Any]]) -> None:
    """Add the p-values adjusted for the number of pairs, for each metric and test."""
    groups: list[tuple[str, list[dict[str, Any]]]] = [
        (p, [pair["metrics"][name] for pair in pairs if name in pair["metrics"]])
        for name in dict.fromkeys(name for pair in pairs for name in pair["metrics"])
        for p in ("bootstrap_p", "randomization_p")
    ]
    groups.append(("p", [pair["mcnemar"] for pair in pairs if "mcnemar" in pair]))
    for p, rows in groups:
        tested = [row for row in rows if row[p] is not None]
        for row, adjusted in zip(tested, holm([row[p] for row in tested]), strict=True):
            row[f"{p}_holm"] = adjusted


def _changed_rows(evaluations: Sequence[Evaluation], correct: Sequence[list[bool] | None]) -> list[dict[str, Any]]:
    """Return the rows on which the runs disagree."""
    task = evaluations[0].predictor.task
    if not isinstance(task, SupportsExport) or not isinstance(task, SupportsOracle):
        return []
    rows = []
    for k, example in enumerate(evaluations[0].examples):
        predictions = [evaluation.predictions[k] for evaluation in evaluations]
        if all(task.agrees(predictions[0], other) for other in predictions[1:]):
            continue
        rows.append((k, example, predictions, [own[k] for own in correct if own is not None]))
    rows.sort(key=lambda row: len(set(row[3])) < 2)
    return [
        {
            "row": k,
            "place": str(example.place) if example.place else None,
            **example.inputs(),
            "gold": task.to_row(task.gold_prediction(example)),
            "correct": right,
            "predictions": [task.to_row(prediction) for prediction in predictions],
        }
        for k, example, predictions, right in rows[:_CHANGED]
    ]
