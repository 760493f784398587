"""Exact match and F1 of answers to questions, as KorQuAD and KLUE-MRC compute them."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from .shares import check_lengths, share

_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))

_KORQUAD_SPACES = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))


def answer_scores(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, Any]:
    """Score predicted answers, each against the best of its gold answers.

    An unanswerable question has no gold answers, and its correct prediction is the empty text.

    Args:
        gold: gold answers of each question.
        predicted: one text per question, in the order of `gold`.

    Returns:
        `korquad_em` and `korquad_f1` of KorQuAD 1.0's official script (F1 over characters; 0 where both are empty);
        `klue_mrc_em` and `klue_mrc_rouge_w` of KLUE-MRC's (the F1 of the longest common run of characters);
        `char_f1`, KorQuAD's F1 with 1 where both are empty, for data with unanswerable questions.

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    rows = answer_row_scores(gold, predicted)
    return {name: sum(values) / max(1, len(values)) for name, values in rows.items()}


def answer_row_scores(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, list[float]]:
    """Return the scores of `answer_scores` question by question: one value for each.

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    check_lengths(gold=gold, predicted=predicted)
    rows = [_answer_scores(right or [""], found) for right, found in zip(gold, predicted, strict=True)]
    names = ("korquad_em", "korquad_f1", "klue_mrc_em", "klue_mrc_rouge_w", "char_f1")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def _answer_scores(right: Sequence[str], found: str) -> list[float]:
    columns = [
        (
            float(korquad_normalized(one) == korquad_normalized(found)),
            _korquad_f1(one, found),
            float(klue_mrc_normalized(one) == klue_mrc_normalized(found)),
            _rouge_w(klue_mrc_normalized(one), klue_mrc_normalized(found)),
            1.0 if not korquad_normalized(one) + korquad_normalized(found) else _korquad_f1(one, found),
        )
        for one in right
    ]
    return [max(column) for column in zip(*columns, strict=True)]


def korquad_normalized(text: str) -> str:
    """Normalise as KorQuAD 1.0's script does: no brackets, quotes, ASCII punctuation or repeated spaces, lower case."""
    return " ".join(text.translate(_KORQUAD_SPACES).lower().translate(_PUNCTUATION).split())


def klue_mrc_normalized(text: str) -> str:
    """Normalise as KLUE-MRC's script does. Its rule for brackets and quotes never matches, so 《》‘’ remain."""
    return " ".join(text.lower().translate(_PUNCTUATION).split())


def _korquad_f1(right: str, found: str) -> float:
    first, second = (Counter(korquad_normalized(text).replace(" ", "")) for text in (right, found))
    shared = (first & second).total()
    return share(2 * shared, first.total() + second.total())


def _rouge_w(right: str, found: str) -> float:
    if not right:
        return float(not found)
    longest = SequenceMatcher(None, found, right).find_longest_match(0, len(found), 0, len(right)).size
    return share(2 * longest, len(found) + len(right))
