"""Two ways to avoid padding: texts grouped by length, or packed into full windows.

    python -m benchmarks.packing --corpus FILE --checkpoint ko-tiny-bert [--tokens 4096] [--rounds 3]

Both learn masked language modelling from the same texts with as many tokens a step; packed texts do not attend to each
other (a mask of blocks, positions that restart). Rounds are interleaved; medians are printed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.data.batches import Batches
from ratsnlp_like.modeling.losses import gather
from ratsnlp_like.tasks.base import Features
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.training.trainer import choose_precision

_WINDOW = 128


def packed(batch: list[Features], window: int) -> Iterator[list[Features]]:
    """Pack texts into windows by first fit."""
    row: list[Features] = []
    for features in batch:
        if row and sum(len(f["input_ids"]) for f in [*row, features]) > window:
            yield row
            row = []
        row.append(features)
    if row:
        yield row


def pack(batch: dict[str, Any], rows: list[list[int]], lengths: list[int]) -> dict[str, Any]:
    """Convert a padded batch to packed rows with a block mask; targets are moved accordingly."""
    out = torch.zeros(len(rows), _WINDOW, dtype=torch.int64)
    places, mask = torch.zeros_like(out), torch.zeros(len(rows), 1, _WINDOW, _WINDOW, dtype=torch.bool)
    moved = np.zeros(batch["input_ids"].numel(), dtype=np.int64)
    longest = batch["input_ids"].shape[1]
    for r, row in enumerate(rows):
        start = 0
        for k in row:
            end = start + lengths[k]
            out[r, start:end] = batch["input_ids"][k, : lengths[k]]
            places[r, start:end] = torch.arange(lengths[k])
            mask[r, 0, start:end, start:end] = True
            moved[k * longest : k * longest + lengths[k]] = r * _WINDOW + np.arange(start, end)
            start = end
        mask[r, 0, start:, start:] = True  # padding looks at itself: a row without anything to see is not a number
    positions = torch.from_numpy(moved[batch["positions"].numpy()])
    inputs = {"input_ids": out, "position_ids": places, "attention_mask": mask}
    return {"inputs": inputs, "positions": positions, "labels": batch["labels"]}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--checkpoint", default="ko-tiny-bert")
    parser.add_argument("--tokens", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    arguments = parser.parse_args()
    task = MaskedLM()
    corpus = open_corpus(arguments.corpus, task.example, task.name)
    examples: list[Any] = list(islice(corpus.examples(Path(), "train"), 50_000))
    name = resolve(arguments.checkpoint)
    config = load_config(name)
    tokenizer = load_tokenizer(name, config)
    features = task.encode(examples, tokenizer, [], _WINDOW)
    lengths = np.array([len(f["input_ids"]) for f in features])
    noise = np.random.default_rng(0)
    grouped, rows = [], []
    for index in islice(Batches(lengths, 1, shuffle=True, batch_tokens=arguments.tokens), arguments.steps):
        batch = task.collate([features[i] for i in index], tokenizer, noise=noise)
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
        grouped.append({"inputs": inputs, "positions": batch["positions"], "labels": batch["labels"]})
    order = iter(noise.permutation(len(features)))
    for _ in range(arguments.steps):
        chosen: list[int] = []
        while lengths[chosen].sum() < arguments.tokens:
            chosen.append(int(next(order)))
        batch = task.collate([features[i] for i in chosen], tokenizer, noise=noise)
        own = [features[i] | {"k": k} for k, i in enumerate(chosen)]
        texts = [[f["k"] for f in row] for row in packed(own, _WINDOW)]
        rows.append(pack(batch, texts, [int(lengths[i]) for i in chosen]))
    model = load_model(name, config, task.model_class(), vocabulary=len(tokenizer), attention="eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    bf16 = choose_precision(TrainingArguments()) == "bf16-mixed"

    def run(batches: list[dict[str, Any]]) -> float:
        began = time.perf_counter()
        for batch in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
                loss = gather(model, batch["inputs"], batch["positions"]).loss(batch["labels"])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        seconds = time.perf_counter() - began
        texts = sum(int((b["labels"] >= 0).sum()) for b in batches)  # targets: a fixed share of the real tokens
        return texts / seconds

    found: dict[str, list[float]] = {"grouped by length": [], "packed": []}
    for _ in range(arguments.rounds + 1):
        for kind, batches in (("grouped by length", grouped), ("packed", rows)):
            found[kind].append(run(batches))
    for kind, speeds in found.items():
        median = statistics.median(speeds[1:])  # the first round warms up
        print(f"{kind}: {median:,.0f} targets a second ({median / task.mask_share:,.0f} tokens a second)")


if __name__ == "__main__":
    main()
