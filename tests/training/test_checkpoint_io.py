"""States of runs are written straight to their file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from lightning_fabric.plugins.io import torch_io

from ratsnlp_like.training.checkpoint_io import StreamedCheckpointIO


def test_round_trip_without_a_copy_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_io, "_atomic_save", None)  # of Lightning, which serializes into memory
    state = {"state_dict": {"weight": torch.arange(6.0).reshape(2, 3)}, "global_step": 4}
    StreamedCheckpointIO().save_checkpoint(state, tmp_path / "state.ckpt")
    loaded = StreamedCheckpointIO().load_checkpoint(tmp_path / "state.ckpt", weights_only=True)
    assert loaded["global_step"] == 4
    assert torch.equal(loaded["state_dict"]["weight"], state["state_dict"]["weight"])


def test_an_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        StreamedCheckpointIO().save_checkpoint({}, tmp_path / "missing" / "state.ckpt")


def test_a_failed_write_is_reported_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def save(checkpoint: object, file: object) -> None:
        try:
            raise OSError(27, "File too large")
        except OSError:
            raise RuntimeError("unexpected pos 801920 vs 801872")  # noqa: B904

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(OSError, match="File too large"):
        StreamedCheckpointIO().save_checkpoint({}, tmp_path / "state.ckpt")
