"""Dropout with cheaper masks on a CPU: 16 random bits per value, and masks of one byte per value instead of four."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_STEPS = 2**16
"""Resolution of probabilities: 0.1 becomes 0.10001."""


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, p: float) -> Tensor:
        dropped = min(max(round(p * _STEPS), 0), _STEPS - 1)
        draws = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = draws.view(torch.int16)[: values.numel()].view(values.shape) >= dropped - _STEPS // 2
        ctx.save_for_backward(kept)
        ctx.scale = _STEPS / (_STEPS - dropped)
        return (values * kept).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        (kept,) = ctx.saved_tensors
        return (outer[0] * kept).mul_(ctx.scale), None


def dropout(values: Tensor, p: float, *, training: bool) -> Tensor:
    """Apply dropout as `torch.nn.functional.dropout` does; on a CPU in a third of the time (measured on AVX2).

    Args:
        values: of any shape.
        p: probability that a value becomes 0; the others are divided by 1 - p.
        training: apply dropout; otherwise the values are returned.
    """
    if not training or p == 0 or values.device.type != "cpu" or p == 1:
        return F.dropout(values, p, training)
    made: Tensor = _Dropout.apply(values, p)
    return made


def install(model: nn.Module) -> None:
    """Replace the forward of all dropout modules of a model by `dropout`."""
    for module in model.modules():
        if type(module) is nn.Dropout:
            module.forward = MethodType(_forward, module)  # type: ignore[method-assign]


def _forward(module: nn.Dropout, values: Tensor) -> Tensor:
    return dropout(values, module.p, training=module.training)
