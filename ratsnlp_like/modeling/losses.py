"""Cross entropy over a vocabulary without the logits of a whole batch in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import unpadded

_ROWS = 512
"""Rows of logits in memory at a time."""
_RESHAPED = ("final_logit_softcapping", "logit_scale", "logits_scaling", "mup_logit_scale")
"""Settings of a configuration under which logits are more than a linear map of the hidden states."""


class LinearCrossEntropy(torch.autograd.Function):
    """The summed cross entropy of `linear(hidden, weight, bias)`, computed in chunks.

    Gradients are computed in the forward pass from the softmax of each chunk: the logits of all rows would be the
    largest tensor of a training step (Liger's fused linear cross entropy, arXiv:2410.10989).

    `torch.nn.functional.linear_cross_entropy` of torch 2.13 is no replacement under bf16: of 4,096 rows, 768 wide,
    over 32,000 tokens on a CPU it takes 9.3 s within autocast, which it computes in fp32, and this function 4.7 s;
    with tensors in bf16 its loss is rounded to bf16 (10.25 for 10.53). In fp32 the two are equally fast.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, low: Any, smoothing: float = 0
    ) -> Tensor:
        """*Shape:* hidden (rows, width), weight (vocabulary, width), targets (rows,); the loss is a scalar.

        Args:
            ctx: of autograd.
            hidden: input of the last linear layer.
            weight: of that layer.
            bias: of that layer.
            targets: ids.
            low: type of the matrix products.
            smoothing: share of the target distribution that is spread evenly over the vocabulary.
        """
        matrix = weight.to(low)
        d_hidden = torch.empty_like(hidden)
        d_weight = torch.zeros_like(weight, dtype=torch.float32)
        d_bias = None if bias is None else torch.zeros_like(bias, dtype=torch.float32)
        total = hidden.new_zeros((), dtype=torch.float32)
        for start in range(0, len(targets), _ROWS):
            rows = hidden[start : start + _ROWS].to(low)
            wanted = targets[start : start + _ROWS, None]
            logits = (rows @ matrix.t()).float()
            if bias is not None:
                logits += bias
            logits -= logits.amax(1, keepdim=True)
            picked = logits.gather(1, wanted)
            if smoothing:
                picked = (1 - smoothing) * picked + smoothing * logits.mean(1, keepdim=True)
            sums = logits.exp_().sum(1, keepdim=True)
            total += (sums.log() - picked).sum()
            logits /= sums
            # softmax - target distribution
            logits.scatter_add_(1, wanted, logits.new_full((), smoothing - 1.0).expand_as(wanted))
            if smoothing:
                logits -= smoothing / logits.shape[1]
            if d_bias is not None:
                d_bias += logits.sum(0)
            error = logits.to(low)
            d_hidden[start : start + _ROWS] = error @ matrix
            d_weight += (error.t() @ rows).float()
        ctx.save_for_backward(d_hidden, d_weight.to(weight.dtype), None if d_bias is None else d_bias.to(weight.dtype))
        return total

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> Any:
        """Return the gradients of the forward pass, times that of the loss."""
        scale = outer[0]
        return *(None if part is None else part * scale for part in ctx.saved_tensors), None, None, None


class Gathered(NamedTuple):
    """Hidden states of a language model before its output layer, at some positions of a batch."""

    hidden: Tensor
    """Input of the output layer; the logits themselves where there is no such layer. *Shape:* (positions, ...)."""
    head: nn.Linear | None
    """The output layer."""

    def loss(self, targets: Tensor, smoothing: float = 0.0) -> Tensor:
        """Return the mean cross entropy, with smoothed targets. *Shape:* targets (positions,), ids."""
        if self.head is None:
            total = F.cross_entropy(self.hidden.float(), targets, reduction="sum", label_smoothing=smoothing)
        else:
            low = _multiplied_in(self.hidden)
            total = LinearCrossEntropy.apply(self.hidden, self.head.weight, self.head.bias, targets, low, smoothing)
        return total / max(1, len(targets))

    def logits(self) -> Iterator[Tensor]:
        """Yield logits in fp32 for some positions at a time. *Shape:* (some positions, vocabulary)."""
        for start in range(0, len(self.hidden), _ROWS):
            rows = self.hidden[start : start + _ROWS]
            yield (rows if self.head is None else F.linear(rows, self.head.weight, self.head.bias)).float()


def gather(model: Any, inputs: Mapping[str, Tensor], positions: Tensor) -> Gathered:
    """Run a language model up to its output layer; only some positions go through its head.

    Heads differ between models, and each of them works on single positions. So hooks on the model itself select the
    positions after its body, and leave none for the output layer.

    Args:
        model: a masked or causal language model of transformers.
        inputs: of the model. *Shape:* (batch, tokens).
        positions: in the flattened batch. *Shape:* (positions,).
    """
    if (logits_at := getattr(model, "logits_at", None)) is not None:  # a graph was exported from this very function
        return Gathered(logits_at(inputs, positions), None)
    head = model.get_output_embeddings()
    plain = not isinstance(head, nn.Linear) or any(getattr(model.config, name, None) for name in _RESHAPED)
    caught: list[Tensor] = []

    def after_body(module: Any, arguments: Any, output: Any) -> Any:
        chosen = output[0].flatten(0, 1).index_select(0, positions).unsqueeze(0)
        if isinstance(output, tuple):
            return (chosen, *output[1:])
        output["last_hidden_state"] = chosen
        return output

    def before_head(module: Any, arguments: Any) -> Any:
        caught.append(arguments[0])
        return (arguments[0][:, :0],)

    hooks = []
    if unpadded.installed(model):
        inputs = {**inputs, "kept": positions}  # the last layer is computed for these alone
    else:
        hooks.append(model.base_model.register_forward_hook(after_body))
    if not plain:
        hooks.append(head.register_forward_pre_hook(before_head))
    try:
        logits = model(**inputs).logits
    finally:
        for hook in hooks:
            hook.remove()
    return Gathered(logits[0], None) if plain else Gathered(caught[0][0], head)


def _multiplied_in(tensor: Tensor) -> torch.dtype:
    kind = tensor.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else tensor.dtype
