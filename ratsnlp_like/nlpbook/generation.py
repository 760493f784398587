"""`ratsnlp.nlpbook.generation`: sentence generation with GPT-2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..examples.generation import GenerationExample as CoreExample
from ..examples.text import TextExample
from ..registry import CORPORA, TASKS
from ..tasks.base import IGNORED, AnyTask
from .arguments import CHECKPOINTS, NamedTrainArguments
from .dataset import BookDataset, find_file, read_examples
from .deploy import DeployArguments
from .request_fields import RequestFields
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
    """Fine-tuned language model of a deployment notebook."""


@dataclass
class GenerationExample:
    """A text to train on."""

    text: str


@dataclass
class GenerationFeatures:
    """An encoded text and its labels, -100 where no loss is computed.

    `token_type_ids` stays None: GPT-2 would add the embedding of token id 0 for each type 0.
    """

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    labels: list[int] | None = None


class NsmcCorpus:
    """NSMC movie reviews prefixed with their class (`긍정 ...`, `부정 ...`), without empty ones."""

    def get_examples(self, data_root_path: str | Path, mode: str) -> list[GenerationExample]:
        """Read the reviews of train or test."""
        path = find_file(data_root_path, f"ratings_{mode}.txt")
        examples = read_examples(path, TextExample, CORPORA["nsmc"].reading)  # type: ignore[attr-defined]
        kinds = {"1": "긍정", "0": "부정"}
        return [GenerationExample(f"{kinds[e.label]} {e.text.strip()}") for e in examples if e.text.strip()]


class GenerationDataset(BookDataset):
    """Features of texts, each ending with the end-of-text token."""

    with_labels = False

    def task_for(self, examples: Sequence[Any]) -> AnyTask:
        return TASKS["generation"]()

    def to_core_example(self, example: Any) -> CoreExample:
        return CoreExample(completion=example.text)

    def to_features(self, window: dict[str, Any]) -> GenerationFeatures:
        ids, trained = window["input_ids"], window["is_target"]
        labels = [token if train else IGNORED for token, train in zip(ids, trained, strict=True)]
        return GenerationFeatures(ids, [1] * len(ids), None, labels)


class GenerationTask(BookTask):
    """Training of a language model."""


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """Return a web application; POST /api takes {prompt, min_length, ...}, with only the prompt required."""
    return WebApp(inference_fn, GENERATION, is_colab=is_colab)


GENERATION = RequestFields(
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
"""Request fields with the defaults of the book's page."""
