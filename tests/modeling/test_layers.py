"""Which layer a weight belongs to, what is frozen, and how fast each layer learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    ElectraConfig,
    ElectraForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
)

from ratsnlp_like.arguments import ModelArguments, TrainingArguments
from ratsnlp_like.errors import InputError
from ratsnlp_like.modeling.layers import depths, freeze
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.module import TaskModule

SMALL: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
MODELS: dict[str, Callable[[], Any]] = {
    "bert": lambda: BertForSequenceClassification(BertConfig(**SMALL)),
    "electra": lambda: ElectraForTokenClassification(ElectraConfig(**SMALL, embedding_size=4)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=2, n_head=2)),
    "masked": lambda: BertForMaskedLM(BertConfig(**SMALL)),
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return MODELS[request.param]()


def test_every_weight_has_its_depth(model: Any) -> None:
    for name, depth in depths(model).items():
        if "embed" in name or ".wte" in name or ".wpe" in name:
            assert depth == 0
        elif ".0." in name:
            assert depth == 1
        elif ".1." in name:
            assert depth == 2
        else:
            assert depth == 3
            assert any(part in name for part in ("classifier", "pooler", "cls.", "ln_f"))
    assert set(depths(model).values()) == {0, 1, 2, 3}


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_freezing(layers: int, model: Any) -> None:
    learning = freeze(model, layers)
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == (depths(model)[name] > layers)
    assert learning == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_more_layers_than_there_are() -> None:
    with pytest.raises(InputError, match=r"--freeze: 3\n  expected: at most 2, the layers of this model"):
        freeze(MODELS["bert"](), 3)


@pytest.mark.parametrize(
    ("kind", "options", "flag"),
    [
        (ModelArguments, {"freeze": -1}, "--freeze"),
        (TrainingArguments, {"layer_decay": 1.5}, "--layer_decay"),
        (TrainingArguments, {"layer_decay": -0.1}, "--layer_decay"),
    ],
)
def test_values_out_of_range(kind: Any, options: dict[str, Any], flag: str) -> None:
    with pytest.raises(InputError, match=flag):
        kind(**options)


def groups(**options: Any) -> dict[str, tuple[float, float]]:
    """The learning rate and the decay of each weight."""
    model = MODELS["bert"]()
    names = {parameter: name for name, parameter in model.named_parameters()}
    module = TaskModule(Classification(), model, ["a", "b"], TrainingArguments(learning_rate=1.0, **options))
    made = module._groups()
    assert sum(len(group["params"]) for group in made) == len(names)
    return {names[p]: (group["lr"], group["weight_decay"]) for group in made for p in group["params"]}


def test_layers_learn_at_rates_of_their_own() -> None:
    found = groups(layer_decay=0.5, weight_decay=0.1)
    assert found["classifier.weight"] == (1.0, 0.1)
    assert found["classifier.bias"] == (1.0, 0.0)
    assert found["bert.encoder.layer.1.output.dense.weight"] == (0.5, 0.1)
    assert found["bert.encoder.layer.0.output.LayerNorm.weight"] == (0.25, 0.0)
    assert found["bert.embeddings.word_embeddings.weight"] == (0.125, 0.1)


def test_one_rate_for_all_by_default() -> None:
    assert {rate for rate, _ in groups().values()} == {1.0}


def test_frozen_weights_are_not_optimised() -> None:
    model = MODELS["bert"]()
    freeze(model, 2)
    module = TaskModule(Classification(), model, ["a", "b"], TrainingArguments(layer_decay=0.9))
    optimised = {p for group in module._groups() for p in group["params"]}
    assert optimised == {p for p in model.parameters() if p.requires_grad}
    assert 0 < len(optimised) < len(list(model.parameters()))
