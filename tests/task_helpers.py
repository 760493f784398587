"""Tokenizers with known facts, and the oracle of a task, for tests of tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from ratsnlp_like.tasks.base import AnyTask, Window


class Facts(NamedTuple):
    """Facts of a tokenizer."""

    around: tuple[list[int], list[int]]
    """Ids before and after a text."""
    token_types: bool
    mask: bool = True
    """Whether it has a mask token."""
    end: int | None = None
    """The id of the end token."""
    ceiling: float | None = None
    """Strict entity F1 of the oracle on KLUE-NER dev: 800 sentences, 2,361 entities. Measured once."""
    particles: float | None = None
    """The same with the particles of 3,200 training sentences cut off."""


BERT = ([2], [3])
NONE: tuple[list[int], list[int]] = ([], [])
TOKENIZERS = {
    "tiny_tokenizer": Facts(BERT, True),
    "tiny_bpe_tokenizer": Facts(NONE, False, mask=False, end=0),
    "dialog-koelectra-small": Facts(BERT, True, ceiling=0.9284, particles=0.9822),
    "kcbert-base": Facts(BERT, True, ceiling=0.8407, particles=0.9784),
    "kcbert-large": Facts(BERT, True, ceiling=0.8407, particles=0.9784),
    "kcelectra-base": Facts(BERT, True, ceiling=0.8602, particles=0.9771),
    "kobart": Facts(([], [1]), False, end=1, ceiling=0.7263, particles=0.9559),
    "kobert": Facts(BERT, True, ceiling=0.8983, particles=0.9818),
    "koelectra-base-v1-discriminator": Facts(BERT, True, ceiling=0.7936, particles=0.9788),
    "koelectra-base-v3-discriminator": Facts(BERT, True, ceiling=0.9805, particles=0.992),
    "koelectra-small-v3-discriminator": Facts(BERT, True, ceiling=0.9805, particles=0.992),
    "kogpt2-v1": Facts(NONE, False, mask=True, end=1, ceiling=0.6962, particles=0.9576),
}
REAL = [name for name, facts in TOKENIZERS.items() if facts.ceiling is not None]

Load = Callable[[str], Any]


def tokenizer_of(request: pytest.FixtureRequest, name: str) -> Any:
    """A tokenizer of the table."""
    return request.getfixturevalue(name) if name.startswith("tiny") else request.getfixturevalue("real_tokenizer")(name)


def windows_of(
    task: AnyTask, examples: Sequence[Any], tokenizer: Any, labels: Sequence[str], max_length: int
) -> list[list[Window]]:
    """The windows of each example with the outputs of a perfect model."""
    out: list[list[Window]] = [[] for _ in examples]
    for features in task.encode(examples, tokenizer, labels, max_length):
        out[features["example"]].append(Window(features, task.oracle_output(features, labels)))  # type: ignore[attr-defined]
    return out


def oracle(
    task: AnyTask, examples: Sequence[Any], tokenizer: Any, labels: Sequence[str], max_length: int = 64
) -> list[Any]:
    """The predictions that are decoded from the outputs of a perfect model."""
    windows = windows_of(task, examples, tokenizer, labels, max_length)
    return [task.decode(example, own, labels, tokenizer) for example, own in zip(examples, windows, strict=True)]
