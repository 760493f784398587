"""Decoding settings: values worked by hand and equality with transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from anatomy_helpers import close
from transformers.generation import logits_process as warpers

from ratsnlp_like import InputError, anatomy


def test_decoding_by_hand() -> None:
    logits = torch.tensor([0.5, 0.3, 0.15, 0.05]).log()
    names = ["밥", "빵", "떡", "죽"]
    kept = anatomy.decoding(logits, top_p=0.7, names=names).candidates()
    assert [name for name, _ in kept] == ["밥", "빵"]
    assert [p for _, p in kept] == pytest.approx([0.625, 0.375])
    assert [n for n, _ in anatomy.decoding(logits, top_k=3, names=names).candidates()] == ["밥", "빵", "떡"]
    sharp = anatomy.decoding(logits, temperature=0.5).after
    close(sharp, [0.25 / 0.365, 0.09 / 0.365, 0.0225 / 0.365, 0.0025 / 0.365])
    close(anatomy.decoding(logits, temperature=1e8).after, [0.25] * 4)
    assert anatomy.decoding(logits, top_k=1).after.tolist() == [1, 0, 0, 0]
    close(anatomy.decoding([2.0, -1.0], repetition_penalty=2, previous=[0, 1, 1]).steps.repetition_penalty, [1, -2])
    assert anatomy.decoding(logits).kept.all()


@pytest.fixture
def numbers() -> torch.Generator:
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.6},
        {"top_k": 7},
        {"top_k": 500},
        {"top_p": 0.5},
        {"top_p": 0.001},
        {"repetition_penalty": 1.4},
        {"repetition_penalty": 1.4, "temperature": 1.7, "top_k": 30, "top_p": 0.8},
    ],
)
def test_decoding_equals_transformers(settings: dict[str, Any], numbers: torch.Generator) -> None:
    logits, previous = 3 * torch.randn(50, generator=numbers), [3, 14, 14, 40]
    ids, theirs = torch.tensor([previous]), logits[None].clone()
    for name, warper in (
        ("repetition_penalty", warpers.RepetitionPenaltyLogitsProcessor),
        ("temperature", warpers.TemperatureLogitsWarper),
        ("top_k", warpers.TopKLogitsWarper),
        ("top_p", warpers.TopPLogitsWarper),
    ):
        if name in settings:
            theirs = warper(settings[name])(ids, theirs)
    mine = anatomy.decoding(logits, previous=previous, **settings)
    close(mine.after, theirs[0].softmax(-1))
    assert mine.kept.tolist() == torch.isfinite(theirs[0]).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: anatomy.decoding([1, 2], temperature=0), "top_k=1"),
        (lambda: anatomy.decoding([1, 2], top_k=0), "top_k: 0"),
        (lambda: anatomy.decoding([1, 2], top_p=0), "top_p: 0"),
        (lambda: anatomy.decoding([1, 2], repetition_penalty=0), "repetition_penalty: 0"),
        (lambda: anatomy.decoding([1, 2], temperature=-1, top_k=0), "2 problems"),
        (lambda: anatomy.decoding([[1, 2]]), "logits"),
        (lambda: anatomy.decoding([1, 2], previous=[2]), "0 to 1"),
    ],
)
def test_bad_input_is_an_input_error(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
