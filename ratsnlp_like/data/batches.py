"""data.batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from .splits import EncodedSplit

_POOL = 64
"""Batches that are sorted by length together: more makes tighter batches and a less random order."""


# Batches -------------------------------------------------------------------------------------------------------------


class Batches:
    """Which windows make a batch: grouped by length, in a seeded order; the share of one of several processes.

    Training shuffles twice: which windows are sorted together, and in which order the batches come. Evaluation
    sorts all, longest first. All processes take the same number of batches; what that repeats is seen by its number.

    Args:
        lengths: tokens of each window.
        batch_size: windows of a batch over all processes together.
        shuffle: training or evaluation.
        seed: of the order.
        rank: of this process.
        world_size: the number of processes.
        batch_tokens: tokens of a batch, padding included, in place of `batch_size`. All windows are sorted then (at
            random among those of one length), so that every epoch has the same number of batches.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        batch_tokens: int | None = None,
    ) -> None:
        self.lengths, self.batch_size, self.shuffle, self.seed = lengths, batch_size, shuffle, seed
        self.batch_tokens = batch_tokens
        self.rank, self.world_size, self.epoch = rank, world_size, 0
        self.sampler = self  # Lightning calls set_epoch of `loader.batch_sampler.sampler`

    def set_epoch(self, epoch: int) -> None:
        """Lightning says which epoch begins."""
        self.epoch = epoch

    def noise(self, number: int) -> np.random.Generator:
        """Random numbers for a batch of this epoch: the same whenever and wherever the batch is made."""
        return np.random.default_rng((self.seed, self.epoch, number, self.rank))

    def __len__(self) -> int:
        if self.batch_tokens is not None:
            return len(self._borders) - 1
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self._all():
            own = batch[self.rank :: self.world_size]
            yield own if len(own) else batch[:1]

    def _all(self) -> Iterator[np.ndarray]:
        size = self.batch_size
        if not self.shuffle:
            order = np.argsort(-self.lengths, kind="stable")
            return (order[i : i + size] for i in range(0, len(order), size))
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.lengths)).astype(np.int32)
        if self.batch_tokens is not None:
            order = order[np.argsort(self.lengths[order], kind="stable")]
            return (order[self._borders[i] : self._borders[i + 1]] for i in rng.permutation(len(self)))
        pools = [order[i : i + size * _POOL] for i in range(0, len(order), size * _POOL)]
        batches = [
            pool[i : i + size]
            for pool in (pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools)
            for i in range(0, len(pool), size)
        ]
        return (batches[i] for i in rng.permutation(len(batches)))

    @cached_property
    def _borders(self) -> list[int]:
        """Where batches begin among the windows sorted by length, the last border included."""
        lengths, borders = np.sort(self.lengths), [0]
        for end in range(1, len(lengths) + 1):
            if end == len(lengths) or (end + 1 - borders[-1]) * lengths[end] > (self.batch_tokens or 0):
                borders.append(end)
        return borders


ON_HOST = frozenset({"lengths", "counts"})
"""What a batch says of its tensors, as lists: the tokens of each text, and how many of them are asked for."""


class Loader:
    """Batches as tensors, with `index`, the numbers of their windows, and what is `ON_HOST` (no tensors).

    It knows where it stands in an epoch.

    Collation slices memory-mapped arrays and costs less than handing a batch from a worker process would.
    """

    def __init__(self, split: EncodedSplit, tokenizer: Any, batches: Batches) -> None:
        self.split, self.tokenizer, self.batch_sampler = split, tokenizer, batches
        self._given = 0
        self._skip = 0

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._given, self._skip = self._skip, 0
        for index in islice(self.batch_sampler, self._given, None):
            self._given += 1
            yield self.batch(index)

    def batch(self, index: np.ndarray) -> dict[str, Any]:
        """The windows of these numbers as one batch."""
        features = [self.split[k] for k in index]
        noise = self.batch_sampler.noise(self._given) if self.batch_sampler.shuffle else None
        batch: dict[str, Any] = self.split.task.collate(features, self.tokenizer, noise=noise)
        if "positions" in batch:
            texts = batch["positions"].numpy() // batch["input_ids"].shape[1]
            batch["counts"] = np.bincount(texts, minlength=len(features)).tolist()
        return batch | {"index": index, "lengths": [len(window["input_ids"]) for window in features]}

    def state_dict(self) -> dict[str, int]:
        """How many batches of the epoch were given."""
        return {"given": self._given % max(1, len(self))}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The next epoch begins behind the batches that were given."""
        self._skip = state["given"]
