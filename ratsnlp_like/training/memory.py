"""The largest batch that fits into memory: `--batch_size auto`.

The memory of a step is computed from the tensors that the forward pass saves for the backward pass, for a few of the
longest windows. On a GPU a step of the resulting size is run too, and the size is halved while it does not fit.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data.encoding import EncodedSplit
from ..runtime.hardware import free_memory
from ..tasks.base import AnyTask

log = logging.getLogger("ratsnlp_like")

_PROBED_WINDOWS = 4
"""Windows of the forward pass whose memory is measured."""
PEAK_FACTOR = 1.5
"""Peak memory of a step over that of the saved tensors: outputs of single operations, gradients in flight."""
_ADAM_BYTES = 3 * 4
"""Bytes per trained parameter: its gradient and the two moments of AdamW, in 32 bits."""
FREE_SHARE = 0.8
"""Share of the free memory that a step may take."""
_MAX_BATCH, _MIN_STEPS = 256, 50
"""Largest batch, and fewest steps per epoch."""


def largest_batch(
    task: AnyTask, model: Any, split: EncodedSplit, tokenizer: Any, *, device: torch.device, precision: str
) -> int:
    """Return the largest power of two of windows that fits into memory: at most 256, for at least 50 steps per epoch.

    Args:
        task: task of the model.
        model: model to train; it is not changed.
        split: split to train on.
        tokenizer: tokenizer of the model.
        device: device of training.
        precision: precision as Lightning names it.
    """
    longest = np.argsort(-split.unit_lengths).tolist()
    before = model.training, next(model.parameters()).device
    model.to(device).train()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            windows = [split[k] for k in split.windows_of(np.array(longest[:_PROBED_WINDOWS]))]
            few = as_batch(task, windows, tokenizer, device)
            weights = step_bytes(task, model, few, precision, times=0)
            window = (step_bytes(task, model, few, precision, times=1) - weights) / len(longest[:_PROBED_WINDOWS])
            size = _power_of_two(
                min((free_memory(device) * FREE_SHARE - weights) / window, _MAX_BATCH, len(longest) / _MIN_STEPS)
            )
            while device.type == "cuda" and size > 1:
                windows = [split[k] for k in split.windows_of(np.array(list(islice(cycle(longest), size))))]
                if fits(task, model, as_batch(task, windows, tokenizer, device), precision):
                    break
                size //= 2
    finally:
        model.zero_grad(set_to_none=True)
        model.to(before[1]).train(before[0])
    step, free = size * window + weights, free_memory(device)
    log.info("batch size: %d windows (a step takes about %.1f of %.1f GB)", size, step / 1e9, free / 1e9)
    return size


def _power_of_two(most: float) -> int:
    return 2 ** int(np.log2(max(1.0, most)))


def step_bytes(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str, times: float = 1) -> float:
    """Return the peak memory of a training step in bytes, without the weights.

    Args:
        task: task of the model.
        model: model in training mode.
        batch: batch to measure.
        precision: precision as Lightning names it.
        times: factor of the size of the batch; 0 for the part that does not depend on it.
    """
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    activations = times * PEAK_FACTOR * saved_bytes(task, model, batch, precision) if times else 0.0
    return activations + trained * _ADAM_BYTES


def as_batch(task: AnyTask, windows: Sequence[Mapping[str, Any]], tokenizer: Any, device: torch.device) -> Any:
    """Collate windows as in training, on a device."""
    batch = task.collate(windows, tokenizer, noise=np.random.default_rng(0))
    return {name: value.to(device) for name, value in batch.items()}


def _loss(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> Tensor:
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    device = next(iter(batch.values())).device.type
    with torch.autocast(device, dtype=kinds.get(precision, torch.bfloat16), enabled=precision in kinds):
        return task.loss(model, batch)


def saved_bytes(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> int:
    """Return the bytes that a forward pass saves for the backward pass, without the weights."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}

    def record(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(record, lambda tensor: tensor):
        loss = _loss(task, model, batch, precision)  # held, or storages would be reused and counted once
    assert loss.requires_grad
    return max(1, sum(seen.values()))


def fits(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> bool:
    """Return True if a step of this batch does not run out of memory."""
    try:
        _loss(task, model, batch, precision).backward()
    except torch.OutOfMemoryError:
        return False
    finally:
        model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
    return True
