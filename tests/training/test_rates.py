"""Values of `auto`: the learning rate by the size of the model, the epochs by the number of steps."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from helpers import job
from helpers_training import At, Watch, power_cut

from ratsnlp_like.arguments import Schedule, TrainingArguments
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.rates import (
    choose_epochs,
    choose_learning_rate,
    learning_rate,
    schedule_factor,
    size_without_embeddings,
)


def bert(**shape: int) -> Any:
    """A BERT on the meta device: shapes without memory."""
    from transformers import BertForMaskedLM

    with torch.device("meta"):
        return BertForMaskedLM(load_config(resolve("ko-blank-bert"), shape))


def shape(layers: int, width: int) -> dict[str, int]:
    return {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width}


@pytest.mark.parametrize(("warmup", "steps"), [(0, 7), (3, 12), (12, 12), (20, 12), (0, 1)])
@pytest.mark.parametrize("name", get_args(Schedule))
def test_the_schedule_is_that_of_transformers(name: Schedule, warmup: int, steps: int) -> None:
    from transformers import get_scheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_scheduler(
        "constant_with_warmup" if name == "constant" else name, optimizer, warmup, num_training_steps=steps
    )
    for step in range(steps):
        assert schedule_factor(step, schedule=name, warmup=warmup, steps=steps) == pytest.approx(
            theirs.get_last_lr()[0], abs=1e-15
        )
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize(
    ("layers", "width", "rate"),
    [(4, 256, 5e-4), (12, 256, 2e-4), (12, 768, 5e-5), (24, 1024, 2e-5), (1, 32, 1e-3)],
    ids=["ko-tiny-bert", "ELECTRA small", "base", "large", "the highest"],
)
def test_the_rate_falls_with_the_size(layers: int, width: int, rate: float) -> None:
    assert choose_learning_rate(bert(**shape(layers, width))).value == rate


def test_embeddings_do_not_count() -> None:
    """The output layer is tied to them. 12 h^2 weights and 13 h biases and norms a layer; the head h^2 + 3 h + V."""
    h, v = 64, 4000
    layer, head = 12 * h * h + 13 * h, h * h + 3 * h + v
    norm = 2 * h
    assert size_without_embeddings(bert(**shape(3, h), num_attention_heads=2)) == 3 * layer + head + norm


def test_adapters_and_random_weights_learn_faster() -> None:
    pytest.importorskip("peft")
    from ratsnlp_like.arguments import ModelArguments
    from ratsnlp_like.checkpoints import adapters

    base = bert(**shape(12, 768))
    assert choose_learning_rate(base, random=True).value == 1e-4
    adapters.add(base, ModelArguments(lora=True), "base")
    choice = choose_learning_rate(base)
    assert choice.value == 5e-4
    assert choice.reason.endswith("LoRA")


def test_a_module_of_its_own_chooses_too() -> None:
    model = bert(**shape(12, 768))
    assert learning_rate(TrainingArguments(), model) == 5e-5
    assert learning_rate(TrainingArguments(learning_rate=3e-3), model) == 3e-3


@pytest.mark.parametrize(
    ("steps", "max_steps", "epochs"),
    [(5000, None, 3), (66, None, 4), (14, None, 15), (1, None, 30), (100, 50, 1), (100, 250, 3)],
)
def test_epochs(steps: int, max_steps: int | None, epochs: int) -> None:
    assert choose_epochs(steps, max_steps=max_steps).value == epochs


@pytest.mark.slow
def test_a_run_states_what_it_chose(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watch = Watch()
    options = job(tmp_path, learning_rate="auto", epochs="auto", limit_train=64, batch_size=8, accumulate=2)
    result = fine_tune(**options | {"patience": 1, "warmup": 0, "baselines": False}, callbacks=[watch])
    assert watch.rates[0] == 1e-3
    found = json.loads((result.output / "result.json").read_text())["found"]
    assert found["learning_rate"] == 1e-3
    assert found["epochs"] == 30  # steps of 16: 4 an epoch
    lines = caplog.text
    size = f"{size_without_embeddings(result.predictor.model):,}"
    assert f"learning rate 1e-3: for {size} parameters without embeddings, random weights (--learning_rate" in lines
    assert "epochs 30: 4 steps each, since a small corpus needs about 200 steps (--epochs sets another)" in lines
    assert "training on cpu (1 thread), precision 32-true: 120 steps" in lines
    assert any(line.startswith("about ") and line.endswith("on cpu (1 thread)") for line in caplog.messages)


@pytest.mark.slow
def test_a_resumed_run_keeps_its_choices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = job(tmp_path, learning_rate="auto", epochs="auto", baselines=False)
    with pytest.raises(RuntimeError, match="power cut"):
        fine_tune(**options, callbacks=[At(10, power_cut)])
    monkeypatch.setattr("ratsnlp_like.training.rates._HIGHEST", 5e-4)
    watch = Watch()
    result = fine_tune(**options, resume=True, max_steps=14, callbacks=[watch])
    assert result.summary["found"]["learning_rate"] == 1e-3
    assert result.summary["steps"] == 14
