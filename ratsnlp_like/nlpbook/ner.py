"""`ratsnlp.nlpbook.ner`: named entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpora.formats.book import entities_of
from ..examples.entity import Entity, EntityExample
from ..registry import TASKS
from ..tasks.base import IGNORED, Task
from .arguments import CHECKPOINTS, NamedTrainArguments
from .dataset import BookDataset
from .deploy import DeployArguments
from .metrics import accuracy
from .ner_corpus import (
    LABEL_MAP,
    NER_CLS_TOKEN,
    NER_MASK_TOKEN,
    NER_PAD_ID,
    NER_PAD_TOKEN,
    NER_SEP_TOKEN,
    NERCorpus,
    NERExample,
    read_labels,
    types_of,
)
from .questions import Question
from .task import BookTask, rows
from .web import WebApp

__all__ = [
    "NER_CLS_TOKEN",
    "NER_MASK_TOKEN",
    "NER_PAD_ID",
    "NER_PAD_TOKEN",
    "NER_SEP_TOKEN",
    "NERCorpus",
    "NERDataset",
    "NERDeployArguments",
    "NERExample",
    "NERFeatures",
    "NERTask",
    "NERTrainArguments",
    "get_web_service_app",
]


@dataclass
class NERTrainArguments(NamedTrainArguments):
    """Training arguments of NER."""

    downstream_task_name: str | None = "named-entity-recognition"
    downstream_corpus_name: str | None = "ner"
    downstream_model_dir: str | None = f"{CHECKPOINTS}/checkpoint-ner"


@dataclass
class NERDeployArguments(DeployArguments):
    """Which NER model is asked."""

    downstream_model_labelmap_fpath: str | None = None
    """Its label map; beside the checkpoint by default."""
    max_seq_length: int = 128
    """Longest window, in tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.downstream_model_labelmap_fpath is None:
            beside = Path(str(self.downstream_model_checkpoint_fpath)).parent
            folder = Path(self.downstream_model_dir).expanduser() if self.downstream_model_dir else beside
            self.downstream_model_labelmap_fpath = str(folder / LABEL_MAP)
        read_labels(Path(self.downstream_model_labelmap_fpath))
        print(f"downstream_model_labelmap_fpath: {self.downstream_model_labelmap_fpath}")  # noqa: T201 (as the book)


@dataclass
class NERFeatures:
    """A window, and the number of each token's class; -100 for tokens that show nothing."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label_ids: list[int] | None = None


class NERDataset(BookDataset):
    """Features of sentences; a long one goes on in further windows."""

    def task_for(self, examples: Sequence[Any]) -> Task[Any, Any]:
        """See `BookDataset.task_for`."""
        return TASKS["ner"](tags=tuple(self.labels))  # type: ignore[call-arg]

    def names(self) -> list[str]:
        """The types of entities."""
        return types_of(self.labels)

    def example(self, example: Any) -> EntityExample:
        """See `BookDataset.example`."""
        marked = example.text if example.label is None else example.label.rstrip("\r\n")
        entities = (Entity(int(start), int(end), str(tag)) for start, end, tag in entities_of(example.text, marked))
        return EntityExample(example.text, tuple(entities))

    def feature(self, window: dict[str, Any]) -> NERFeatures:
        """See `BookDataset.feature`."""
        ids = window["input_ids"]
        return NERFeatures(ids, [1] * len(ids), window.get("token_type_ids"), window["labels"])


class NERTask(BookTask):
    """Learns classes of tokens; padding and special tokens count neither in the loss nor in the accuracy."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """See `BookTask.accuracy`."""
        return accuracy(outputs.logits.argmax(dim=-1), batch["labels"], ignore_index=IGNORED)

    def raw(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        """See `BookTask.raw`."""
        return rows(outputs.logits, batch)


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """A page and POST /api: a JSON string in, what `inference_fn(sentence)` says out."""
    return WebApp(inference_fn, Question("sentence"), is_colab=is_colab)
