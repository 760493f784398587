"""`ratsnlp.nlpbook.classification`: classification of documents and of sentence pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..examples.base import Example
from ..examples.pair import PairExample
from ..examples.text import TextExample
from ..registry import CORPORA, TASKS
from ..tasks.base import AnyTask
from .arguments import NamedTrainArguments
from .dataset import BookDataset, find_file, read_examples
from .deploy import WindowDeployArguments
from .metrics import accuracy
from .request_fields import RequestFields
from .task import BookTask
from .web import WebApp

__all__ = [
    "ClassificationDataset",
    "ClassificationDeployArguments",
    "ClassificationExample",
    "ClassificationFeatures",
    "ClassificationTask",
    "ClassificationTrainArguments",
    "NsmcCorpus",
    "get_web_service_app",
]


@dataclass
class ClassificationTrainArguments(NamedTrainArguments):
    """Training arguments of document and sentence pair classification."""

    downstream_task_name: str | None = "document-classification"


@dataclass
class ClassificationDeployArguments(WindowDeployArguments):
    """Fine-tuned classifier of a deployment notebook."""


@dataclass
class ClassificationExample:
    """One or two texts and their label."""

    text_a: str
    text_b: str | None = None
    label: str | None = None


@dataclass
class ClassificationFeatures:
    """An encoded input and the index of its label."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label: int | None = None


class NsmcCorpus:
    """NSMC movie reviews: `ratings_train.txt`, `ratings_test.txt`."""

    def get_examples(self, data_root_path: str | Path, mode: str) -> list[ClassificationExample]:
        """Read the reviews of train or test."""
        path = find_file(data_root_path, f"ratings_{mode}.txt")
        examples = read_examples(path, TextExample, CORPORA["nsmc"].reading)  # type: ignore[attr-defined]
        return [ClassificationExample(text_a=example.text, label=example.label) for example in examples]

    def get_labels(self) -> list[str]:
        """Return the labels: 0 is negative, 1 is positive."""
        return ["0", "1"]

    @property
    def num_labels(self) -> int:
        """Number of labels."""
        return len(self.get_labels())


class ClassificationDataset(BookDataset):
    """Features of texts, or of text pairs if the examples have a `text_b`."""

    def task_for(self, examples: Sequence[Any]) -> AnyTask:
        return TASKS["classification" if examples[0].text_b is None else "pair"]()

    def to_core_example(self, example: Any) -> Example:
        label = None if example.label is None else str(example.label)
        if example.text_b is None:
            return TextExample(example.text_a, label)
        return PairExample(example.text_a, example.text_b, label)

    def to_features(self, window: dict[str, Any]) -> ClassificationFeatures:
        ids = window["input_ids"]
        return ClassificationFeatures(ids, [1] * len(ids), window.get("token_type_ids"), window["labels"])


class ClassificationTask(BookTask):
    """Training of a classifier."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        return accuracy(outputs.logits.argmax(dim=-1), batch["labels"])

    def raw_outputs(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        return list(outputs.logits.float().cpu().numpy())


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """Return a web application; POST /api takes a JSON string and returns `inference_fn(sentence)`."""
    return WebApp(inference_fn, RequestFields("sentence"), is_colab=is_colab)
