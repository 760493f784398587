"""`ratsnlp.nlpbook.ner`: named entity recognition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpora.formats.book import entities_of
from ..examples.entity import Entity, EntityExample
from ..registry import TASKS
from ..tasks.base import IGNORED, AnyTask
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
from .request_fields import RequestFields
from .task import BookTask, unpadded_rows
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
    """Fine-tuned NER model of a deployment notebook."""

    downstream_model_labelmap_fpath: str | None = None
    """Label map; default: in the folder of the checkpoint."""
    max_seq_length: int = 128
    """Maximum length of an input, in tokens."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.downstream_model_labelmap_fpath is None:
            checkpoint = Path(str(self.downstream_model_checkpoint_fpath))
            folder = Path(self.downstream_model_dir).expanduser() if self.downstream_model_dir else checkpoint.parent
            self.downstream_model_labelmap_fpath = str(folder / LABEL_MAP)
        read_labels(Path(self.downstream_model_labelmap_fpath))
        print(f"downstream_model_labelmap_fpath: {self.downstream_model_labelmap_fpath}")  # noqa: T201 (as the book)


@dataclass
class NERFeatures:
    """An encoded sentence and the label index of each token; -100 for special tokens and hidden context."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    label_ids: list[int] | None = None


class NERDataset(BookDataset):
    """Features of sentences; a long sentence is split into several windows."""

    def task_for(self, examples: Sequence[Any]) -> AnyTask:
        return TASKS["ner"](tags=tuple(self.labels), spans="tokens")  # type: ignore[call-arg]

    def core_labels(self) -> list[str]:
        """Return the entity types."""
        return types_of(self.labels)

    def to_core_example(self, example: Any) -> EntityExample:
        marked = example.text if example.label is None else example.label.rstrip("\r\n")
        entities = (Entity(int(start), int(end), str(tag)) for start, end, tag in entities_of(example.text, marked))
        return EntityExample(example.text, tuple(entities))

    def to_features(self, window: dict[str, Any]) -> NERFeatures:
        ids = window["input_ids"]
        return NERFeatures(ids, [1] * len(ids), window.get("token_type_ids"), window["labels"])


class NERTask(BookTask):
    """Training of a token classifier; padding and special tokens are excluded from loss and accuracy."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        return accuracy(outputs.logits.argmax(dim=-1), batch["labels"], ignore_index=IGNORED)

    def raw_outputs(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        return unpadded_rows(outputs.logits, batch)


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """Return a web application; POST /api takes a JSON string and returns `inference_fn(sentence)`."""
    return WebApp(inference_fn, RequestFields("sentence"), is_colab=is_colab)
