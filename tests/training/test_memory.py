"""`--batch_size auto`: the largest batch that memory holds."""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import TINY, command, encode, flags, job, largest_difference, tokenizer, tsv, weights

from ratsnlp_like.data.encoding import EncodedSplit
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training import memory
from ratsnlp_like.training.finetune import fine_tune

CPU = torch.device("cpu")


@pytest.fixture
def split(tmp_path: Path) -> EncodedSplit:
    rows = [("나무 " * (i % 7 + 1), ("부정", "긍정")[i % 2]) for i in range(1000)]
    return encode(tsv(tmp_path / "rows.tsv", rows), tmp_path / "cache")


@pytest.fixture
def model() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    return BertForSequenceClassification(BertConfig(**TINY, vocab_size=len(tokenizer())))


def largest(model: Any, split: EncodedSplit, **changes: Any) -> int:
    own = {"device": CPU, "precision": "32"} | changes
    return memory.largest_batch(Classification(), model, split, tokenizer(), **own)


def needed(model: Any, split: EncodedSplit) -> tuple[int, int]:
    """Bytes for each of the longest windows, and for the weights."""
    windows = [split[k] for k in np.argsort(-split.lengths)[:4]]
    batch = memory.as_batch(Classification(), windows, tokenizer(), CPU)
    return memory.saved_bytes(Classification(), model.train(), batch, "32") // 4, 12 * model.num_parameters()


@pytest.mark.parametrize("size", [1, 4, 16])
def test_the_largest_batch_that_fits(
    size: int, model: Any, split: EncodedSplit, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, weights_ = needed(model, split)
    free = (1.1 * size * kept * memory.PEAK_FACTOR + weights_) / memory.FREE_SHARE
    monkeypatch.setattr(memory, "free_memory", lambda device: int(free))
    assert largest(model, split) == size


def test_an_epoch_has_at_least_fifty_steps(model: Any, split: EncodedSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 10**15)
    assert largest(model, split) == 16  # of 1,000 windows
    assert largest(model, split.sample(30, 1)) == 1


def test_saved_bytes_grow_with_the_batch(model: Any, split: EncodedSplit) -> None:
    def kept(number: int) -> int:
        windows = [split[int(np.argmax(split.lengths))]] * number
        batch = memory.as_batch(Classification(), windows, tokenizer(), CPU)
        return memory.saved_bytes(Classification(), model.train(), batch, "32")

    assert kept(16) == pytest.approx(4 * kept(4), rel=0.05)


def test_a_step_that_does_not_fit_halves_it(model: Any, split: EncodedSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU, where the size is tried."""
    tried: list[int] = []

    def fits(task: Any, model: Any, batch: Any, precision: str) -> bool:
        tried.append(len(batch["input_ids"]))
        return len(batch["input_ids"]) <= 4

    class Cuda:
        """Looks like a GPU to the code under test, and is the CPU to torch."""

        type = "cuda"

    monkeypatch.setattr(memory, "free_memory", lambda device: 10**15)
    monkeypatch.setattr(memory, "fits", fits)
    collate = memory.as_batch
    monkeypatch.setattr(memory, "as_batch", lambda *given: collate(*given[:-1], CPU))
    monkeypatch.setattr(type(model), "to", lambda self, device: self)
    monkeypatch.setattr(torch.random, "fork_rng", lambda devices: nullcontext())
    assert largest(model, split, device=Cuda()) == 4
    assert tried == [16, 8, 4]


def test_out_of_memory_is_no_error(model: Any, split: EncodedSplit, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    batch = memory.as_batch(Classification(), [split[0]], tokenizer(), CPU)
    assert memory.fits(Classification(), model, batch, "32")
    assert all(p.grad is None for p in model.parameters())
    monkeypatch.setattr(memory, "_loss", full)
    assert not memory.fits(Classification(), model, batch, "32")


def test_free_memory_is_no_more_than_the_machine_has() -> None:
    assert 0 < memory.free_memory(CPU) <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
def test_a_run_is_the_same_as_with_the_number_named(tmp_path: Path) -> None:
    """The search changes neither weights nor random numbers."""
    auto = fine_tune(**job(tmp_path, output=tmp_path / "auto", batch_size="auto", limit_train=400))
    found = json.loads((tmp_path / "auto" / "found.json").read_text())["batch_size"]
    assert found == 8
    named = fine_tune(**job(tmp_path, output=tmp_path / "named", batch_size=found, limit_train=400))
    assert largest_difference(weights(auto.best), weights(named.best)) == 0
    assert auto.summary["steps"] == named.summary["steps"] == 50


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_resumed_run_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = job(tmp_path, batch_size="auto", limit_train=400)
    fine_tune(**options, max_steps=30, keep_state=True)
    monkeypatch.setattr("ratsnlp_like.training.finetune.largest_batch", lambda *_, **__: pytest.fail("searched again"))
    assert fine_tune(**options, max_steps=50, resume=True).summary["steps"] == 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": "auto", "batch_tokens": 512}, "--batch_size auto and --batch_tokens"),
        ({"batch_size": "auto", "devices": 2}, "several devices"),
        ({"batch_size": "large"}, "a whole number or auto"),
        ({"batch_size": 0}, "a number above 0"),
    ],
)
def test_incompatible_options(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    done = command(flags(tmp_path, **changes))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
