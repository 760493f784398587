"""`ratsnlp.nlpbook.generation`: sentences that a GPT writes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..examples.generation import GenerationExample as CoreExample
from ..examples.text import TextExample
from ..registry import CORPORA, TASKS
from ..tasks.base import IGNORED, Task
from .arguments import CHECKPOINTS, NamedTrainArguments
from .dataset import BookDataset, find, read
from .deploy import DeployArguments
from .questions import Question
from .task import BookTask
from .web import WebApp

__all__ = [
    "GenerationDataset",
    "GenerationDeployArguments",
    "GenerationExample",
    "GenerationFeatures",
    "GenerationTask",
    "GenerationTrainArguments",
    "NsmcCorpus",
    "get_web_service_app",
]


@dataclass
class GenerationTrainArguments(NamedTrainArguments):
    """Training arguments of generation."""

    pretrained_model_name: str = "kogpt2"
    downstream_task_name: str | None = "sentence-generation"
    downstream_corpus_name: str | None = "nsmc"
    downstream_model_dir: str | None = f"{CHECKPOINTS}/checkpoint-generation"
    max_seq_length: int = 32
    batch_size: int = 96


@dataclass
class GenerationDeployArguments(DeployArguments):
    """Which model writes."""


@dataclass
class GenerationExample:
    """A text to learn to write."""

    text: str


@dataclass
class GenerationFeatures:
    """A window, and what is to be learnt of it: -100 else. GPT-2 has no token types: it would add them as words."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    labels: list[int] | None = None


class NsmcCorpus:
    """NSMC's reviews behind their class: `긍정 ...`, `부정 ...`; empty ones are left out."""

    def get_examples(self, data_root_path: str | Path, mode: str) -> list[GenerationExample]:
        """The reviews of train or test."""
        path = find(data_root_path, f"ratings_{mode}.txt")
        examples = read(path, TextExample, CORPORA["nsmc"].reading)  # type: ignore[attr-defined]
        kinds = {"1": "긍정", "0": "부정"}
        return [GenerationExample(f"{kinds[e.label]} {e.text.strip()}") for e in examples if e.text.strip()]


class GenerationDataset(BookDataset):
    """Features of texts, the end of each included."""

    with_labels = False

    def task_for(self, examples: Sequence[Any]) -> Task[Any, Any]:
        """See `BookDataset.task_for`."""
        return TASKS["generation"]()

    def example(self, example: Any) -> CoreExample:
        """See `BookDataset.example`."""
        return CoreExample(completion=example.text)

    def feature(self, window: dict[str, Any]) -> GenerationFeatures:
        """See `BookDataset.feature`."""
        ids, learnt = window["input_ids"], window["learn"]
        labels = [token if learn else IGNORED for token, learn in zip(ids, learnt, strict=True)]
        return GenerationFeatures(ids, [1] * len(ids), None, labels)


class GenerationTask(BookTask):
    """Learns to write."""


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """A page and POST /api: {prompt, min_length, ...} in, what `inference_fn` says out; all but the prompt optional."""
    return WebApp(inference_fn, GENERATION, is_colab=is_colab)


GENERATION = Question(
    "prompt",
    numbers={
        "min_length": 10,
        "max_length": 20,
        "top_p": 1.0,
        "top_k": 50,
        "repetition_penalty": 1.0,
        "no_repeat_ngram_size": 0,
        "temperature": 1.0,
    },
)
"""With the values that its fields have on the page."""
