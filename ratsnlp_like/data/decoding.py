"""From the raw outputs of the windows of a split to predictions, example by example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..runtime.types import TokenizerLike
from ..tasks.base import AnyTask, Raw, Window
from .encoding import EncodedSplit


def decode_split(
    task: AnyTask, split: EncodedSplit, raw: Mapping[int, Raw], labels: Sequence[str], tokenizer: TokenizerLike
) -> tuple[list[Any], list[Any]]:
    """Decode a split.

    Args:
        task: of the model.
        split: with gold labels.
        raw: index of a window -> output of the model.
        labels: in the model's order.
        tokenizer: of the model.

    Returns:
        Predictions and examples, in one order.
    """
    examples, predictions = [], []
    for example, windows in windows_by_example(split, raw):
        examples.append(example)
        predictions.append(task.decode(example, windows, labels, tokenizer))
    return predictions, examples


def windows_by_example(split: EncodedSplit, raw: Mapping[int, Raw]) -> Iterator[tuple[Any, list[Window]]]:
    """Yield each example of a split with its windows, in order."""
    rows = split.example_rows
    borders = np.flatnonzero(np.diff(rows, prepend=-1, append=len(split.read)))
    for start, end in pairwise(borders):
        windows = [Window(split[k], raw[k]) for k in range(start, end)]
        yield split.read.example(int(rows[start])), windows
