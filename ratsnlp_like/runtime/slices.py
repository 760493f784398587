"""Slices of an iterable: enough items for the threads of a tokenizer, few enough for memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

SLICE = 1024
"""Items that are read, tokenized or encoded at a time."""


def slices(items: Iterable[T], size: int = SLICE) -> Iterator[list[T]]:
    """Yield lists of up to `size` items, in order (`itertools.batched` of Python 3.12, with lists)."""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
