"""The arguments of the book's notebooks: what their tasks share, and where they are read from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..arguments import TrainingArguments, check_types
from ..errors import InputError

A = TypeVar("A")
CHECKPOINTS = "/gdrive/My Drive/nlpbook"


@dataclass
class TrainArguments:
    """What all training arguments share.

    Raises:
        InputError: a value is of the wrong type or out of its range (a batch size of 0, say).
    """

    pretrained_model_name: str = "beomi/kcbert-base"
    """A hub id, or a folder."""
    downstream_corpus_name: str | None = None
    """The folder of the corpus, below `downstream_corpus_root_dir`."""
    downstream_corpus_root_dir: str = "/content/Korpora"
    """Where corpora lie."""
    downstream_model_dir: str | None = None
    """Where checkpoints go."""
    max_seq_length: int = 128
    """Longest window, in tokens, special ones included."""
    save_top_k: int = 1
    """How many checkpoints are kept; -1 keeps all."""
    monitor: str = "min val_loss"
    """What the best checkpoint is chosen by: min or max, and a name that is logged."""
    seed: int | None = None
    """Of all random numbers; None fixes nothing."""
    overwrite_cache: bool = False
    """Without effect: the cache of features is keyed by all they depend on, so that nothing stale is read."""
    force_download: bool = False
    """Fetch files even if they are on this disk."""
    test_mode: bool = False
    """One batch only, and nothing is saved: to see whether all of it runs."""
    learning_rate: float = 5e-5
    """At its peak; it falls to 0 by the end."""
    epochs: int = 3
    """Passes over the training examples."""
    batch_size: int = 32
    """Windows of a batch."""
    cpu_workers: int | None = os.cpu_count()
    """Processes that make batches."""
    fp16: bool = False
    """Compute with 16 bits, where there is a GPU."""
    tpu_cores: int = 0
    """Cores of a TPU to train on, where there is one."""

    def __post_init__(self) -> None:
        check_types(type(self), vars(self))
        if self.max_seq_length < 1:
            raise InputError(f"{self.max_seq_length}", place="--max_seq_length", expected="a number above 0")
        training_arguments(self)
        split_monitor(self.monitor)


@dataclass
class NamedTrainArguments(TrainArguments):
    """Training arguments that name their task."""

    downstream_task_name: str | None = None
    """What the notebook calls its task; it changes nothing."""


def training_arguments(args: Any) -> TrainingArguments:
    """The same for the core, which checks them."""
    return TrainingArguments(epochs=args.epochs, batch_size=args.batch_size, learning_rate=args.learning_rate)


def split_monitor(monitor: str) -> tuple[str, str]:
    """`min val_loss` as its mode and its name.

    Raises:
        InputError: it is something else.
    """
    mode, _, name = monitor.partition(" ")
    if mode not in {"min", "max"} or not name.strip():
        raise InputError(f"{monitor!r}", place="--monitor", expected="min or max, and a name: 'min val_loss'")
    return mode, name.strip()


def load_arguments(argument_class: type[A], json_file_path: str | Path | None = None) -> A:
    """Arguments from a JSON file, or from the command line (flags, or the name of a JSON file).

    Args:
        argument_class: such as `ClassificationTrainArguments`.
        json_file_path: of a file with an object; numbers may be written as text ("1e-5").

    Raises:
        InputError: the file cannot be read, or holds no object.
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
        raise InputError(f"holds a {type(content).__name__}", place=path, expected='{"name": value, ...}')
    return {name: value for name, value in content.items() if value is not None}
