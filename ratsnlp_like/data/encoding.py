"""Encode a split into windows, which are kept in a table on disk, and select some of them."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..examples.base import Example
from ..runtime.slices import slices
from ..tasks.base import AnyTask
from ..tasks.features import Features
from ..tasks.unknown import UnknownTokens, special_ids, unknown_id, unknown_word
from .cache import cache_key, cached_folder, tokenizer_fingerprint
from .reading import ReadSplit
from .table import Table, write_table

log = logging.getLogger("ratsnlp_like")

_SLICES_AHEAD = 2
"""Slices that are encoded at the same time: one is tokenized while Python makes windows of another."""


@dataclass(frozen=True)
class EncodedSplit:
    """The windows of a split, or of a selection of its examples."""

    task: AnyTask
    read: ReadSplit
    table: Table
    rows: np.ndarray
    """Rows of the selected windows in the table. Shape: (windows,)."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int) -> dict[str, Any]:
        return self.table[int(self.rows[k])]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each window. Shape: (windows,)."""
        return self.table.numbers("input_ids")[self.rows]

    @cached_property
    def example_rows(self) -> np.ndarray:
        """Row of the example of each window. Shape: (windows,)."""
        return self.table.numbers("example")[self.rows]

    @cached_property
    def begins(self) -> np.ndarray:
        """True for the first window of each example. Shape: (windows,)."""
        return np.diff(self.example_rows, prepend=-1) != 0

    @cached_property
    def lost(self) -> np.ndarray:
        """Tokens that truncation removed from the example, repeated for each window of it. Shape: (windows,)."""
        return self.table.numbers("lost")[self.rows]

    def select(self, examples: np.ndarray) -> EncodedSplit:
        """Return the windows of some examples, given by their rows."""
        chosen = np.zeros(len(self.read), dtype=bool)
        chosen[examples] = True
        return EncodedSplit(self.task, self.read, self.table, self.rows[chosen[self.example_rows]])

    @cached_property
    def unit_lengths(self) -> np.ndarray:
        """Number of tokens of each unit of batching: a window, or all windows of an example. Shape: (units,)."""
        if not self.task.grouped:
            return self.lengths
        return np.array([len(unit) * self.lengths[unit].max() for unit in self._units], dtype=self.lengths.dtype)

    def windows_of(self, units: np.ndarray) -> np.ndarray:
        """Return the indices of the windows of units of batching. Shape: (windows,)."""
        return np.concatenate([self._units[k] for k in units]) if self.task.grouped else units

    @cached_property
    def _units(self) -> list[np.ndarray]:
        return np.split(np.arange(len(self)), np.flatnonzero(self.begins)[1:])

    def examples(self) -> Iterator[Any]:
        """Return the examples that have at least one window here, in order."""
        return (self.read.example(int(row)) for row in self.example_rows[self.begins])

    def sample(self, number: int | None, seed: int) -> EncodedSplit:
        """Return this many examples, chosen at random; all of them for None."""
        if number is None or number >= len(self):
            return self
        examples = np.unique(self.example_rows)
        if number >= len(examples):
            return self
        return self.select(np.random.default_rng(seed).permutation(examples)[:number])


def encode_split(
    read: ReadSplit, task: AnyTask, tokenizer: Any, labels: Sequence[str], max_length: int, *, cache: Path
) -> EncodedSplit:
    """Encode a split through the cache.

    Raises:
        InputError: an example has a label that is not in `labels`.
    """

    def build(folder: Path) -> dict[str, Any]:
        return {"windows": write_table(folder / "windows.arrow", _windows(read, task, tokenizer, labels, max_length))}

    key = cache_key(
        "windows",
        read.fingerprint + read.variant,
        task.name,
        {
            name: value
            for name, value in task.to_dict().items()
            if name not in task.inference_options | task.evaluation_options
        },
        tokenizer_fingerprint(tokenizer),
        list(labels),
        max_length,
    )
    folder, _ = cached_folder(cache, key, build)
    table = Table(folder / "windows.arrow")
    return EncodedSplit(task, read, table, np.arange(len(table), dtype=np.int32))


def warn_of_truncation(split: EncodedSplit, max_length: int, *, name: str | None = None) -> None:
    """Log how much truncation removes from a split.

    Args:
        split: the encoded split.
        max_length: of a window, in tokens.
        name: reported in place of the name of the split it was cut from.
    """
    lost = split.lost[split.begins]
    if lost.any():
        share = lost.sum() / (lost.sum() + split.lengths.sum())
        log.warning(
            "%s: %s of %s %s; %.2f%% of all tokens are cut off.",
            name or split.read.name, f"{np.count_nonzero(lost):,}", f"{len(lost):,}",
            split.task.truncation(max_length), 100 * share,
        )  # fmt: skip


def warn_of_unknown(split: EncodedSplit, tokenizer: Any, *, name: str | None = None) -> bool:
    """Log the share of unknown tokens of a split where it is high, and return whether it is.

    Args:
        split: the encoded split.
        tokenizer: that it was encoded with.
        name: reported in place of the name of the split it was cut from.
    """
    if (unknown := unknown_id(tokenizer)) is None or not len(split):
        return False
    own = split.table.occurrences("input_ids", [unknown])[split.rows]
    special = split.table.occurrences("input_ids", special_ids(tokenizer))[split.rows]
    found = UnknownTokens(int(split.lengths.sum() - special.sum()), int(own.sum()))
    if found.report() is None:
        return False
    example = split.read.example(int(split.example_rows[np.argmax(own > 0)]))
    found += UnknownTokens(word=unknown_word(split.task, example, tokenizer))
    log.warning("%s: %s.", name or split.read.name, found.report())
    return True


def _windows(
    read: ReadSplit,
    task: AnyTask,
    tokenizer: Any,
    labels: Sequence[str],
    max_length: int,
) -> Iterator[Features]:
    parts = slices(read.examples())
    done = 0
    with ThreadPoolExecutor(_SLICES_AHEAD) as ahead:  # tokenizing releases the GIL

        def encode(part: list[Example]) -> Future[tuple[int, Sequence[Features]]]:
            return ahead.submit(lambda: (len(part), task.encode(part, tokenizer, labels, max_length)))

        waiting = deque(map(encode, islice(parts, _SLICES_AHEAD + 1)))
        while waiting:
            size, encoded = waiting.popleft().result()
            waiting.extend(map(encode, islice(parts, 1)))
            for features in encoded:
                features["example"] += done
                yield features
            done += size
