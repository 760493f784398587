"""The gradient of a step is that of the mean over all its targets, however it is cut into batches and processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from helpers import CHECKPOINT, NO_DROPOUT, TINY, new_tokenizer, tsv, write
from helpers_training import quiet_trainer

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.data.batches import Batches
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.registry import TASKS
from ratsnlp_like.training.module import TaskModule

GPT = {"n_layer": 1, "n_embd": 32, "n_head": 2}
GPT_NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


class Recorder(pl.Callback):
    """Keeps the gradient of the first step, as callbacks of users see it."""

    gradient: torch.Tensor | None = None

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        if self.gradient is None:
            grads = [p.grad.flatten() for p in pl_module.parameters() if p.grad is not None]
            self.gradient = torch.cat(grads).clone()


def texts(folder: Path) -> dict[str, tuple[Path, dict[str, Any]]]:
    """For each task a file of 27 rows whose numbers of targets differ, and its options."""
    words = [" ".join(["강가를 걷다가 부산에서 온 친구를 만났다"] * (1 + i % 4)) + f" {i}" for i in range(27)]
    entities = [
        {"text": f"{i} {'부산 ' * (i % 5)}서울에 갔다", "entities": [{"start": len(str(i)) + 1 + 3 * (i % 5),
         "end": len(str(i)) + 3 + 3 * (i % 5), "label": "LC"}]}
        for i in range(27)
    ]  # fmt: skip
    raw = write(folder / "raw.jsonl", "".join(json.dumps({"text": word}) + "\n" for word in words))
    rows = [(word, "ab"[i % 3 == 0]) for i, word in enumerate(words)]
    pairs = [(word, word[: 5 + i], f"{i % 6}") for i, word in enumerate(words)]
    prompts = "".join(json.dumps({"prompt": f"{i}번?", "completion": word}) + "\n" for i, word in enumerate(words))
    reviews = tsv(folder / "rows.tsv", rows)
    return {
        "classification": (reviews, {}),
        "weighted": (reviews, {"class_weights": (0.2, 3.0)}),
        "smoothed": (reviews, {"class_weights": (0.2, 3.0), "label_smoothing": 0.1}),
        "similarity": (tsv(folder / "pairs.tsv", pairs, "sentence1\tsentence2\tscore"), {}),
        "ner": (write(folder / "ner.jsonl", "".join(json.dumps(row) + "\n" for row in entities)), {}),
        "masked-lm": (raw, {"mask_share": 0.3} if "mask_share" in vars(TASKS["masked-lm"]) else {}),
        "causal-lm": (raw, {}),
        "generation": (write(folder / "prompts.jsonl", prompts), {}),
    }


def gradient(folder: Path, kind: str, batch_size: int, accumulate: int) -> torch.Tensor:
    path, fields = texts(folder)[kind]
    name = {"weighted": "classification", "smoothed": "classification"}.get(kind, kind)
    causal = name in {"causal-lm", "generation"}
    checkpoint = resolve("ko-tiny-gpt" if causal else CHECKPOINT)
    config = load_config(checkpoint, GPT | GPT_NO_DROPOUT if causal else TINY | NO_DROPOUT)
    tokenizer = load_tokenizer(checkpoint, config) if causal else new_tokenizer()
    data = TaskDataModule(
        TASKS[name](**fields), path, tokenizer, eval_corpus=path, cache=folder / "cache", batch_size=batch_size,
        max_length=64,
    )  # fmt: skip
    data.setup("fit")
    data.task.configure(config, data.labels or [])
    torch.manual_seed(0)
    model = load_model(checkpoint, config, data.task.model_class(), vocabulary=len(tokenizer), init="random")
    recorder = Recorder()
    module = TaskModule(data.task, model, data.labels or [], TrainingArguments(warmup=0, accumulate=accumulate))
    trainer = quiet_trainer(
        folder, max_steps=1, max_epochs=1, accumulate_grad_batches=accumulate, limit_val_batches=0,
        gradient_clip_val=1.0, use_distributed_sampler=False, callbacks=[recorder],
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    assert recorder.gradient is not None
    return recorder.gradient


KINDS = ["classification", "weighted", "smoothed", "similarity", "ner", "causal-lm", "generation"]


@pytest.mark.parametrize("kind", KINDS)
def test_accumulation_gives_the_gradient_of_one_batch(tmp_path: Path, kind: str) -> None:
    """27 rows: batches of 8, 8, 8 and 3 against one of 32."""
    one, several = gradient(tmp_path, kind, 32, 1), gradient(tmp_path, kind, 8, 4)
    assert float(one.norm()) > 0
    assert float((one - several).norm() / one.norm()) < 1e-4


def test_a_group_that_is_not_full(tmp_path: Path) -> None:
    """27 rows in batches of 8 with groups of 16: the only step has 4 batches."""
    one, several = gradient(tmp_path, "ner", 32, 1), gradient(tmp_path, "ner", 8, 16)
    assert float((one - several).norm() / one.norm()) < 1e-4


def test_masks_differ_by_batch_but_not_the_scale(tmp_path: Path) -> None:
    """Masked language modeling draws its masks per batch: only the size of the gradient can be compared."""
    one, several = gradient(tmp_path, "masked-lm", 32, 1), gradient(tmp_path, "masked-lm", 8, 4)
    assert float(several.norm() / one.norm()) == pytest.approx(1, abs=0.5)


def test_a_window_that_is_taken_to_keep_step_is_marked() -> None:
    import numpy as np

    ranks = [Batches(np.array([5, 4, 3]), 2, shuffle=False, rank=r, world_size=2) for r in range(2)]
    marks = [[(batch.tolist(), batches.repeated) for batch in batches] for batches in ranks]
    assert marks == [[([0], False), ([2], False)], [([1], False), ([2], True)]]
