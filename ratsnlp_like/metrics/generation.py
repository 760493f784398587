"""Scores of generated texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .shares import check_lengths, share


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
    from sacrebleu.metrics.chrf import CHRF

    check_lengths(references=references, written=written)
    most = max(map(len, references), default=0)
    streams: Any = [[own[k] if k < len(own) else None for own in references] for k in range(most)]
    chrf = CHRF().corpus_score(written, streams).score / 100 if most else 0.0
    return {"chrf": chrf, **{f"distinct_{n}": _distinct(written, n) for n in (1, 2)}}


def _distinct(texts: Sequence[str], n: int) -> float:
    words = (text.split() for text in texts)
    grams = [tuple(own[i : i + n]) for own in words for i in range(len(own) - n + 1)]
    return share(len(set(grams)), len(grams))
