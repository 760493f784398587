"""Fine-tuning of pretrained Korean language models: from a file of Korean text to a model one can trust.

Public names are imported when they are first used, so that `import ratsnlp_like` and `ratsnlp-like --help` are fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .checkpoints.vocabularies import VocabularyArguments, compare_tokenizers, train_tokenizer
    from .corpora.base import Corpus
    from .corpora.memory import MemoryCorpus
    from .data.examples import read_examples
    from .data.module import TaskDataModule
    from .errors import InputError, TrainingError
    from .evaluation.evaluate import evaluate
    from .evaluation.label_errors import find_label_errors
    from .evaluation.run_report import report
    from .examples.base import Example
    from .examples.entity import Entity, EntityExample
    from .examples.generation import GenerationExample, Message
    from .examples.pair import PairExample, ScoredPairExample
    from .examples.question import Answer, QuestionExample
    from .examples.text import RawExample, TextExample
    from .inference.checkpoint import checkpoint_path, load_checkpoint, load_tokenizer
    from .inference.predictor import Predictor
    from .inference.sharing import share
    from .registry import CHECKPOINTS, CORPORA, LOGGERS, METRICS, TASKS
    from .tasks.base import Task
    from .text.normalization import Normalizer
    from .training.finetune import FineTuneResult, fine_tune
    from .training.module import TaskModule
    from .training.tuning import TuningResult, tune

__version__ = "0.1.0"

_MODULES = {
    **dict.fromkeys(("VocabularyArguments", "compare_tokenizers", "train_tokenizer"), "checkpoints.vocabularies"),
    "Corpus": "corpora.base",
    "MemoryCorpus": "corpora.memory",
    "read_examples": "data.examples",
    "TaskDataModule": "data.module",
    "InputError": "errors",
    "TrainingError": "errors",
    **dict.fromkeys(
        (
            *("Answer", "Entity", "EntityExample", "Example", "GenerationExample", "Message", "PairExample"),
            *("QuestionExample", "RawExample", "ScoredPairExample", "TextExample"),
        ),
        "examples",
    ),
    "FineTuneResult": "training.finetune",
    "evaluate": "evaluation.evaluate",
    "report": "evaluation.run_report",
    "find_label_errors": "evaluation.label_errors",
    "fine_tune": "training.finetune",
    "TaskModule": "training.module",
    **dict.fromkeys(("TuningResult", "tune"), "training.tuning"),
    **dict.fromkeys(("checkpoint_path", "load_checkpoint", "load_tokenizer"), "inference.checkpoint"),
    "Predictor": "inference.predictor",
    "share": "inference.sharing",
    "CHECKPOINTS": "registry",
    "CORPORA": "registry",
    "LOGGERS": "registry",
    "METRICS": "registry",
    "TASKS": "registry",
    "Task": "tasks.base",
    "Normalizer": "text.normalization",
}
__all__ = ["__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
