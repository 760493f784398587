"""Pretrained checkpoints by name, for notebooks and scripts: path, tokenizer, and language models as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..checkpoints import base
from ..checkpoints import tokenizer as tokenizers
from ..errors import InputError
from ..registry import TASKS
from ..tasks.base import AnyTask
from ..tasks.language_model import LanguageModel
from .model_folder import load_torch
from .predictor import Predictor


def checkpoint_path(name: str) -> str:
    """Return the folder of a bundled checkpoint; a folder or a hub id is returned unchanged.

    The result can be passed to `from_pretrained` of transformers.

    Raises:
        InputError: there is no such checkpoint.
    """
    return base.resolve(name)


def load_tokenizer(name: str) -> Any:
    """Load the tokenizer of a checkpoint, with the corrections that training applies.

    Args:
        name: bundled name, folder or hub id.

    Raises:
        InputError: there is no such checkpoint, or its tokenizer cannot be loaded.
    """
    path = base.resolve(name)
    return tokenizers.load_tokenizer(path, base.load_config(path))


def load_checkpoint(name: str, task: str | AnyTask, *, max_length: int = 128, device: str | None = None) -> Predictor:
    """Load a pretrained language model as a predictor, without fine-tuning.

    Args:
        name: bundled name, folder or hub id.
        task: name of a task without labels (masked-lm, causal-lm, generation), or such a task.
        max_length: maximum number of tokens of an input.
        device: such as `cuda` or `cpu`; default: a GPU if there is one.

    Raises:
        InputError: the checkpoint cannot be loaded, or the task has labels and needs fine-tuning.
    """
    task = TASKS[task]() if isinstance(task, str) else task
    if not isinstance(task, LanguageModel):
        names = [name for name, kind in TASKS.items() if issubclass(kind, LanguageModel)]
        raise InputError(f"the task {task.name} needs a fine-tuned model", place="task", expected=", ".join(names))
    model, tokenizer = load_torch(Path(base.resolve(name)), task, device, complete=False)
    return Predictor(task, model, tokenizer, labels=[], max_length=max_length, about={"checkpoint": name})
