"""Weights in bf16 and 4 bits under adapters, and gradient checkpointing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import job
from transformers import AutoModel, BertConfig, BertForSequenceClassification

from ratsnlp_like.arguments import ModelArguments
from ratsnlp_like.checkpoints import adapters as lora
from ratsnlp_like.checkpoints.base import load_config
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune

LORA = {"init": "pretrained", "config_overrides": {}, "lora": True, "max_steps": 2, "baselines": False}


@pytest.mark.slow
def test_adapters_on_bf16_weights_are_trained_in_fp32(tmp_path: Path, tiny_model_folder: Callable[..., Path]) -> None:
    pytest.importorskip("peft")
    own = LORA | {"checkpoint": tiny_model_folder(), "weights": "bf16", "precision": "auto"}
    result = fine_tune(**job(tmp_path, **own))
    assert (result.summary["precision"], result.summary["evaluation_precision"]) == ("bf16-mixed", "bf16")
    loaded = Predictor.from_pretrained(result.output)
    kept = {name: p.dtype for name, p in loaded.model.named_parameters() if "lora" not in name}
    assert kept["bert.encoder.layer.0.output.dense.weight"] == torch.bfloat16
    again = evaluate(result.output)  # figures are those of training
    assert again["macro_f1"] == result.test_metrics["macro_f1"]  # type: ignore[index]
    assert again["loss"] == result.test_metrics["loss"]  # type: ignore[index]
    assert Predictor.from_pretrained(result.output, precision="32").model.dtype == torch.float32


def test_what_is_trained_is_fp32(tiny_model_folder: Callable[..., Path]) -> None:
    pytest.importorskip("peft")
    folder = str(tiny_model_folder())
    model = load_model(folder, load_config(folder), BertForSequenceClassification, vocabulary=10, weights="bf16")
    lora.add(model, ModelArguments(lora=True, weights="bf16"), folder)
    types = {(p.requires_grad, p.dtype) for p in model.parameters()}
    assert types == {(True, torch.float32), (False, torch.bfloat16)}


def test_bf16_weights_without_adapters() -> None:
    with pytest.raises(InputError, match="--weights bf16 without --lora"):
        ModelArguments(weights="bf16")


class TestFourBits:
    @pytest.fixture
    def load(self, tiny_model_folder: Callable[..., Path]) -> Callable[..., Any]:
        folder = str(tiny_model_folder())
        return lambda kind: load_model(folder, load_config(folder), kind, vocabulary=10, weights="4bit")

    def test_without_a_gpu(self, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(InputError, match=r"(?s)--weights 4bit: no CUDA GPU is available.*--weights bf16"):
            load(AutoModel)

    def test_without_the_package(self, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match="bitsandbytes is not installed"):
            load(AutoModel)

    def test_what_transformers_is_told(self, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
        monkeypatch.setattr("transformers.utils.quantization_config.BitsAndBytesConfig.post_init", lambda self: None)
        given: dict[str, Any] = {}

        class Kind:
            @staticmethod
            def from_pretrained(name: str, **arguments: Any) -> Any:
                given.update(arguments)
                raise OSError("seen")

        with pytest.raises(InputError, match="seen"):
            load(Kind)
        quantization = given["quantization_config"]
        assert (quantization.load_in_4bit, quantization.bnb_4bit_quant_type) == (True, "nf4")
        assert (quantization.bnb_4bit_compute_dtype, given["device_map"]) == (torch.bfloat16, {"": 0})


@pytest.mark.slow
def test_gradient_checkpointing_changes_nothing_but_memory(tmp_path: Path) -> None:
    found = [
        fine_tune(
            **job(tmp_path, output=tmp_path / str(flag), gradient_checkpointing=flag, unpadded=False, max_steps=2)
        )
        for flag in (True, False)
    ]
    assert found[0].metrics["loss"] == pytest.approx(found[1].metrics["loss"], abs=1e-6)


def test_a_step_with_gradient_checkpointing_keeps_less() -> None:
    from ratsnlp_like.tasks.classification import Classification
    from ratsnlp_like.training.memory import saved_bytes
    from ratsnlp_like.training.model import checkpoint_gradients

    sizes = {"hidden_size": 32, "num_hidden_layers": 4, "num_attention_heads": 2, "intermediate_size": 64}
    model = BertForSequenceClassification(BertConfig(vocab_size=50, **sizes)).train()
    batch = {"input_ids": torch.ones(8, 64, dtype=torch.long), "attention_mask": torch.ones(8, 64, dtype=torch.long)}
    batch["labels"] = torch.zeros(8, dtype=torch.long)
    whole = saved_bytes(Classification(), model, batch, "32")
    checkpoint_gradients(model)
    assert saved_bytes(Classification(), model, batch, "32") < whole / 3


class TestBigBird:
    def test_a_short_text_does_not_change_a_long_one(self, tmp_path: Path) -> None:
        from small_configs import small

        config = small("big_bird")
        config.num_hidden_layers, config.block_size, config.num_random_blocks = 1, 4, 1
        model = load_model("unused", config, AutoModel, vocabulary=99, init="random").eval()
        long, short = torch.arange(64)[None] % 90 + 5, torch.tensor([[5, 6, 7]])
        with torch.no_grad():
            before = model(long).last_hidden_state
            model(short)
            assert model.attention_type == "original_full"
            assert torch.equal(model(long).last_hidden_state, before)
        assert model.attention_type == "block_sparse"
