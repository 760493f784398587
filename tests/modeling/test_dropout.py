"""Dropout with cheap masks: the distribution and the gradient of torch's own."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from ratsnlp_like.modeling import dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_share_scale_and_gradient(p: float, kind: torch.dtype) -> None:
    torch.manual_seed(0)
    values = torch.ones(400, 501, dtype=kind, requires_grad=True)  # no multiple of four
    out = dropout.dropout(values, p, training=True)
    dropped = out == 0
    n = values.numel()
    assert abs(float(dropped.float().mean()) - p) < 4 * (p * (1 - p) / n) ** 0.5 + 1e-4
    assert torch.unique(out[~dropped]).tolist() == pytest.approx(
        [1 / (1 - p)], rel=1e-2 if kind == torch.bfloat16 else 1e-3
    )
    out.sum().backward()
    assert torch.equal(values.grad, out.detach())  # of ones, the gradient is the mask


def test_neighbours_are_independent() -> None:
    """Four values share one draw of 64 bits: no pair of its parts may go together."""
    torch.manual_seed(1)
    dropped = (dropout.dropout(torch.ones(200_000, 4), 0.3, training=True) == 0).float()
    correlations = torch.corrcoef(dropped.t()) - torch.eye(4)
    assert float(correlations.abs().max()) < 0.01


def test_the_seed_decides() -> None:
    values = torch.ones(1000)
    made = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        made.append(dropout.dropout(values, 0.5, training=True))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_nothing_is_dropped_in_evaluation_and_all_at_one() -> None:
    values = torch.randn(50)
    assert torch.equal(dropout.dropout(values, 0.5, training=False), values)
    assert torch.equal(dropout.dropout(values, 0.0, training=True), values)
    assert float(dropout.dropout(values, 1.0, training=True).abs().max()) == 0


def test_modules_of_a_model() -> None:
    net = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5))
    dropout.install(net)
    other = copy.deepcopy(net)
    other[1].p = 0.0
    values = torch.randn(64, 8)
    assert not torch.equal(net(values), net(values))
    assert torch.equal(other(values), net.eval()(values))  # a copy has a probability of its own
