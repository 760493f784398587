"""Memory and time of a LoRA step on a decoder: weights in fp32 and bf16, with and without gradient checkpointing.

    python -m benchmarks.decoder_memory [--layers 24] [--width 1024] [--texts 4] [--tokens 128]

A Llama with random weights, saved in bf16 as such checkpoints are; each row in a process of its own (Linux). Memory is
counted from before the model is loaded. Loading: the process's own memory at its peak, and the largest part of the file
that is mapped meanwhile, which the system takes back where memory is short; bf16 weights stay mapped until they are
written to. Step: the peak of both in two steps. `estimated` is the memory of the step that `--batch_size auto` counts,
without the weights. CPU time is that of all threads, in the second step.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.step_memory import resident

ROWS = (("fp32", False), ("fp32", True), ("bf16", False), ("bf16", True))
KINDS = ("RssAnon", "RssFile")
"""Memory of the process alone, and of mapped files, in /proc/self/status."""


@contextmanager
def sampled() -> Iterator[dict[str, int]]:
    """Record the largest size of both kinds of memory, every 2 ms."""
    largest, done = dict.fromkeys(KINDS, 0), threading.Event()

    def sample() -> None:
        while not done.wait(0.002):
            largest.update({kind: max(size, resident(kind)) for kind, size in largest.items()})

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield largest
    finally:
        done.set()
        thread.join()


def write_checkpoint(folder: Path, layers: int, width: int) -> None:
    """Write a Llama with random weights in bf16 and the tokenizer of ko-tiny-gpt."""
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from ratsnlp_like.checkpoints.base import BUNDLED

    tokenizer = PreTrainedTokenizerFast.from_pretrained(BUNDLED / "ko-tiny-gpt")
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=32_000,
        hidden_size=width,
        intermediate_size=11 * width // 4,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        num_key_value_heads=width // 64,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)


def measure(folder: Path, weights: str, texts: int, tokens: int, *, checkpointing: bool) -> None:
    """Load a model with adapters, train two steps, and print peak memory and the CPU time of the second."""
    from ratsnlp_like.arguments import ModelArguments
    from ratsnlp_like.checkpoints import adapters as lora
    from ratsnlp_like.checkpoints.base import load_config
    from ratsnlp_like.checkpoints.model import load_model
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
    from ratsnlp_like.registry import TASKS
    from ratsnlp_like.training import memory
    from ratsnlp_like.training.model import checkpoint_gradients

    name, task = str(folder), TASKS["causal-lm"]()
    config = load_config(name)
    tokenizer = load_tokenizer(name, config)
    before = {kind: resident(kind) for kind in ("VmRSS", *KINDS)}
    arguments = ModelArguments(lora=True, weights=weights, gradient_checkpointing=checkpointing)  # type: ignore[arg-type]
    with sampled() as loading:
        model = load_model(
            name, config, task.model_class(), vocabulary=len(tokenizer), attention="eager", weights=arguments.weights
        )
    lora.add(model, arguments, name)
    if checkpointing:
        checkpoint_gradients(model)
    precision = "32" if weights == "fp32" else "bf16-mixed"
    windows = [{"input_ids": [5] * tokens, "example": k, "lost": 0} for k in range(texts)]
    batch = memory.as_batch(task, windows, tokenizer, torch.device("cpu"))
    estimated = memory.step_bytes(task, model, batch, precision)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak starts again
    for _ in range(2):
        begin = time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision != "32"):
            loss = task.loss(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.process_time() - begin
    sizes = [loading[kind] - before[kind] for kind in KINDS]
    sizes += [resident("VmHWM") - before["VmRSS"], estimated]
    cells = " | ".join(f"{size / 1e6:,.0f} MB" for size in sizes)
    print(f"| {weights} | {'yes' if checkpointing else 'no'} | {cells} | {seconds:.1f} s |", flush=True)


def main() -> None:
    """Run a process for each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--texts", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--one", nargs=3, help="folder, weights, checkpointing: one row, in this process")
    arguments = parser.parse_args()
    if arguments.one:
        folder, weights, flag = arguments.one
        measure(Path(folder), weights, arguments.texts, arguments.tokens, checkpointing=flag == "yes")
        return
    print("| weights | gradient checkpointing | loading: own | mapped file | step | estimated | CPU time of a step |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as name:
        write_checkpoint(Path(name), arguments.layers, arguments.width)
        for weights, flag in ROWS:
            own = ["--texts", str(arguments.texts), "--tokens", str(arguments.tokens)]
            command = [sys.executable, "-m", "benchmarks.decoder_memory", *own, "--one", name, weights]
            subprocess.run([*command, "yes" if flag else "no"], check=True)


if __name__ == "__main__":
    main()
