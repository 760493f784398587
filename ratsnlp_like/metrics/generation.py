"""Scores of generated texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..runtime.types import Array
from .example_statistics import ExampleStatistics, Scores
from .shares import check_lengths, share

_ORDERS = 6
_BETA = 2


def generation_scores(references: Sequence[Sequence[str]], written: Sequence[str]) -> dict[str, Any]:
    """Score texts that were generated from prompts.

    chrF (Popović 2015, https://aclanthology.org/W15-3049) compares runs of 1 to 6 characters with the references, as
    sacreBLEU computes it over the corpus. distinct-1 and -2 (Li et al. 2016, arXiv:1510.03055) are the shares of
    distinct words and pairs of words, separated by white space, among all generated ones: low where a model repeats
    itself.

    Args:
        references: at least one reference text for each prompt.
        written: the generated texts.

    Returns:
        `chrf`, `distinct_1`, `distinct_2` (0 to 1).

    Raises:
        ValueError: `references` and `written` differ in length.
    """
    chrf = chrf_statistics(references, written).observed()["chrf"]
    return {"chrf": chrf, **{f"distinct_{n}": _distinct(written, n) for n in (1, 2)}}


def chrf_statistics(references: Sequence[Sequence[str]], written: Sequence[str]) -> ExampleStatistics:
    """Return the statistics of chrF: numbers of runs of 1 to 6 characters in a text, in its reference, and in both.

    Of several references for a prompt the one with the highest chrF counts. The shares of distinct words have no such
    statistics: a resample repeats texts, and is less diverse than the sample.

    Args:
        references: at least one reference text for each prompt.
        written: the generated texts.

    Raises:
        ValueError: `references` and `written` differ in length.
    """
    import numpy as np

    check_lengths(references=references, written=written)
    rows = []
    for own, text in zip(references, written, strict=True):
        counts = np.array([_runs_in_both(text, reference) for reference in own or [""]], dtype=float)
        rows.append(counts[_chrf(counts)["chrf"].argmax()])
    return ExampleStatistics.of_rows(np.array(rows).reshape(-1, 3 * _ORDERS), _chrf, unit="prompts")


def _runs_in_both(text: str, reference: str) -> list[int]:
    """Return the numbers of runs of characters for each length; without a reference of the length, none count."""
    out = []
    for n in range(1, _ORDERS + 1):
        ours, theirs = (Counter(_runs("".join(side.split()), n)) for side in (text, reference))
        out += [ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()]
    return out


def _runs(text: str, n: int) -> list[str]:
    return [text[k : k + n] for k in range(len(text) - n + 1)]


def _chrf(sums: Array) -> Scores:
    """F of the mean precision and the mean recall over the lengths that occur on both sides. Shape: (rows,)."""
    from .statistics import ratio

    ours, theirs, hits = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    known = (ours > 0) & (theirs > 0)
    lengths = known.sum(axis=1)
    precision, recall = (
        ratio((ratio(hits, side) * known).sum(axis=1), lengths.astype(float)) for side in (ours, theirs)
    )
    return {"chrf": ratio((1 + _BETA**2) * precision * recall, _BETA**2 * precision + recall)}


def _distinct(texts: Sequence[str], n: int) -> float:
    words = (text.split() for text in texts)
    grams = [tuple(own[i : i + n]) for own in words for i in range(len(own) - n + 1)]
    return share(len(set(grams)), len(grams))
