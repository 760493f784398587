"""The model card, README.md of a model folder, with the metadata that the Hugging Face hub reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..checkpoints.base import bundled, find
from ..checkpoints.revisions import split_revision
from ..tasks.base import AnyTask
from ..tasks.language_model import LanguageModel
from .task_file import TaskFile, read_metrics, read_task_file

_PIPELINES = {
    "AutoModelForSequenceClassification": "text-classification",
    "AutoModelForTokenClassification": "token-classification",
    "AutoModelForQuestionAnswering": "question-answering",
    "AutoModelForMaskedLM": "fill-mask",
    "AutoModelForCausalLM": "text-generation",
}
"""Auto class of a model -> the hub's pipeline_tag."""
_LICENSES = frozenset({"mit", "apache-2.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-sa-4.0"})
"""Identifiers of the hub that can follow from the description of a checkpoint."""
_TABLE_ROWS = 50
HUB_ID = re.compile(r"[\w-]+/[\w.-]+", re.ASCII)
"""`owner/name`."""


@dataclass(frozen=True)
class ModelCard:
    """Facts about a saved model, and their text."""

    task: AnyTask
    labels: list[str]
    max_length: int
    about: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    adapter: bool = False
    """A LoRA adapter, which needs its checkpoint."""
    onnx: bool = False
    name: str = "THIS_FOLDER"
    """What `from_pretrained` loads: a folder, or a repository of the hub."""
    license: str | None = None
    """As the hub names it; by default that of the checkpoint, where it is known."""

    @classmethod
    def of_folder(cls, folder: Path, *, name: str, license: str | None = None) -> ModelCard:
        """Return the card of a model folder, without loading the model.

        Raises:
            InputError: task.json is damaged.
        """
        saved: TaskFile = read_task_file(folder)
        return cls(
            saved.task,
            saved.labels,
            saved.max_length,
            saved.about,
            read_metrics(folder),
            adapter=(folder / "adapter_config.json").exists(),
            onnx=(folder / "model.onnx").exists(),
            name=name,
            license=license,
        )

    @property
    def checkpoint(self) -> str:
        """The checkpoint: a hub id, a bundled name, or the last part of a path."""
        name = self._base
        return name if is_hub_id(name) else Path(name).name

    @property
    def _base(self) -> str:
        return split_revision(str(self.about.get("checkpoint", "")))[0]

    @property
    def corpus(self) -> str:
        """The corpus: a name, a hub id, or the name of a file."""
        name = str(self.about.get("corpus", "a corpus"))
        return name if is_hub_id(name) else Path(name).name

    def metadata(self) -> dict[str, Any]:
        """Return the metadata of the card (https://huggingface.co/docs/hub/model-cards), without unknown entries."""
        base = self._base
        pipeline = _PIPELINES.get(self.task.model_class().__name__)
        found = {
            "language": "ko",
            "license": self.license or license_of(base),
            "library_name": "onnxruntime" if self.onnx else "peft" if self.adapter else "transformers",
            "pipeline_tag": pipeline,
            "base_model": base if is_hub_id(base) else None,
            "tags": ["ratsnlp_like", self.task.name],
            "model-index": self._results(pipeline or self.task.name),
        }
        return {name: value for name, value in found.items() if value}

    def _results(self, kind: str) -> list[dict[str, Any]]:
        results = [
            {
                "task": {"type": kind},
                "dataset": {"name": self.corpus, "type": _slug(self.corpus), "split": split},
                "metrics": [
                    {"type": name, "value": round(value, 4), "name": name}
                    for name, value in _scores(values).items()
                    if name != "loss"
                ],
            }
            for split, values in self.metrics.items()
        ]
        name = self.name.rpartition("/")[2] if is_hub_id(self.name) else f"{self.checkpoint}-{self.task.name}"
        return [{"name": name, "results": results}] if any(result["metrics"] for result in results) else []

    def __str__(self) -> str:
        metadata = yaml.safe_dump(self.metadata(), allow_unicode=True, sort_keys=False)
        lines = [
            f"---\n{metadata}---",
            f"# {self.task.name}: {self.checkpoint or 'a model'} fine-tuned on {self.corpus}",
            "",
            f"Labels: {', '.join(self.labels) or 'none'}. Longest input: {self.max_length} tokens.",
            f"Normalization: {', '.join(self.task.normalization) or 'none'}.",
            *(["A LoRA adapter: the checkpoint is loaded with it."] if self.adapter else []),
            *self.task.notes(),
            "",
            *self._usage(),
        ]
        for split, values in self.metrics.items():
            lines += [f"## {split}", "", *_score_table(values), "", *_tables(values)]
        lines += [*self._training(), *self._limits()]
        return "\n".join(lines)

    def _usage(self) -> list[str]:
        example = ", ".join(f'"{text}"' for text in self.task.example_input)
        return [
            "```python",
            "from ratsnlp_like import Predictor",
            "",
            f'predictor = Predictor.from_pretrained("{self.name}")',
            f"predictor([{example}])" if len(self.task.example_input) == 1 else f"predictor([({example})])",
            "```",
            "",
        ]

    def _training(self) -> list[str]:
        settings = self.about.get("training")
        if not isinstance(settings, dict) or not settings:
            return []
        rows = [f"| {name.replace('_', ' ')} | {value} |" for name, value in settings.items()]
        return ["## Training", "", "| setting | value |", "| --- | --- |", *rows, ""]

    def _limits(self) -> list[str]:
        """Return what the model was not trained or tested for, as far as it follows from the facts."""
        lines = [f"- Trained on {self.corpus} alone: other domains and registers were not tested."]
        if self.max_length:
            lines.append(f"- Texts of more than {self.max_length} tokens are cut, or read in windows.")
        if "test" not in self.metrics and self.metrics:
            lines.append(
                "- Scores are those of the validation split, on which the model was chosen: they are optimistic."
            )
        if self.labels:
            lines.append("- It knows no other labels: an input that fits none of them gets one nevertheless.")
        if isinstance(self.task, LanguageModel):
            lines.append("- Generated and filled-in text repeats the biases and errors of the training text.")
        return ["## Limits", "", *lines, ""]


def is_hub_id(name: str) -> bool:
    """Return True for `owner/name`, unless it is a path that exists."""
    return HUB_ID.fullmatch(name) is not None and not Path(name).exists()


def license_of(checkpoint: str) -> str | None:
    """Return the licence of a checkpoint as the hub names it, where the package or the checkpoint's card states it."""
    if checkpoint in bundled():
        return "mit"
    card = Path(checkpoint) / "README.md"
    if card.is_file():
        stated = re.search(r"^license: *([\w.-]+) *$", card.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        return stated[1] if stated else None
    entry = find(checkpoint) if checkpoint else None
    named = map(_slug, re.split("[,;]", entry.description)) if entry else ()
    return next((name for name in named if name in _LICENSES), None)


def _slug(text: str) -> str:
    return re.sub(r"[^\w.]+", "-", text.lower()).strip("-")


def _scores(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in values.items() if isinstance(value, float)}


def _score_table(values: Mapping[str, Any]) -> list[str]:
    """Return a table of scores, with their confidence intervals where there are some."""
    scores, intervals = _scores(values), values.get("intervals", {})
    if not intervals:
        return ["| metric | value |", "| --- | --- |", *(f"| {name} | {value:.4f} |" for name, value in scores.items())]
    about = values["interval_settings"]
    lines = ["| metric | value | 95% interval |", "| --- | --- | --- |"]
    for name, value in scores.items():
        low_high = " to ".join(f"{bound:.4f}" for bound in intervals.get(name, ()))
        lines.append(f"| {name} | {value:.4f} | {low_high} |")
    return [*lines, "", f"Intervals: percentile bootstrap over {about['units']:,} {about['unit']}."]


def _tables(values: Mapping[str, Any]) -> Iterable[str]:
    """Yield the tables with a row for each class or type."""
    for name, rows in values.items():
        if not (name.startswith("per_") and isinstance(rows, dict) and all(isinstance(r, dict) for r in rows.values())):
            continue
        columns = list(dict.fromkeys(column for row in rows.values() for column in row))
        yield f"| {name.removeprefix('per_')} | {' | '.join(columns)} |"
        yield "| --- " * (len(columns) + 1) + "|"
        for label, row in list(rows.items())[:_TABLE_ROWS]:
            cells = (row.get(column, "") for column in columns)
            text = " | ".join(f"{cell:.4f}" if isinstance(cell, float) else str(cell) for cell in cells)
            yield f"| {label.replace('|', chr(92) + '|')} | {text} |"
        yield ""
