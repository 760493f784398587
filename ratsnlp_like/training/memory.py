"""How large a batch may be: `--batch_size auto`.

What a step needs is counted, not tried out: the numbers that the forward pass keeps for the way back, for a few of the
longest windows. On a GPU a step of the size that was found is taken as well, and the size halved while it does not fit.
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

_LOOKED_AT = 4
"""Windows that the forward pass is looked at with."""
_PASSING = 1.5
"""What a step takes at its peak, over what it keeps: outputs of single operations, gradients on their way."""
_OF_ADAM = 3 * 4
"""Bytes for each weight that learns: its gradient and AdamW's two means, in 32 bits."""
_SHARE = 0.8
"""Of the memory that is free."""
_MOST, _STEPS = 256, 50
"""No larger batch, and no fewer steps in an epoch: a model learns in steps."""


def largest_batch(
    task: AnyTask, model: Any, split: EncodedSplit, tokenizer: Any, *, device: torch.device, precision: str
) -> int:
    """The largest power of two of windows that a step can hold in memory; at most 256, and at least 50 steps an epoch.

    Args:
        task: of the model.
        model: as it will be trained; it is left as it was.
        split: to train on.
        tokenizer: of the model.
        device: that it will be trained on.
        precision: as Lightning names it.
    """
    longest = np.argsort(-split.unit_lengths).tolist()
    before = model.training, next(model.parameters()).device
    model.to(device).train()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            windows = [split[k] for k in split.windows_of(np.array(longest[:_LOOKED_AT]))]
            few = as_batch(task, windows, tokenizer, device)
            weights = step_bytes(task, model, few, precision, times=0)
            window = (step_bytes(task, model, few, precision, times=1) - weights) / len(longest[:_LOOKED_AT])
            size = _power_of_two(min((free_memory(device) * _SHARE - weights) / window, _MOST, len(longest) / _STEPS))
            while device.type == "cuda" and size > 1:
                windows = [split[k] for k in split.windows_of(np.array(list(islice(cycle(longest), size))))]
                if _fits(task, model, as_batch(task, windows, tokenizer, device), precision):
                    break
                size //= 2
    finally:
        model.zero_grad(set_to_none=True)
        model.to(before[1]).train(before[0])
    step, whole = size * window + weights, free_memory(device)
    log.info("batch size: %d windows (a step takes about %.1f of %.1f GB)", size, step / 1e9, whole / 1e9)
    return size


def _power_of_two(most: float) -> int:
    return 2 ** int(np.log2(max(1.0, most)))


def step_bytes(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str, times: float = 1) -> float:
    """What a training step takes at its peak, beside the weights.

    Args:
        task: of the model.
        model: in training.
        batch: to look at.
        precision: as Lightning names it.
        times: so many times as large a batch; 0 for what a step takes whatever its batch.
    """
    learning = sum(p.numel() for p in model.parameters() if p.requires_grad)
    activations = times * _PASSING * _kept(task, model, batch, precision) if times else 0.0
    return activations + learning * _OF_ADAM


def as_batch(task: AnyTask, windows: Sequence[Mapping[str, Any]], tokenizer: Any, device: torch.device) -> Any:
    """Windows on a device."""
    batch = task.collate(windows, tokenizer, noise=np.random.default_rng(0))
    return {name: value.to(device) for name, value in batch.items()}


def _loss(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> Tensor:
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    device = next(iter(batch.values())).device.type
    with torch.autocast(device, dtype=kinds.get(precision, torch.bfloat16), enabled=precision in kinds):
        return task.loss(model, batch)


def _kept(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> int:
    """Bytes that a forward pass keeps for the way back, weights apart."""
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    seen: dict[int, int] = {}

    def look(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(look, lambda tensor: tensor):
        kept_alive = _loss(task, model, batch, precision)  # or storages would be given away and counted once
    assert kept_alive.requires_grad
    return max(1, sum(seen.values()))


def _fits(task: AnyTask, model: Any, batch: Mapping[str, Tensor], precision: str) -> bool:
    try:
        _loss(task, model, batch, precision).backward()
    except torch.OutOfMemoryError:
        return False
    finally:
        model.zero_grad(set_to_none=True)
        torch.cuda.empty_cache()
    return True
