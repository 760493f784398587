"""Training arguments that the book's tasks share, and their loading from JSON or the command line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..arguments import TrainingArguments
from ..errors import InputError
from ..option_types import check_types
from .compatibility import restore_encode_plus

A = TypeVar("A")
CHECKPOINTS = "/gdrive/My Drive/nlpbook"


@dataclass
class TrainArguments:
    """Training arguments that all tasks share.

    Raises:
        InputError: a value has the wrong type or is out of range (for example a batch size of 0).
    """

    pretrained_model_name: str = "beomi/kcbert-base"
    """A hub id, or a folder."""
    downstream_corpus_name: str | None = None
    """Folder of the corpus in `downstream_corpus_root_dir`."""
    downstream_corpus_root_dir: str = "/content/Korpora"
    """Folder of all corpora."""
    downstream_model_dir: str | None = None
    """Folder that checkpoints are saved to."""
    max_seq_length: int = 128
    """Maximum length of an input, in tokens, special tokens included."""
    save_top_k: int = 1
    """Number of checkpoints kept; -1 keeps all."""
    monitor: str = "min val_loss"
    """Criterion for the best checkpoint: min or max, and the name of a logged value."""
    seed: int | None = None
    """Seed of all random number generators; None leaves them unseeded."""
    overwrite_cache: bool = False
    """No effect: the cache key covers everything that features depend on, so a stale cache is never read."""
    force_download: bool = False
    """Download files even if they exist."""
    test_mode: bool = False
    """Run a single batch and save nothing, as a smoke test."""
    learning_rate: float = 5e-5
    """Peak learning rate; it decays linearly to 0."""
    epochs: int = 3
    """Number of passes over the training examples."""
    batch_size: int = 32
    """Batch size, in windows."""
    cpu_workers: int | None = os.cpu_count()
    """Number of data loader processes."""
    fp16: bool = False
    """Train in fp16 mixed precision on a GPU."""
    tpu_cores: int = 0
    """Number of TPU cores to train on, if a TPU is available."""

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if self.max_seq_length < 1:
            raise InputError(f"{self.max_seq_length}", place="--max_seq_length", expected="a number above 0")
        training_arguments(self)
        split_monitor(self.monitor)
        restore_encode_plus(self.pretrained_model_name)


@dataclass
class NamedTrainArguments(TrainArguments):
    """Training arguments with the name of a task."""

    downstream_task_name: str | None = None
    """Name of the task in the notebook; no effect."""


def training_arguments(args: Any) -> TrainingArguments:
    """Return the corresponding `TrainingArguments`, which are validated on creation."""
    return TrainingArguments(epochs=args.epochs, batch_size=args.batch_size, learning_rate=args.learning_rate)


def split_monitor(monitor: str) -> tuple[str, str]:
    """Split `min val_loss` into mode and name.

    Raises:
        InputError: it has another form.
    """
    mode, _, name = monitor.partition(" ")
    if mode not in {"min", "max"} or not name.strip():
        raise InputError(f"{monitor!r}", place="--monitor", expected="min or max, and a name: 'min val_loss'")
    return mode, name.strip()


def load_arguments(argument_class: type[A], json_file_path: str | Path | None = None) -> A:
    """Load arguments from a JSON file or from the command line (flags, or the name of a JSON file).

    Args:
        argument_class: such as `ClassificationTrainArguments`.
        json_file_path: path of a JSON object; numbers may be strings ("1e-5").

    Raises:
        InputError: the file cannot be read or is not a JSON object.
    """
    from transformers import HfArgumentParser

    argv = sys.argv[1:]
    if json_file_path is None and len(argv) == 1 and argv[0].endswith(".json"):
        json_file_path = argv[0]
    if json_file_path is not None:
        argv = [part for name, value in _read(Path(json_file_path)).items() for part in (f"--{name}", str(value))]
    (args,) = HfArgumentParser(argument_class).parse_args_into_dataclasses(args=argv)  # type: ignore[arg-type]
    return args


def _read(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", place=path) from None
    if not isinstance(content, dict):
        raise InputError(f"a JSON {type(content).__name__}", place=path, expected='{"name": value, ...}')
    return {name: value for name, value in content.items() if value is not None}
