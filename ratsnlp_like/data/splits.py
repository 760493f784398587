"""Cut a validation part from a training split, and compare splits."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from ..corpora.base import Corpus
from .reading import ReadSplit

log = logging.getLogger("ratsnlp_like")


def cut(
    stratum: np.ndarray, share: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Cut rows in two parts, seeded and stratified; rows of one group are never separated.

    Args:
        stratum: number of the stratum of each row. Shape: (rows,).
        share: size of the smaller part.
        seed: seed of the random choice.
        groups: code of the group of each row; each row is a group of its own by default. Shape: (rows,).

    Returns:
        Rows of the larger and of the smaller part, each sorted. A part is empty if there are too few groups.
    """
    rng = np.random.default_rng(seed)
    if groups is None:
        return _cut_rows(np.arange(len(stratum), dtype=np.int32), stratum, share, rng)
    _, code, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    shared = sizes[code] > 1
    if not shared.any():
        return _cut_rows(np.arange(len(stratum), dtype=np.int32), stratum, share, rng)
    larger, smaller = _cut_rows(np.flatnonzero(~shared).astype(np.int32), stratum, share, rng)
    owed = share * np.bincount(stratum[~shared], minlength=stratum.max() + 1) - np.bincount(
        stratum[smaller], minlength=stratum.max() + 1
    )
    rows = np.flatnonzero(shared).astype(np.int32)
    rows = rows[np.argsort(code[rows], kind="stable")]
    members = np.split(rows, np.flatnonzero(np.diff(code[rows])) + 1)
    taken = _take_groups([members[k] for k in rng.permutation(len(members))], stratum, share, owed)
    if not len(smaller) and not taken:
        taken = [min(members, key=len)] if len(members) > 1 or len(larger) else []
    smaller = np.sort(np.concatenate([smaller, *taken]))
    larger = np.setdiff1d(np.arange(len(stratum), dtype=np.int32), smaller, assume_unique=True)
    return larger, smaller


def _cut_rows(
    rows: np.ndarray, stratum: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    order = rows[rng.permutation(len(rows)).astype(np.int32)]  # int32: copies are large for millions of rows
    order = order[np.argsort(stratum[order], kind="stable")]  # stratum by stratum, random within
    # Every 1/share-th row goes to the smaller part, counting across strata, so that small strata get their share.
    ticks = np.arange(len(order) + 1, dtype=np.float64)
    ticks *= share
    ticks += 1e-9
    np.floor(ticks, out=ticks)
    taken = ticks[1:] > ticks[:-1]
    return np.sort(order[~taken]), np.sort(order[taken])


def _take_groups(groups: list[np.ndarray], stratum: np.ndarray, share: float, owed: np.ndarray) -> list[np.ndarray]:
    """Choose groups whose rows bring each stratum closest to its share, one after the other.

    Args:
        groups: rows of each group, in random order.
        stratum: number of the stratum of each row. Shape: (rows,).
        share: size of the smaller part.
        owed: rows of each stratum that the smaller part lacks. Shape: (strata,).
    """
    taken = []
    for rows in groups:
        strata, counts = np.unique(stratum[rows], return_counts=True)
        owed[strata] += share * counts
        if (counts * (counts - 2 * owed[strata])).sum() < 0:  # the squared distance from the shares gets smaller
            owed[strata] -= counts
            taken.append(rows)
    return taken


def sample_rows(rows: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Return at most `size` of the rows, chosen at random, in order; all of them as they are if there are no more."""
    return rows if size >= len(rows) else np.sort(np.random.default_rng(seed).permutation(rows)[:size])


def best_split(corpus: Corpus, root: Path) -> str:
    """Return the split to validate on: validation, else test, else the only one."""
    splits = corpus.splits(root)
    return next((name for name in ("validation", "test") if name in splits), splits[0])


def warn_of_copies(read: ReadSplit, name: str, train: ReadSplit, rows: np.ndarray) -> int:
    """Log how many rows of a split share their text (paragraph, premise) with rows that are trained on.

    Args:
        read: the split.
        name: its name in the run.
        train: the training split.
        rows: its rows that are trained on. Shape: (rows,).

    Returns:
        The number of such rows.
    """
    copies = int(np.isin(read.groups, train.groups[rows]).sum())
    if copies:
        what = "group" if read.example(0).group_name is not None else read.kind.group_field or read.kind.columns()[0]
        log.warning(
            "%s: %s of %s rows have the same %s as rows of train; metrics on them are too optimistic.",
            name, f"{copies:,}", f"{len(read):,}", what,
        )  # fmt: skip
    return copies
