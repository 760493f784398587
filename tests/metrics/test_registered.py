"""Metrics that are registered by name, on hand-written predictions."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ratsnlp_like.registry import METRICS


def labelled(*labels: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(label=label) for label in labels]


def scored(*scores: float) -> list[SimpleNamespace]:
    return [SimpleNamespace(score=score) for score in scores]


def test_matthews() -> None:
    """tp 2, tn 1, fp 1, fn 0: (2 * 1 - 1 * 0) / sqrt(3 * 2 * 2 * 1)."""
    found = METRICS["matthews"](labelled("a", "a", "a", "b"), labelled("a", "a", "b", "b"), ["a", "b"])
    assert found == pytest.approx(2 / 12**0.5)


def test_matthews_without_variation_or_examples_is_zero() -> None:
    assert METRICS["matthews"](labelled("a", "a"), labelled("a", "b"), ["a", "b"]) == 0.0
    assert METRICS["matthews"]([], [], []) == 0.0


def test_absolute_error() -> None:
    assert METRICS["absolute_error"](scored(1.0, 4.5), scored(0.0, 5.0), []) == 0.75
    assert METRICS["absolute_error"]([], [], []) == 0.0
