"""`ratsnlp.nlpbook.classification`: a class for a document, or for a pair of sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..examples.base import Example
from ..examples.pair import PairExample
from ..examples.text import TextExample
from ..registry import CORPORA, TASKS
from ..tasks.base import Task
from .arguments import NamedTrainArguments
from .dataset import BookDataset, find, read
from .deploy import WindowDeployArguments
from .metrics import accuracy
from .questions import Question
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
    """Training arguments of classification, of documents and of pairs."""

    downstream_task_name: str | None = "document-classification"


@dataclass
class ClassificationDeployArguments(WindowDeployArguments):
    """Which classifier is asked."""


@dataclass
class ClassificationExample:
    """A text or two, and the class."""

    text_a: str
    text_b: str | None = None
    label: str | None = None


@dataclass
class ClassificationFeatures:
    """A window, and the number of its class."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label: int | None = None


class NsmcCorpus:
    """NSMC's reviews: `ratings_train.txt`, `ratings_test.txt`."""

    def get_examples(self, data_root_path: str | Path, mode: str) -> list[ClassificationExample]:
        """The reviews of train or test."""
        path = find(data_root_path, f"ratings_{mode}.txt")
        examples = read(path, TextExample, CORPORA["nsmc"].reading)  # type: ignore[attr-defined]
        return [ClassificationExample(text_a=example.text, label=example.label) for example in examples]

    def get_labels(self) -> list[str]:
        """Negative is 0, positive 1."""
        return ["0", "1"]

    @property
    def num_labels(self) -> int:
        """How many."""
        return len(self.get_labels())


class ClassificationDataset(BookDataset):
    """Features of texts, or of pairs where the examples have a `text_b`."""

    def task_for(self, examples: Sequence[Any]) -> Task[Any, Any]:
        """See `BookDataset.task_for`."""
        return TASKS["classification" if examples[0].text_b is None else "pair"]()

    def example(self, example: Any) -> Example:
        """See `BookDataset.example`."""
        label = None if example.label is None else str(example.label)
        if example.text_b is None:
            return TextExample(example.text_a, label)
        return PairExample(example.text_a, example.text_b, label)

    def feature(self, window: dict[str, Any]) -> ClassificationFeatures:
        """See `BookDataset.feature`."""
        ids = window["input_ids"]
        return ClassificationFeatures(ids, [1] * len(ids), window.get("token_type_ids"), window["labels"])


class ClassificationTask(BookTask):
    """Learns classes."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """See `BookTask.accuracy`."""
        return accuracy(outputs.logits.argmax(dim=-1), batch["labels"])

    def raw(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        """See `BookTask.raw`."""
        return list(outputs.logits.float().cpu().numpy())


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """A page and POST /api: a JSON string in, what `inference_fn(sentence)` says out."""
    return WebApp(inference_fn, Question("sentence"), is_colab=is_colab)
