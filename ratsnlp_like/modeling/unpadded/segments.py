"""Lengths of the texts in a row, and groups of them of similar length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...runtime.types import Array

BLOCK = 2
"""Queries of a block, in windows: with fewer, less is computed outside of windows, by more calls."""
_ALIKE = 0.75
"""Minimum length of a text relative to the longest of its group in attention."""


class Group(NamedTuple):
    """Texts of similar length, padded to the longest."""

    queries: Tensor
    """Indices of their queries in the row of queries. *Shape:* (texts, most queries), padded with 0."""
    tokens: Tensor
    """Indices of their tokens in the row. *Shape:* (texts, longest), padded with 0."""
    mask: Tensor | None
    """True where a query attends to a token; None if all do to all. *Shape:* (texts, 1, 1 or most queries, longest)."""

    def blocks(self, window: int | None) -> Iterator[tuple[slice, slice, Tensor | None]]:
        """Yield slices of queries, those of the tokens within their windows, and their masks; all for no window."""
        longest = self.tokens.shape[1]
        if window is None or self.mask is None or longest <= 2 * BLOCK * window:
            yield slice(None), slice(None), self.mask
            return
        for start in range(0, longest, BLOCK * window):
            stop = start + BLOCK * window
            rows, columns = slice(start, stop), slice(max(0, start - window), stop + window)
            yield rows, columns, self.mask[:, :, rows, columns]


@dataclass(frozen=True)
class Segments:
    """Lengths of the texts in a row: a query attends to the tokens of its own text."""

    query_lengths: Array
    """Number of queries of each text, in the order of the row. *Shape:* (texts,)."""
    lengths: Array
    """Number of tokens of each text, likewise. *Shape:* (texts,)."""
    device: torch.device
    query_positions: Tensor | None = None
    """Positions of the queries in their texts; None if each token has a query. *Shape:* (queries,)."""
    window: int | None = None
    """Largest distance of the tokens that a query attends to; None for all tokens of the text."""

    def within(self, window: int) -> Segments:
        """Return segments with a window, or these if no text is long enough for it to matter."""
        return self if int(self.lengths.max()) <= window + 1 else replace(self, window=window)

    @cached_property
    def alike(self) -> tuple[int, int] | None:
        """Numbers of queries and tokens of a text if they are equal for all texts and attend to each other."""
        if self.window is not None:
            return None
        queries, tokens = int(self.query_lengths[0]), int(self.lengths[0])
        return (queries, tokens) if (self.query_lengths == queries).all() and (self.lengths == tokens).all() else None

    @cached_property
    def borders(self) -> tuple[Tensor, Tensor]:
        """Start of each text among the queries and among the tokens, and their totals. *Shape:* (texts + 1,)."""
        first, second = (np.append(0, np.cumsum(of)).astype(np.int32) for of in (self.query_lengths, self.lengths))
        return moved(first, self.device), moved(second, self.device)

    @cached_property
    def groups(self) -> tuple[list[Group], Tensor]:
        """Groups of similar length, and the index of each query of the row in their flattened outputs."""
        query_lengths, lengths = self.query_lengths, self.lengths
        first_query, first_token = np.cumsum(query_lengths) - query_lengths, np.cumsum(lengths) - lengths
        order = np.argsort(-lengths, kind="stable")
        groups: list[Group] = []
        restored = np.empty(int(query_lengths.sum()), dtype=np.int64)
        done = start = 0
        while start < len(order):
            end = start + int(np.searchsorted(-lengths[order[start:]], -_ALIKE * lengths[order[start]], side="right"))
            own = order[start:end]
            tokens, real = _side_by_side(first_token[own], lengths[own])
            queries, real_queries = _side_by_side(first_query[own], query_lengths[own])
            restored[queries[real_queries]] = done + np.flatnonzero(real_queries)
            done += real_queries.size
            mask = None if real.all() else moved(real[:, None, None], self.device)
            group = Group(moved(queries, self.device), moved(tokens, self.device), mask)
            groups.append(group if self.window is None else self._with_band(group, real_queries, self.window))
            start = end
        return groups, moved(restored, self.device)

    def _with_band(self, group: Group, real_queries: Array, window: int) -> Group:
        """Return a group with a mask of the window; padded queries attend to all tokens: none is without weights."""
        steps = torch.arange(group.tokens.shape[1], device=self.device)
        positions = steps[None] if self.query_positions is None else self.query_positions[group.queries]
        band = ((positions[:, :, None] - steps).abs() <= window)[:, None]
        mask = band if group.mask is None else band & group.mask
        if not real_queries.all():
            mask = mask | ~moved(real_queries, self.device)[:, None, :, None]
        return group._replace(mask=mask)


def moved(values: Array, device: torch.device) -> Tensor:
    """Copy numbers to a device without synchronisation."""
    made = torch.from_numpy(values)
    return made if device.type == "cpu" else made.pin_memory().to(device, non_blocking=True)


def _side_by_side(first: Array, count: Array) -> tuple[Array, Array]:
    """Return indices that count up from `first`, padded with 0, and a mask of the real ones. *Shape:* (texts, most)."""
    steps = np.arange(count.max(initial=1))
    wanted = steps < count[:, None]
    return np.where(wanted, first[:, None] + steps, 0), wanted
