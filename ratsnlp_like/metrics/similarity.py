"""Correlation and F1 of similarity scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .shares import check_lengths, share


def similarity_scores(gold: Sequence[float], predicted: Sequence[float], threshold: float) -> dict[str, Any]:
    """Score one number per pair of texts.

    Pearson's r and the F1 of "at least `threshold`" are KLUE-STS's official metrics (arXiv:2105.09680), Spearman's rho
    is KorSTS's (arXiv:2004.03289). A correlation is 0 where one side does not vary.

    Args:
        gold: gold scores.
        predicted: predicted scores, in the order of `gold`.
        threshold: lowest score of a paraphrase.

    Returns:
        `pearson`, `spearman` (-1 to 1) and `f1_at_threshold` (0 to 1).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    import numpy as np
    from scipy.stats import rankdata

    check_lengths(gold=gold, predicted=predicted)
    right, found = np.asarray(gold, dtype=float) >= threshold, np.asarray(predicted, dtype=float) >= threshold
    return {
        "pearson": _correlation(gold, predicted),
        "spearman": _correlation(rankdata(gold), rankdata(predicted)),
        "f1_at_threshold": share(2 * int((right & found).sum()), int(right.sum()) + int(found.sum())),
    }


def _correlation(first: Any, second: Any) -> float:
    import numpy as np

    x, y = (np.asarray(side, dtype=float) for side in (first, second))
    if len(x) == 0 or not np.isfinite([x, y]).all() or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    x, y = ((side - side.mean()) / np.ptp(side) for side in (x, y))  # so that tiny and huge scores do not overflow
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))
