"""`ratsnlp.nlpbook.qa`: the span of a text that answers a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..corpora.formats import Options
from ..errors import InputError
from ..examples.question import QuestionExample
from ..registry import TASKS
from ..tasks.base import Task
from .arguments import CHECKPOINTS, TrainArguments
from .dataset import BookDataset, find, read
from .deploy import WindowDeployArguments
from .metrics import accuracy
from .questions import Question
from .task import BookTask, rows
from .web import WebApp

__all__ = [
    "KorQuADV1Corpus",
    "QACorpus",
    "QADataset",
    "QADeployArguments",
    "QAExample",
    "QAFeatures",
    "QATask",
    "QATrainArguments",
    "get_web_service_app",
]


@dataclass
class QATrainArguments(TrainArguments):
    """Training arguments of question answering."""

    downstream_corpus_name: str | None = "korquad-v1"
    downstream_model_dir: str | None = f"{CHECKPOINTS}/checkpoint-qa"
    doc_stride: int = 64
    """Tokens that neighbouring windows of a text share; at most half a window is used."""
    max_query_length: int = 32
    """Longest question, in tokens."""
    threads: int = 4
    """Without effect: the tokenizer takes the threads it needs."""
    tqdm_enabled: bool = True
    """Without effect: encoding takes seconds."""


@dataclass
class QADeployArguments(WindowDeployArguments):
    """Which model answers."""

    max_query_length: int = 32
    """Longest question, in tokens."""


@dataclass
class QAExample:
    """A question, a text, and the answer in it with its first character; an empty answer where it has none."""

    question_text: str
    context_text: str
    answer_text: str
    start_position_character: int | None = None


@dataclass
class QAFeatures:
    """A window, and the tokens at which the answer begins and ends; 0 and 0 where it holds none."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    start_positions: int | None = None
    end_positions: int | None = None


class QACorpus:
    """What a corpus of questions has to have."""

    def get_examples(self, corpus_dir: str | Path, mode: str) -> list[QAExample]:
        """The questions of train, val or test."""
        raise NotImplementedError


class KorQuADV1Corpus(QACorpus):
    """KorQuAD 1.0: `KorQuAD_v1.0_train.json`, and `KorQuAD_v1.0_dev.json` for val."""

    train_file, val_file = "KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json"

    def get_examples(self, corpus_dir: str | Path, mode: str) -> list[QAExample]:
        """The questions of train or val, answers at the very beginning of a text included."""
        names = {"train": (self.train_file, "korquad_train.json"), "val": (self.val_file, "korquad_dev.json")}
        if mode not in names:
            raise InputError(f"{mode!r}", place="mode", expected=" or ".join(names))
        examples = read(find(corpus_dir, *names[mode]), QuestionExample, Options(format="squad"))
        return [QAExample(e.question, e.context, *answer) for e in examples for answer in e.answers or (("", None),)]


class QADataset(BookDataset):
    """Features of windows: a long text goes through several, each with its question."""

    with_labels = False

    def task_for(self, examples: Sequence[Any]) -> Task[Any, Any]:
        """See `BookDataset.task_for`; questions without an answer are told from the others, where there are some."""
        threshold = None if all(example.answer_text for example in examples) else 0.0
        own = {"doc_stride": self.args.doc_stride, "max_query_length": self.args.max_query_length}
        return TASKS["question-answering"](**own, null_threshold=threshold)  # type: ignore[call-arg]

    def example(self, example: Any) -> QuestionExample:
        """See `BookDataset.example`."""
        answer = {"text": example.answer_text, "answer_start": example.start_position_character}
        answers = [answer] if example.answer_text else []
        return QuestionExample.from_row(
            {"question": example.question_text, "context": example.context_text, "answers": answers}
        )

    def feature(self, window: dict[str, Any]) -> QAFeatures:
        """See `BookDataset.feature`."""
        ids = window["input_ids"]
        return QAFeatures(ids, [1] * len(ids), window.get("token_type_ids"), *window["labels"])


class QATask(BookTask):
    """Learns where answers begin and end."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """See `BookTask.accuracy`; the mean over beginnings and ends."""
        begin = accuracy(outputs.start_logits.argmax(dim=-1), batch["start_positions"])
        return (begin + accuracy(outputs.end_logits.argmax(dim=-1), batch["end_positions"])) / 2

    def raw(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        """See `BookTask.raw`."""
        return rows(torch.stack([outputs.start_logits, outputs.end_logits], dim=2), batch)


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """A page and POST /api: {question, context} in, what `inference_fn(question, context)` says out."""
    return WebApp(inference_fn, Question("question", "context"), is_colab=is_colab)
