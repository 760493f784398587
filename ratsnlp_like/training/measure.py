"""Measure a saved model on a split, the same way after training and in `evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from ..data.batches import Batches, Loader
from ..data.decoding import decode_split
from ..data.encoding import EncodedSplit
from ..inference.predictor import Predictor
from ..metrics.base import Metric
from ..metrics.bootstrap import confidence_intervals
from ..runtime.threads import adapted_threads
from ..tasks.abilities import SupportsGenerationMetrics
from ..tasks.base import Raw
from .scoring import mean_loss, metrics_by_name, score, task_inputs


@dataclass(frozen=True)
class Measurement:
    """Metrics of a model on a split, with the predictions that they were computed from."""

    scores: dict[str, Any]
    predictions: list[Any]
    """One for each example."""
    examples: list[Any]
    """With gold labels."""


def measure(
    predictor: Predictor,
    split: EncodedSplit,
    *,
    batch_size: int,
    metrics: Iterable[str | Metric] = (),
    progress: bool = False,
    fixed_threads: bool = False,
) -> Measurement:
    """Evaluate a model in the precision of its weights, on its own device, in this process.

    Args:
        predictor: the model and its task.
        split: examples encoded for it.
        batch_size: windows per batch.
        metrics: functions or names of registered metrics, reported next to those of the task.
        progress: show a progress bar in a terminal.
        fixed_threads: keep the number of threads, which otherwise follows the load of a CPU.
    """
    task, model = predictor.task, predictor.model.eval()
    loader = Loader(split, predictor.tokenizer, Batches(split.unit_lengths, batch_size, shuffle=False))
    raw: dict[int, Raw] = {}
    losses: dict[int, tuple[float, float]] = {}
    adapted = nullcontext(lambda: None) if fixed_threads else adapted_threads(model.device, work="evaluation")
    with torch.inference_mode(), _full_precision(), adapted as adapt:
        for batch in _with_progress(loader, shown=progress):
            output = task.evaluate_batch(model, _to_device(task_inputs(batch, model), model.device))
            raw.update(zip(batch["index"].tolist(), output.raw, strict=True))
            losses[int(batch["index"][0])] = float(output.loss), output.targets
            adapt()
    predictions, examples = decode_split(task, split, raw, predictor.labels, predictor.tokenizer)
    named = metrics_by_name(metrics)
    scores = score(task, predictions, examples, predictor.labels, named)
    scores["loss"] = mean_loss(losses)
    scores |= confidence_intervals(
        task,
        scores,
        predictions,
        examples,
        predictor.labels,
        rescore=lambda own, gold: score(task, own, gold, predictor.labels, named),
    )
    if isinstance(task, SupportsGenerationMetrics):
        generated = task.score_generation(predictor.predict, split.examples())
        intervals = {**scores.get("intervals", {}), **generated.pop("intervals", {})}
        scores |= generated | ({"intervals": intervals} if intervals else {})
    return Measurement(scores, predictions, examples)


def _to_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    return {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in batch.items()}


def _with_progress(loader: Loader, *, shown: bool) -> Iterable[dict[str, Any]]:
    if not (shown and sys.stderr.isatty()):
        return loader
    from rich.console import Console
    from rich.progress import track

    return track(loader, "evaluation", total=len(loader), console=Console(stderr=True))


@contextmanager
def _full_precision() -> Iterator[None]:
    """Multiply matrices in fp32 and not in TF32, which training allows itself."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
