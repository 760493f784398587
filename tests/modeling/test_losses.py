"""Cross entropy over a vocabulary by chunks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional as F

from ratsnlp_like.modeling.losses import _ROWS, LinearCrossEntropy


class TestLinearCrossEntropy:
    @pytest.mark.parametrize("rows", [1, 7, _ROWS, _ROWS + 1, 2 * _ROWS + 3])
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("smoothing", [0.0, 0.1])
    def test_value_and_gradients(self, rows: int, bias: bool, smoothing: float) -> None:
        torch.manual_seed(rows)
        values = [torch.randn(rows, 8), torch.randn(50, 8), torch.randn(50) if bias else None]
        targets = torch.randint(50, (rows,))

        def run(call: Any) -> tuple[float, list[torch.Tensor]]:
            own = [None if v is None else v.clone().requires_grad_() for v in values]
            loss = call(*own)
            (3 * loss).backward()  # the gradient from outside counts
            return float(loss), [v.grad for v in own if v is not None and v.grad is not None]

        options: Any = {"reduction": "sum", "label_smoothing": smoothing}
        plain, expected = run(lambda h, w, b: F.cross_entropy(F.linear(h, w, b), targets, **options))
        ours, found = run(lambda h, w, b: LinearCrossEntropy.apply(h, w, b, targets, torch.float32, smoothing))
        assert ours == pytest.approx(plain, rel=1e-5)
        assert len(found) == len(expected) == 2 + bias
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)

    def test_logits_too_large_for_exp(self) -> None:
        hidden, weight = torch.tensor([[1000.0]], requires_grad=True), torch.tensor([[1.0], [-1.0]])
        loss = LinearCrossEntropy.apply(hidden, weight, None, torch.tensor([1]), torch.float32)
        assert float(loss) == 2000
        loss.backward()
        assert hidden.grad is not None
        assert hidden.grad.tolist() == [[2.0]]

    def test_no_rows(self) -> None:
        hidden, weight = torch.zeros(0, 8, requires_grad=True), torch.randn(50, 8, requires_grad=True)
        loss = LinearCrossEntropy.apply(hidden, weight, None, torch.zeros(0, dtype=torch.int64), torch.float32)
        loss.backward()
        assert float(loss) == 0
        assert weight.grad is not None
        assert weight.grad.abs().sum() == 0
        assert hidden.grad is not None
        assert hidden.grad.shape == (0, 8)
