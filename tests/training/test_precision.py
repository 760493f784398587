"""Precision by hardware."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import (
    job,
    weights,
)

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.trainer import choose_precision


class TestPrecision:
    @pytest.fixture
    def hardware(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        def has(*, gpu: bool = False, bf16: bool = False, mps: bool = False) -> None:
            monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
            monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16)
            monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
            monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bf16 and not gpu)
            monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)

        return has

    @pytest.mark.parametrize(
        ("has", "accelerator", "expected"),
        [
            ({"gpu": True, "bf16": True}, "auto", "bf16-mixed"),
            ({"gpu": True}, "auto", "16-mixed"),  # a T4
            ({"gpu": True}, "gpu", "16-mixed"),
            ({"gpu": True}, "cpu", "32"),
            ({}, "auto", "32"),
            ({"bf16": True}, "auto", "bf16-mixed"),
            ({"bf16": True}, "cpu", "bf16-mixed"),
            ({"mps": True}, "auto", "32"),
        ],
    )
    def test_by_hardware(self, hardware: Any, has: dict[str, bool], accelerator: str, expected: str) -> None:
        hardware(**has)
        assert choose_precision(TrainingArguments(accelerator=accelerator)) == expected

    def test_explicit_precision(self, hardware: Any) -> None:
        hardware(gpu=True, bf16=True)
        assert choose_precision(TrainingArguments(precision="32")) == "32"

    def test_bf16_trains(self, tmp_path: Path) -> None:
        result = fine_tune(**job(tmp_path, precision="bf16-mixed"))
        assert result.summary["precision"] == "bf16-mixed"
        assert {value.dtype for value in weights(result.best).values()} == {torch.float32}
