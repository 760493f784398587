"""The state of a run, checked before it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.base import loading_error
from ..errors import InputError
from .run_files import RESUME_FILE

_FIX = "--overwrite to train again from the first step"
_PARTS = ("state_dict", "optimizer_states", "lr_schedulers", "loops", "callbacks", "global_step")


def saved_state(folder: Path, weights: Mapping[str, torch.Tensor]) -> Path | None:
    """Return the checked state of a run; None where none was saved.

    Raises:
        InputError: see `check_state`.
    """
    path = folder / RESUME_FILE
    if not path.exists():
        return None
    check_state(path, weights, folder / "best")
    return path


def check_state(path: Path, weights: Mapping[str, torch.Tensor], best: Path) -> None:
    """Check that a state can be resumed, before Lightning restores it piece by piece.

    Args:
        path: state in one file; a folder, of a sharded strategy, is left to Lightning.
        weights: those of the model that is trained.
        best: folder of the best model so far, which the state refers to.

    Raises:
        InputError: the file is damaged, is not a state of training, or is that of another model, or the best model is
            missing.
    """
    if path.is_dir():
        return
    state = _load(path)
    missing = [name for name in _PARTS if name not in state]
    if missing:
        raise InputError(f"not a state of training: it has no {missing[0]}", place=path, fix=_FIX)
    _check_weights(state["state_dict"], weights, path)
    ranks = [own["best"] for own in state["callbacks"].values() if isinstance(own, dict) and "best" in own]
    if any(rank is not None for rank in ranks) and not (best / "task.json").is_file():
        raise InputError(
            "the best model so far is missing, and would be lost if no later one is better",
            place=best,
            fix=f"restore the folder, or {_FIX}",
        )


def _load(path: Path) -> dict[str, Any]:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # torch, pickle and zipfile raise a dozen unrelated types
        reason = loading_error(error)[:120] if path.stat().st_size else "the file is empty"
        raise InputError(
            f"the state of the run cannot be loaded, the file is damaged: {reason}",
            place=path,
            fix=_FIX,
        ) from None
    return state if isinstance(state, dict) else {}


def _check_weights(saved: Any, weights: Mapping[str, torch.Tensor], path: Path) -> None:
    own = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    found = {name: tuple(getattr(tensor, "shape", ())) for name, tensor in dict(saved).items()}
    different = sorted(name for name in own.keys() | found.keys() if own.get(name) != found.get(name))
    if different:
        raise InputError(
            f"the state is that of another model: {different[0]} is {found.get(different[0], 'missing')} in it, "
            f"{own.get(different[0], 'missing')} in this one",
            place=path,
            fix=_FIX,
        )
