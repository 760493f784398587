"""metrics.answers."""

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
    """Score the answers to questions, each against the best of its right answers.

    A question without an answer has no right answers, and the right prediction is the empty text.

    Args:
        gold: the right answers of each question.
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
    rows = [_answer_scores(right or [""], said) for right, said in zip(gold, predicted, strict=True)]
    names = ("korquad_em", "korquad_f1", "klue_mrc_em", "klue_mrc_rouge_w", "char_f1")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def _answer_scores(right: Sequence[str], said: str) -> list[float]:
    columns = [
        (
            float(korquad_normalized(one) == korquad_normalized(said)),
            _korquad_f1(one, said),
            float(klue_mrc_normalized(one) == klue_mrc_normalized(said)),
            _rouge_w(klue_mrc_normalized(one), klue_mrc_normalized(said)),
            1.0 if not korquad_normalized(one) + korquad_normalized(said) else _korquad_f1(one, said),
        )
        for one in right
    ]
    return [max(column) for column in zip(*columns, strict=True)]


def korquad_normalized(text: str) -> str:
    """As KorQuAD 1.0's script compares: brackets and quotes are spaces, ASCII punctuation goes, spaces run together."""
    return " ".join(text.translate(_KORQUAD_SPACES).lower().translate(_PUNCTUATION).split())


def klue_mrc_normalized(text: str) -> str:
    """As KLUE-MRC's script compares. Its rule for brackets and quotes can never match, so that 《》‘’ stay."""
    return " ".join(text.lower().translate(_PUNCTUATION).split())


def _korquad_f1(right: str, said: str) -> float:
    first, second = (Counter(korquad_normalized(text).replace(" ", "")) for text in (right, said))
    shared = (first & second).total()
    return share(2 * shared, first.total() + second.total())


def _rouge_w(right: str, said: str) -> float:
    if not right:
        return float(not said)
    longest = SequenceMatcher(None, said, right).find_longest_match(0, len(said), 0, len(right)).size
    return share(2 * longest, len(said) + len(right))
