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
from transformers import AutoConfig

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.errors import InputError
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

    @pytest.mark.parametrize("model_type", ["deberta-v2", "t5"])
    def test_activations_that_exceed_fp16(self, hardware: Any, model_type: str) -> None:
        hardware(gpu=True)
        config = AutoConfig.for_model(model_type)
        assert choose_precision(TrainingArguments(), config=config) == "32"
        with pytest.raises(InputError, match=f"--precision: activations of a {model_type} exceed the range of fp16"):
            choose_precision(TrainingArguments(precision="16-mixed"), config=config)
        assert choose_precision(TrainingArguments(precision="bf16-mixed"), config=config) == "bf16-mixed"

    def test_weights_in_bf16_are_computed_in_bf16(self) -> None:
        assert choose_precision(TrainingArguments(accelerator="cpu"), weights="bf16") == "bf16-mixed"
        with pytest.raises(InputError, match="--precision: 32 with --weights 4bit"):
            choose_precision(TrainingArguments(precision="32"), weights="4bit")

    @pytest.mark.slow
    def test_bf16_trains(self, tmp_path: Path) -> None:
        result = fine_tune(**job(tmp_path, precision="bf16-mixed"))
        assert result.summary["precision"] == "bf16-mixed"
        assert {value.dtype for value in weights(result.best).values()} == {torch.float32}
