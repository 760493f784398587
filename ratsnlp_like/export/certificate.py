"""Comparison of an exported model with the model it was made from, on the same examples."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..data.batches import ON_HOST
from ..data.decoding import decode_split
from ..evaluation.evaluate import EvaluationSet
from ..inference.predictor import Predictor
from ..tasks.abilities import SupportsExport
from ..tasks.base import Raw


@dataclass(frozen=True)
class Certificate:
    """Differences between an exported model and the model it was made from, on the same examples."""

    corpus: str
    """Name and split of the corpus."""
    examples: int
    """Number of examples."""
    quantize: str | None
    """Data type of the weights where they are quantized."""
    largest_difference: float
    """Largest absolute difference between raw outputs: logits; for a language model, log likelihoods of windows."""
    equal_predictions: float
    """Share of the examples with the same prediction, 0 to 1."""
    metrics: dict[str, dict[str, float]]
    """Metric -> torch and onnx -> value."""
    bytes: dict[str, int]
    """Size of the weights of torch and of the ONNX file."""

    def drop(self, metric: str, *, maximize: bool) -> float:
        """Return the loss in a metric: absolute where higher is better, else relative (perplexity)."""
        before, after = self.metrics[metric]["torch"], self.metrics[metric]["onnx"]
        return before - after if maximize else (after - before) / before

    def card(self) -> str:
        """Return a section of the model card."""
        rows = [f"| {name} | {v['torch']:.4f} | {v['onnx']:.4f} |" for name, v in self.metrics.items()]
        size = {name: f"{count / 1e6:.1f} MB" for name, count in self.bytes.items()}
        head = [
            "## Exported to ONNX" + (f", weights in {self.quantize}" if self.quantize else ""),
            "",
            f"On {self.examples:,} examples ({self.corpus}), {self.equal_predictions:.2%} of the predictions are those "
            f"of the original model; raw outputs differ by at most {self.largest_difference:.2g}.",
            "",
            "| | torch | ONNX |",
            "| --- | --- | --- |",
            f"| size | {size['torch']} | {size['onnx']} |",
        ]
        return "\n".join([*head, *rows, ""])


def certify(
    source: Predictor,
    target: Predictor,
    evaluation_set: EvaluationSet,
    *,
    quantize: str | None,
    sizes: dict[str, int],
) -> Certificate:
    """Compare the raw outputs, predictions and metrics of a model and its export.

    Args:
        source: the model of torch.
        target: the exported model.
        evaluation_set: examples for both.
        quantize: data type of the weights of `target` where they are quantized.
        sizes: torch and onnx -> bytes of the weights.
    """
    raw = {"torch": _raw_outputs(source, evaluation_set), "onnx": _raw_outputs(target, evaluation_set)}
    task, labels = source.task, source.labels
    assert isinstance(task, SupportsExport)
    predictions, metrics = {}, {}
    for name, outputs in raw.items():
        predictions[name], examples = decode_split(task, evaluation_set.split, outputs, labels, source.tokenizer)
        metrics[name] = task.score(predictions[name], examples, labels)
    equal = [task.agrees(*pair) for pair in zip(predictions["torch"], predictions["onnx"], strict=True)]
    return Certificate(
        corpus=f"{evaluation_set.corpus}, {evaluation_set.kind}",
        examples=len(equal),
        quantize=quantize,
        largest_difference=max(task.difference(one, raw["onnx"][k]) for k, one in raw["torch"].items()),
        equal_predictions=sum(equal) / len(equal),
        metrics={
            name: {runtime: metrics[runtime][name] for runtime in metrics}
            for name, value in metrics["torch"].items()
            if isinstance(value, float)
        },
        bytes=sizes,
    )


def _raw_outputs(predictor: Predictor, evaluation_set: EvaluationSet) -> dict[int, Raw]:
    """Return number of the window -> raw output."""
    raw: dict[int, Raw] = {}
    with torch.inference_mode():
        for batch in evaluation_set.loader(predictor):
            index = batch.pop("index")
            inputs = {name: value for name, value in batch.items() if name not in ON_HOST}
            raw.update(zip(index.tolist(), predictor.task.evaluate_batch(predictor.model, inputs).raw, strict=True))
    return raw
