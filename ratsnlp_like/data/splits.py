"""Cut a validation part from a training split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..corpora.base import Corpus


def cut(stratum: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut rows in two parts, seeded and stratified.

    Args:
        stratum: number of the stratum of each row. Shape: (rows,).
        share: size of the smaller part.
        seed: of the random choice.

    Returns:
        Rows of the larger and of the smaller part, each sorted.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(stratum)).astype(np.int32)  # in place below: copies are large for millions of rows
    order = order[np.argsort(stratum[order], kind="stable")]  # stratum by stratum, random within
    # Every 1/share-th row goes to the smaller part, counting across strata, so that small strata get their share.
    ticks = np.arange(len(order) + 1, dtype=np.float64)
    ticks *= share
    ticks += 1e-9
    np.floor(ticks, out=ticks)
    taken = ticks[1:] > ticks[:-1]
    return np.sort(order[~taken]), np.sort(order[taken])


def best_split(corpus: Corpus, root: Path) -> str:
    """Return the split to validate on: validation, else test, else the only one."""
    splits = corpus.splits(root)
    return next((name for name in ("validation", "test") if name in splits), splits[0])
