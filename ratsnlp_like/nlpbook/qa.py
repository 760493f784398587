"""`ratsnlp.nlpbook.qa`: extractive question answering."""

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
from ..tasks.base import AnyTask
from .arguments import CHECKPOINTS, TrainArguments
from .dataset import BookDataset, find_file, read_examples
from .deploy import WindowDeployArguments
from .metrics import accuracy
from .request_fields import RequestFields
from .task import BookTask, unpadded_rows
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
    """Number of tokens shared by neighbouring windows; limited to half a window."""
    max_query_length: int = 32
    """Maximum length of a question, in tokens."""
    threads: int = 4
    """No effect: the tokenizer chooses its number of threads."""
    tqdm_enabled: bool = True
    """No effect: encoding shows no progress bar."""


@dataclass
class QADeployArguments(WindowDeployArguments):
    """Fine-tuned question answering model of a deployment notebook."""

    max_query_length: int = 32
    """Maximum length of a question, in tokens."""


@dataclass
class QAExample:
    """A question, a context, the answer and its first character; the answer is empty if there is none."""

    question_text: str
    context_text: str
    answer_text: str
    start_position_character: int | None = None


@dataclass
class QAFeatures:
    """An encoded window and the first and last token of the answer; both 0 if the window has none."""

    input_ids: list[int]
    attention_mask: list[int] | None = None
    token_type_ids: list[int] | None = None
    start_positions: int | None = None
    end_positions: int | None = None


class QACorpus:
    """Base class of question answering corpora."""

    def get_examples(self, corpus_dir: str | Path, mode: str) -> list[QAExample]:
        """Read the questions of train, val or test."""
        raise NotImplementedError


class KorQuADV1Corpus(QACorpus):
    """KorQuAD 1.0: `KorQuAD_v1.0_train.json`, and `KorQuAD_v1.0_dev.json` for val."""

    train_file, val_file = "KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json"

    def get_examples(self, corpus_dir: str | Path, mode: str) -> list[QAExample]:
        """Read the questions of train or val, including answers that start at character 0."""
        names = {"train": (self.train_file, "korquad_train.json"), "val": (self.val_file, "korquad_dev.json")}
        if mode not in names:
            raise InputError(f"{mode!r}", place="mode", expected=" or ".join(names))
        examples = read_examples(find_file(corpus_dir, *names[mode]), QuestionExample, Options(format="squad"))
        return [QAExample(e.question, e.context, *answer) for e in examples for answer in e.answers or (("", None),)]


class QADataset(BookDataset):
    """Features of windows; a long context is split into several, each with the question."""

    with_labels = False

    def task_for(self, examples: Sequence[Any]) -> AnyTask:
        """Return the task; it predicts "no answer" only if there are questions without one."""
        threshold = None if all(example.answer_text for example in examples) else 0.0
        own = {"doc_stride": self.args.doc_stride, "max_query_length": self.args.max_query_length}
        return TASKS["question-answering"](**own, null_threshold=threshold, spans="tokens")  # type: ignore[call-arg]

    def to_core_example(self, example: Any) -> QuestionExample:
        answer = {"text": example.answer_text, "answer_start": example.start_position_character}
        answers = [answer] if example.answer_text else []
        return QuestionExample.from_row(
            {"question": example.question_text, "context": example.context_text, "answers": answers}
        )

    def to_features(self, window: dict[str, Any]) -> QAFeatures:
        ids = window["input_ids"]
        return QAFeatures(ids, [1] * len(ids), window.get("token_type_ids"), *window["labels"])


class QATask(BookTask):
    """Training of a question answering model."""

    def accuracy(self, outputs: Any, batch: Mapping[str, Any]) -> Any:
        """Return the mean accuracy of start and end positions."""
        start = accuracy(outputs.start_logits.argmax(dim=-1), batch["start_positions"])
        return (start + accuracy(outputs.end_logits.argmax(dim=-1), batch["end_positions"])) / 2

    def raw_outputs(self, outputs: Any, batch: Mapping[str, Any]) -> list[Any]:
        return unpadded_rows(torch.stack([outputs.start_logits, outputs.end_logits], dim=2), batch)


def get_web_service_app(inference_fn: Any, is_colab: bool = True) -> WebApp:
    """Return a web application; POST /api takes {question, context} and returns the result of `inference_fn`."""
    return WebApp(inference_fn, RequestFields("question", "context"), is_colab=is_colab)
