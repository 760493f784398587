"""Memory of a step as `--batch_size auto` estimates it, and the measured peak.

    python -m benchmarks.step_memory [--batch 16 32] [--tokens 128]

A BERT of 6 layers, 512 wide, with random weights, in fp32 on the CPU; two steps of AdamW. Linux only.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
from pathlib import Path

import torch


def resident(name: str) -> int:
    """Return a size of /proc/self/status in bytes, such as `VmRSS` (current) or `VmHWM` (peak)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("utf-8").splitlines())
    return int(lines[name].split()[0]) * 1024


def measure(batch: int, tokens: int) -> None:
    """Measure one size; run in a separate process, because memory of another size would count."""
    from transformers import BertConfig, BertForSequenceClassification

    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.modeling import unpadded
    from ratsnlp_like.registry import TASKS
    from ratsnlp_like.training import memory

    name = resolve("ko-tiny-bert")
    tokenizer, task = load_tokenizer(name, load_config(name)), TASKS["classification"]()
    shape = {"num_hidden_layers": 6, "hidden_size": 512, "num_attention_heads": 8, "intermediate_size": 2048}
    model = BertForSequenceClassification(BertConfig(**shape, vocab_size=8000, attn_implementation="eager")).train()
    unpadded.install(model)
    windows = [{"input_ids": [5] * tokens, "token_type_ids": [0] * tokens, "labels": k % 2} for k in range(batch)]
    cpu = torch.device("cpu")
    estimated = memory.step_bytes(task, model, memory.as_batch(task, windows[:4], tokenizer, cpu), "32", batch / 4)
    gc.collect()
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "utf-8")
    whole = memory.as_batch(task, windows, tokenizer, cpu)
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    for _ in range(2):
        task.loss(model, whole).backward()
        optimizer.step()
        optimizer.zero_grad()
    print(f"| {batch} | {estimated / 1e6:,.0f} | {(resident('VmHWM') - before) / 1e6:,.0f} |", flush=True)


def main() -> None:
    """Run a process for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--one", action="store_true", help="one size, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        measure(arguments.batch[0], arguments.tokens)
        return
    print("| texts | estimated MB | measured MB |\n| --- | --- | --- |", flush=True)
    for batch in arguments.batch:
        own = ["--one", "--batch", str(batch), "--tokens", str(arguments.tokens)]
        subprocess.run([sys.executable, "-m", "benchmarks.step_memory", *own], check=True)


if __name__ == "__main__":
    main()
