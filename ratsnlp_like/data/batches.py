"""Batches of windows of similar length, in a seeded order, and the loader that collates them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from .encoding import EncodedSplit

_POOL_BATCHES = 64
"""Batches that are sorted by length together: a larger pool pads less and is less random."""


class Batches:
    """Batch sampler: indices of windows grouped by length, in a seeded order, for one of several processes.

    Training shuffles twice: the windows that are sorted together, and the order of the batches. Evaluation sorts all
    windows, longest first. All processes take the same number of batches; where that repeats a window, its index shows
    it.

    Args:
        lengths: number of tokens of each window. Shape: (windows,).
        batch_size: windows per batch, over all processes together.
        shuffle: True for training, False for evaluation.
        seed: seed of the order.
        rank: rank of this process.
        world_size: number of processes.
        batch_tokens: tokens per batch, padding included, in place of `batch_size`. All windows are then sorted, in
            random order within one length, so that every epoch has the same number of batches.
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
        self.repeated = False
        """True if the last batch is that of another process, taken only to keep step."""
        self.sampler = self  # Lightning calls set_epoch of `loader.batch_sampler.sampler`

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which Lightning does at its start."""
        self.epoch = epoch

    def noise(self, number: int) -> np.random.Generator:
        """Return the random generator of a batch of this epoch; it depends on nothing else."""
        return np.random.default_rng((self.seed, self.epoch, number, self.rank))

    def __len__(self) -> int:
        if self.batch_tokens is not None:
            return len(self._borders) - 1
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self._all():
            own = batch[self.rank :: self.world_size]
            self.repeated = not len(own)
            yield batch[:1] if self.repeated else own

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
        pools = [order[i : i + size * _POOL_BATCHES] for i in range(0, len(order), size * _POOL_BATCHES)]
        batches = [
            pool[i : i + size]
            for pool in (pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools)
            for i in range(0, len(pool), size)
        ]
        return (batches[i] for i in rng.permutation(len(batches)))

    @cached_property
    def _borders(self) -> list[int]:
        """Positions at which batches begin among the windows sorted by length, and the end."""
        lengths, borders = np.sort(self.lengths), [0]
        for end in range(1, len(lengths) + 1):
            if end == len(lengths) or (end + 1 - borders[-1]) * lengths[end] > (self.batch_tokens or 0):
                borders.append(end)
        return borders


ON_HOST = frozenset({"lengths", "counts"})
"""Entries of a batch that stay lists on the host: tokens per window, and positions to predict per window."""


class Loader:
    """Data loader: batches of tensors, with the indices of their windows (`index`) and the lists of `ON_HOST`.

    Its state is the position in the epoch. There are no worker processes: collation slices memory-mapped arrays, which
    costs less than the transfer of a batch between processes.
    """

    def __init__(self, split: EncodedSplit, tokenizer: Any, batches: Batches) -> None:
        self.split, self.tokenizer, self.batch_sampler = split, tokenizer, batches
        self._position = 0
        self._skip = 0

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._position, self._skip = self._skip, 0
        for index in islice(self.batch_sampler, self._position, None):
            self._position += 1
            batch = self.batch(index)
            yield batch | {"repeated": True} if self.batch_sampler.repeated else batch

    def batch(self, index: np.ndarray) -> dict[str, Any]:
        """Collate the windows of these units of batching."""
        index = self.split.windows_of(index)
        features = [self.split[k] for k in index]
        noise = self.batch_sampler.noise(self._position) if self.batch_sampler.shuffle else None
        batch: dict[str, Any] = self.split.task.collate(features, self.tokenizer, noise=noise)
        if "positions" in batch:
            texts = batch["positions"].numpy() // batch["input_ids"].shape[1]
            batch["counts"] = np.bincount(texts, minlength=len(features)).tolist()
        return batch | {"index": index, "lengths": [len(window["input_ids"]) for window in features]}

    def state_dict(self) -> dict[str, int]:
        """Return the number of batches of the epoch that have been yielded."""
        return {"position": self._position % max(1, len(self))}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Skip this many batches in the next epoch."""
        self._skip = state["position"]
