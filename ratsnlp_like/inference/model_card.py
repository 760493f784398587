"""The model card, README.md of a model folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..checkpoints import adapters as lora
from .onnx import OnnxModel

if TYPE_CHECKING:
    from .predictor import Predictor


def model_card(predictor: Predictor) -> str:
    """Return the model card: task, checkpoint, corpus, labels, metrics, and how to use the model."""
    about, task = predictor.about, predictor.task
    lines = [
        "---",
        "language: ko",
        f"library_name: {'onnxruntime' if isinstance(predictor.model, OnnxModel) else 'transformers'}",
        f"tags: [ratsnlp_like, {task.name}]",
        "---",
        f"# {task.name}: {about.get('checkpoint', 'a model')} fine-tuned on {about.get('corpus', 'a corpus')}",
        "",
        f"Labels: {', '.join(predictor.labels) or 'none'}. Longest input: {predictor.max_length} tokens.",
        f"Normalization: {', '.join(task.normalization) or 'none'}.",
        *(["A LoRA adapter: the checkpoint is loaded with it."] if lora.has_adapter(predictor.model) else []),
        *task.notes(),
        "",
    ]
    for split, values in predictor.metrics.items():
        lines += [f"## {split}", "", *_metrics(values), ""]
    example = ", ".join(f'"{text}"' for text in task.example_input)
    lines += [
        "```python",
        "from ratsnlp_like import Predictor",
        "",
        'predictor = Predictor.from_pretrained("THIS_FOLDER")',
        f"predictor([{example}])" if len(task.example_input) == 1 else f"predictor([({example})])",
        "```",
        "",
    ]
    return "\n".join(lines)


def _metrics(values: Mapping[str, Any]) -> list[str]:
    """Return a table of scores, with their confidence intervals where there are some."""
    scores = {name: value for name, value in values.items() if isinstance(value, float)}
    intervals = values.get("intervals", {})
    if not intervals:
        return ["| metric | value |", "| --- | --- |", *(f"| {name} | {value:.4f} |" for name, value in scores.items())]
    about = values["interval_settings"]
    lines = ["| metric | value | 95% interval |", "| --- | --- | --- |"]
    for name, value in scores.items():
        low_high = " to ".join(f"{bound:.4f}" for bound in intervals.get(name, ()))
        lines.append(f"| {name} | {value:.4f} | {low_high} |")
    return [*lines, "", f"Intervals: percentile bootstrap over {about['units']:,} {about['unit']}."]
