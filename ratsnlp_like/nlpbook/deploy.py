"""The arguments of the book's notebooks that ask a model: which checkpoint, and how it is read."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError

log = logging.getLogger("ratsnlp")

_IN_NAME = re.compile(r"val_loss=(-?\d+(?:\.\d+)?)")
_COMPUTED = re.compile(r"(?:\.|^)(?:embeddings\.position_ids|attn\.(?:masked_)?bias)$")
"""What transformers 4 wrote into checkpoints, and today's models compute."""


@dataclass
class DeployArguments:
    """Which model is asked.

    Raises:
        InputError: neither a folder nor a checkpoint is named, or there is none.
    """

    pretrained_model_name: str | None = None
    """The checkpoint that was fine-tuned: its tokenizer and configuration."""
    downstream_model_dir: str | None = None
    """The folder of the checkpoints; the best one is taken."""
    downstream_model_checkpoint_fpath: str | None = None
    """The checkpoint itself."""

    def __post_init__(self) -> None:
        if self.downstream_model_checkpoint_fpath is None:
            if self.downstream_model_dir is None:
                raise InputError(
                    "no model is named", expected="downstream_model_dir or downstream_model_checkpoint_fpath"
                )
            self.downstream_model_checkpoint_fpath = str(best_checkpoint(Path(self.downstream_model_dir)))
        path = Path(self.downstream_model_checkpoint_fpath)
        if not path.is_file():
            raise InputError("no such file", place=path, expected="a .ckpt file")
        print(f"downstream_model_checkpoint_fpath: {path}")  # noqa: T201 (the book shows this line)
        let_old_weights_in(_open(path).get("state_dict", {}))


@dataclass
class WindowDeployArguments(DeployArguments):
    """Which model is asked, and how long its windows are."""

    max_seq_length: int = 128
    """Longest window, in tokens."""


def best_checkpoint(folder: Path) -> Path:
    """The checkpoint with the best score, as each says its own; of equal ones the latest.

    Raises:
        InputError: the folder holds none.
    """
    paths = [path for path in sorted(folder.expanduser().glob("*.ckpt")) if path.is_file()]
    if not paths:
        raise InputError(
            "no checkpoint (*.ckpt) in this folder", place=folder, fix="train first, or correct downstream_model_dir"
        )
    return paths[0] if len(paths) == 1 else min(paths, key=lambda path: (_score(path), -path.stat().st_mtime))


def _score(path: Path) -> float:
    """How good a checkpoint is, less being better; what it does not say is taken from its name."""
    for name, state in _open(path).get("callbacks", {}).items():
        if "ModelCheckpoint" in str(name) and (score := state.get("current_score")) is not None:
            higher_is_better = "'mode': 'max'" in str(name)
            return -float(score) if higher_is_better else float(score)
    found = _IN_NAME.search(path.name)
    return float(found[1]) if found else math.inf


def _open(path: Path) -> Mapping[str, Any]:
    """A checkpoint without reading its tensors; nothing where it is of a kind that cannot be looked into."""
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True, mmap=True))
    except Exception as error:  # torch.load of the notebook will say it
        log.warning("%s cannot be looked into: %s", path, str(error).partition("\n")[0])
        return {}


def let_old_weights_in(names: Iterable[str]) -> None:
    """Let `load_state_dict` pass over what transformers 4 saved and models of transformers 5 compute.

    The notebook loads the weights with a line of its own, so it cannot be done elsewhere than in the models' class.
    """
    if not any(_COMPUTED.search(name) for name in names):
        return
    from transformers import PreTrainedModel

    if "load_state_dict" in vars(PreTrainedModel):
        return

    def load_state_dict(self: Any, state_dict: Mapping[str, Any], *args: Any, **options: Any) -> Any:
        own = self.state_dict().keys()
        kept = {name: value for name, value in state_dict.items() if name in own or not _COMPUTED.search(name)}
        return torch.nn.Module.load_state_dict(self, kept, *args, **options)

    PreTrainedModel.load_state_dict = load_state_dict  # type: ignore[method-assign]
    log.info("the checkpoint was written by transformers 4; what today's models compute themselves is left out.")
