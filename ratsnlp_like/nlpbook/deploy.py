"""Arguments of the book's deployment notebooks, and the choice of the best checkpoint."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.base import loading_error
from ..errors import InputError
from .compatibility import ignore_computed_weights, restore_encode_plus

log = logging.getLogger("ratsnlp")

_IN_NAME = re.compile(r"val_loss=(-?\d+(?:\.\d+)?)")


@dataclass
class DeployArguments:
    """Fine-tuned model of a deployment notebook.

    Raises:
        InputError: neither a folder nor a checkpoint is given, or the checkpoint does not exist.
    """

    pretrained_model_name: str | None = None
    """Pretrained checkpoint that was fine-tuned; source of the tokenizer and the configuration."""
    downstream_model_dir: str | None = None
    """Folder of checkpoints; the best one is used."""
    downstream_model_checkpoint_fpath: str | None = None
    """Path of a checkpoint, in place of a folder."""

    def __post_init__(self) -> None:
        if self.downstream_model_checkpoint_fpath is None:
            if self.downstream_model_dir is None:
                raise InputError("no model given", expected="downstream_model_dir or downstream_model_checkpoint_fpath")
            self.downstream_model_checkpoint_fpath = str(best_checkpoint(Path(self.downstream_model_dir)))
        path = Path(self.downstream_model_checkpoint_fpath)
        if not path.is_file():
            raise InputError("no such file", place=path, expected="a .ckpt file")
        print(f"downstream_model_checkpoint_fpath: {path}")  # noqa: T201 (the book shows this line)
        ignore_computed_weights(_open(path).get("state_dict", {}))
        restore_encode_plus(self.pretrained_model_name)


@dataclass
class WindowDeployArguments(DeployArguments):
    """Fine-tuned model, with the length of its inputs."""

    max_seq_length: int = 128
    """Maximum length of an input, in tokens."""


def best_checkpoint(folder: Path) -> Path:
    """Return the checkpoint with the best recorded score; the latest of equal ones.

    Raises:
        InputError: the folder has no checkpoint.
    """
    paths = [path for path in sorted(folder.expanduser().glob("*.ckpt")) if path.is_file()]
    if not paths:
        raise InputError(
            "no checkpoint (*.ckpt) in this folder", place=folder, fix="train first, or correct downstream_model_dir"
        )
    return paths[0] if len(paths) == 1 else min(paths, key=lambda path: (_score(path), -path.stat().st_mtime))


def _score(path: Path) -> float:
    """Return the score of a checkpoint, lower is better; taken from the file name if it is not recorded."""
    for name, state in _open(path).get("callbacks", {}).items():
        if "ModelCheckpoint" in str(name) and (score := state.get("current_score")) is not None:
            higher_is_better = "'mode': 'max'" in str(name)
            return -float(score) if higher_is_better else float(score)
    found = _IN_NAME.search(path.name)
    return float(found[1]) if found else math.inf


def _open(path: Path) -> Mapping[str, Any]:
    """Open a checkpoint without reading its tensors; empty if it cannot be opened this way."""
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=True))
    except Exception as error:  # the notebook's own torch.load reports it
        log.warning("%s cannot be opened: %s", path, loading_error(error))
        return {}
