"""Gradients of a step that is cut into batches and processes, compared with those of one batch.

    python -m benchmarks.gradients [--losses ner question-answering ...]

27 rows whose numbers of targets differ (words, windows, tokens, weights). The first optimizer step takes all of them:
in one batch, in accumulated batches of 8 windows, of which the last is smaller, and in both ways on 2 and 3 processes
(DDP with gloo on the CPU), whose shares are uneven. The table has the relative difference of the gradients,
|g - h| / |g|, in fp32.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import AnyTask
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.training.module import TaskModule
from ratsnlp_like.training.trainer import quiet_lightning

ROWS = 27
BERT = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
BERT |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
GPT = {"n_layer": 1, "n_embd": 32, "n_head": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


class SameMasks(MaskedLM):
    """Masked language modelling with masks by the content of a window, as in evaluation: the same in any batch."""

    def collate(self, features: Any, tokenizer: Any, *, noise: Any = None) -> Any:
        return super().collate(features, tokenizer)


@dataclass(frozen=True)
class Loss:
    """A loss and rows to compute it of."""

    task: AnyTask
    rows: Sequence[Mapping[str, Any]]

    @property
    def causal(self) -> bool:
        """True for a GPT, False for a BERT."""
        return self.task.name in {"causal-lm", "generation"}


@dataclass(frozen=True)
class Cut:
    """Batches and processes of a step."""

    batch_size: int
    accumulate: int = 1
    processes: int = 1

    def __str__(self) -> str:
        batches = f"batches of {self.batch_size}" if self.accumulate > 1 else "one batch"
        return f"{batches}, {self.processes} processes" if self.processes > 1 else batches


WHOLE = Cut(256)
"""One batch of all windows."""
CUTS = (Cut(8, 32), Cut(256, 1, 2), Cut(8, 32, 2), Cut(256, 1, 3), Cut(8, 32, 3))


def losses() -> dict[str, Loss]:
    """Return every loss with a number of targets that varies, and those it is easily confused with."""
    words = [" ".join(["강가를 걷다가 부산에서 온 친구를 만났다"] * (1 + i % 4)) + f" {i}" for i in range(ROWS)]
    texts = [{"text": word} for word in words]
    classes = [{"text": word, "label": "ab"[i % 3 == 0]} for i, word in enumerate(words)]
    several = [{"text": word, "label": ["a", "b", "c"][: i % 4]} for i, word in enumerate(words)]
    pairs = [{"sentence1": word, "sentence2": word[: 5 + i]} for i, word in enumerate(words)]
    scored = [pair | {"score": i % 6} for i, pair in enumerate(pairs)]
    related = [pair | {"label": "abc"[i % 3]} for i, pair in enumerate(pairs)]
    asked = [{"question": f"{i}번은 어디?", "context": word, "answers": ["강가"] if i % 4 == 0 else []}
             for i, word in enumerate(words)]  # fmt: skip
    prompts = [{"prompt": f"{i}번?", "completion": word} for i, word in enumerate(words)]
    weights = {"class_weights": (0.2, 3.0)}
    return {
        "classification": Loss(TASKS["classification"](), classes),
        "classification, class weights": Loss(TASKS["classification"](**weights), classes),
        "classification, class weights, smoothed": Loss(
            TASKS["classification"](**weights, label_smoothing=0.1), classes
        ),
        "classification, windows of long texts": Loss(TASKS["classification"](long_text="windows"), classes),
        "classification, several labels": Loss(TASKS["classification"](), several),
        "pair": Loss(TASKS["pair"](class_weights="balanced"), related),
        "similarity": Loss(TASKS["similarity"](), scored),
        "ner": Loss(TASKS["ner"](), list(_entities())),
        "ner, smoothed": Loss(TASKS["ner"](label_smoothing=0.1), list(_entities())),
        "question-answering": Loss(TASKS["question-answering"](doc_stride=8), asked),
        "masked-lm": Loss(SameMasks(), texts),
        "causal-lm": Loss(TASKS["causal-lm"](), texts),
        "causal-lm, smoothed": Loss(TASKS["causal-lm"](label_smoothing=0.1), texts),
        "generation": Loss(TASKS["generation"](), prompts),
    }


def _entities() -> Iterator[dict[str, Any]]:
    for i in range(ROWS):
        start = len(str(i)) + 1 + 3 * (i % 5)
        entity = {"start": start, "end": start + 2, "label": "LC"}
        yield {"text": f"{i} {'부산 ' * (i % 5)}서울에 갔다", "entities": [entity]}


class _Recorder(pl.Callback):
    """Keeps the gradient of the first step, as callbacks of users see it."""

    gradient: torch.Tensor | None = None

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        if self.gradient is None:
            grads = [p.grad.flatten() for p in pl_module.parameters() if p.grad is not None]
            self.gradient = torch.cat(grads).clone()


def gradient(loss: Loss, cut: Cut, folder: Path) -> torch.Tensor:
    """Return the gradient of the first step. Shape: (parameters,).

    Args:
        loss: the loss and its rows.
        cut: with several processes, this is one of them.
        folder: for the file of the rows and the cache.
    """
    quiet_lightning()
    logging.getLogger("ratsnlp_like").setLevel(logging.ERROR)  # the rows are validated on, which is reported
    path = folder / f"{loss.task.name}-{len(json.dumps(list(loss.rows)))}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in loss.rows), encoding="utf-8")
    checkpoint = resolve("ko-tiny-gpt" if loss.causal else "ko-blank-bert")
    config = load_config(checkpoint, GPT if loss.causal else BERT)
    tokenizer = load_tokenizer(checkpoint, config)
    data = TaskDataModule(
        loss.task, path, tokenizer, eval_corpus=path, cache=folder / "cache", batch_size=cut.batch_size, max_length=40
    )
    data.setup("fit")
    data.task.configure(config, data.labels or [])
    torch.manual_seed(0)
    model = load_model(checkpoint, config, data.task.model_class(), vocabulary=len(tokenizer), init="random")
    recorder = _Recorder()
    module = TaskModule(data.task, model, data.labels or [], TrainingArguments(warmup=0, accumulate=cut.accumulate))
    trainer = pl.Trainer(
        max_steps=1, accelerator="cpu", devices=cut.processes, strategy="ddp" if cut.processes > 1 else "auto",
        accumulate_grad_batches=cut.accumulate, gradient_clip_val=1.0, use_distributed_sampler=False,
        limit_val_batches=0, callbacks=[recorder], default_root_dir=folder, logger=False, enable_checkpointing=False,
        enable_model_summary=False, enable_progress_bar=False,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    assert recorder.gradient is not None
    return recorder.gradient


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the relative difference of two gradients."""
    return float((one - other).norm() / one.norm())


def gradients_of_processes(names: Sequence[str], cuts: Sequence[Cut], folder: Path) -> dict[tuple[str, Cut], Any]:
    """Return gradients by loss and cut; all cuts are of one number of processes, which this function starts."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = cuts[0].processes
    shared = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "benchmarks.gradients", "--worker", str(folder), "--losses", *names, "--cuts"]
    command += [f"{cut.batch_size},{cut.accumulate},{cut.processes}" for cut in cuts]
    workers = [
        subprocess.Popen(command, env=shared | {"LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)})
        for rank in range(processes)
    ]
    codes = [worker.wait() for worker in workers]
    if any(codes):
        raise SystemExit(f"processes ended with {codes}")
    found = torch.load(folder / "gradients.pt", weights_only=True)
    return dict(zip(product(names, cuts), found, strict=True))


def _worker(folder: Path, names: Sequence[str], cuts: Sequence[Cut]) -> None:
    known = losses()
    own = folder / os.environ["LOCAL_RANK"]
    own.mkdir(exist_ok=True)
    found = [gradient(known[name], cut, own) for name, cut in product(names, cuts)]
    if os.environ["LOCAL_RANK"] == "0":
        torch.save(found, folder / "gradients.pt")


def table(names: Sequence[str], cuts: Sequence[Cut]) -> dict[str, dict[Cut, float]]:
    """Return the relative differences by loss and cut."""
    known = losses()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        whole = {name: gradient(known[name], WHOLE, folder) for name in names}
        found = {
            (name, cut): gradient(known[name], cut, folder) for name in names for cut in cuts if cut.processes == 1
        }
        for processes in sorted({cut.processes for cut in cuts} - {1}):
            found |= gradients_of_processes(names, [cut for cut in cuts if cut.processes == processes], folder)
    return {name: {cut: difference(whole[name], found[name, cut]) for cut in cuts} for name in names}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--losses", nargs="+", choices=list(losses()), default=list(losses()))
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--cuts", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None:
        cuts = [Cut(*map(int, cut.split(","))) for cut in arguments.cuts]
        _worker(arguments.worker, arguments.losses, cuts)
        return
    print(f"| loss | {' | '.join(map(str, CUTS))} |")
    print("| --- |" + " --- |" * len(CUTS))
    for name, row in table(arguments.losses, CUTS).items():
        print(f"| {name} | {' | '.join(f'{row[cut]:.1e}' for cut in CUTS)} |", flush=True)


if __name__ == "__main__":
    main()
