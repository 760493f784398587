"""A bare loop in PyTorch: batches grouped by length and padded to their longest, bf16 where the hardware has it,
fused AdamW.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, get_linear_schedule_with_warmup

from benchmarks.peers.clock import Clock, trainer_parser, write
from benchmarks.peers.rows import read
from ratsnlp_like.runtime.hardware import computes_bf16


def batches(lengths: Sequence[int], size: int, *, seed: int) -> Iterator[list[int]]:
    """Iterate over batches of rows of similar length, in random order."""
    noise = random.Random(seed)
    order = sorted(range(len(lengths)), key=lambda k: (lengths[k], noise.random()))
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    noise.shuffle(groups)
    yield from groups


def padded(tokens: Sequence[list[int]], padding: int) -> dict[str, torch.Tensor]:
    """Shape: (batch, longest text)."""
    rows = [torch.tensor(row) for row in tokens]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=padding)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
    return {"input_ids": ids, "attention_mask": mask}


def autocast() -> Any:
    """Numbers of 16 bits in matrix products, where they are faster."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_bf16("cpu"))


def main() -> None:
    """Read, tokenize, train, evaluate, save."""
    arguments = trainer_parser(__doc__).parse_args()
    torch.manual_seed(arguments.seed)
    clock = Clock()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    model = AutoModelForSequenceClassification.from_pretrained(
        arguments.model, num_labels=2, attn_implementation="eager"
    )
    encoded: dict[str, Any] = {}
    for split in ("train", "test"):
        texts, classes = read(getattr(arguments, split))
        encoded[split] = tokenizer(texts, truncation=True, max_length=128)["input_ids"], torch.tensor(classes)
    tokens, labels = encoded["train"]
    steps = -(-len(tokens) // 32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.learning_rate, weight_decay=0.01, fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 10, steps)

    model.train()
    clock.start()
    for index in batches([len(row) for row in tokens], 32, seed=arguments.seed):
        batch = padded([tokens[k] for k in index], tokenizer.pad_token_id)
        with autocast():
            loss = model(**batch, labels=labels[index]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        clock.step()

    model.eval()
    held_out, answers = encoded["test"]
    right = 0
    for i in range(0, len(held_out), 64):
        with torch.inference_mode(), autocast():
            logits = model(**padded(held_out[i : i + 64], tokenizer.pad_token_id)).logits
        right += int((logits.argmax(-1) == answers[i : i + 64]).sum())
    model.save_pretrained(arguments.output)
    write(arguments.result, clock.figures(len(tokens)) | {"accuracy": right / len(held_out)})


if __name__ == "__main__":
    main()
