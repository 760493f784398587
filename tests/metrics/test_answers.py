"""Scores of answers to questions, as the official scripts of KorQuAD 1.0 and KLUE-MRC give them; all by hand."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction as F

import pytest

from ratsnlp_like.metrics.answers import answer_scores, klue_mrc_normalized, korquad_normalized

pytestmark = pytest.mark.filterwarnings("error")  # no metric ever warns

NAMES = ("korquad_em", "korquad_f1", "klue_mrc_em", "klue_mrc_rouge_w", "char_f1")

# Gold answers, predicted answer, EM, F1 = 2 * characters in common / characters of both
KORQUAD: list[tuple[list[str], str, int, F]] = [
    (["서울"], "서울", 1, F(1)),
    (["서울"], "부산", 0, F(0)),
    (["서울특별시"], "서울", 0, F(2 * 2, 5 + 2)),
    (["서울"], "서울특별시", 0, F(2 * 2, 2 + 5)),
    # particles are not forgiven
    (["서울"], "서울에", 0, F(2 * 2, 2 + 3)),
    (["이순신"], "이순신은", 0, F(2 * 3, 3 + 4)),
    (["1592년 4월"], "1592년에", 0, F(2 * 5, 7 + 6)),
    # brackets and quotes become spaces
    (["《토지》"], "토지", 1, F(1)),
    (["〈토지〉"], "토지", 1, F(1)),
    (["<토지>"], "토지", 1, F(1)),
    (["<<토지>>"], "《토지》", 1, F(1)),
    (["(토지)"], "토지", 1, F(1)),
    (["‘토지’"], "토지", 1, F(1)),
    (["'토지'"], "토지", 1, F(1)),
    (['"토지"'], "토지", 1, F(1)),
    (["토지(소설)"], "토지 소설", 1, F(1)),
    (["토지(소설)"], "토지소설", 0, F(1)),
    (["O'Neill"], "O Neill", 1, F(1)),
    (["O'Neill"], "ONeill", 0, F(1)),
    # other ASCII punctuation is deleted, and leaves no space
    (["[토지]"], "토지", 1, F(1)),
    (["토지[소설]"], "토지소설", 1, F(1)),
    (["토지[소설]"], "토지 소설", 0, F(1)),
    (["`토지`"], "토지", 1, F(1)),
    (["1,000명"], "1000명", 1, F(1)),
    (["1,000명"], "1 000명", 0, F(1)),
    (["3.14"], "314", 1, F(1)),
    (["12:30"], "1230", 1, F(1)),
    (["5%"], "5", 1, F(1)),
    (["A-B"], "AB", 1, F(1)),
    # what is neither stays
    (["“토지”"], "토지", 0, F(2 * 2, 4 + 2)),
    (["「토지」"], "토지", 0, F(2 * 2, 4 + 2)),
    (["『토지』"], "「토지」", 0, F(2 * 2, 4 + 4)),
    (["5％"], "5", 0, F(2 * 1, 2 + 1)),
    (["A–B"], "AB", 0, F(2 * 2, 3 + 2)),
    # spaces matter for EM, not for F1; how many and of which kind does not matter
    (["대한민국"], "대한 민국", 0, F(1)),
    ([" 대한\t  민국\n"], "대한 민국", 1, F(1)),
    (["대한\u3000민국"], "대한\u00a0민국", 1, F(1)),
    # upper and lower case
    (["KBS"], "kbs", 1, F(1)),
    (["Apple Inc."], "apple INC", 1, F(1)),
    # a character counts as often as it occurs, wherever that is
    (["ㅋㅋㅋ"], "ㅋ", 0, F(2 * 1, 3 + 1)),
    (["하하"], "하하하하", 0, F(2 * 2, 2 + 4)),
    (["가나다"], "다나가", 0, F(1)),
    (["가가나"], "가나나", 0, F(2 * 2, 3 + 3)),
    # nothing on a side
    ([""], "", 1, F(0)),
    ([""], "서울", 0, F(0)),
    (["서울"], "", 0, F(0)),
    (["()"], "", 1, F(0)),
    (["..."], "!?", 1, F(0)),
    ([], "", 1, F(0)),
    ([], "서울", 0, F(0)),
    # the best of several right answers
    (["서울특별시", "서울"], "서울", 1, F(1)),
    (["서울", "서울특별시"], "서울특별시", 1, F(1)),
    (["서울특별시", "서울"], "서울시", 0, max(F(2 * 3, 5 + 3), F(2 * 2, 2 + 3))),
    (["가나", "다라"], "가다", 0, F(2 * 1, 2 + 2)),
    (["가", "..."], "", 1, F(0)),
]

# Gold answers, predicted answer, EM, ROUGE-W = 2 * longest common run / characters of both, spaces included
KLUE: list[tuple[list[str], str, int, F]] = [
    (["서울"], "서울", 1, F(1)),
    (["서울"], "부산", 0, F(0)),
    (["서울특별시"], "서울", 0, F(2 * 2, 5 + 2)),
    (["이순신"], "이순신은", 0, F(2 * 3, 3 + 4)),
    # a run, and no subsequence
    (["가나다라"], "가다나라", 0, F(2 * 1, 4 + 4)),
    (["가나다라마"], "가나바라마", 0, F(2 * 2, 5 + 5)),
    (["가나다"], "다나가", 0, F(2 * 1, 3 + 3)),
    (["나다라"], "가나다라마", 0, F(2 * 3, 3 + 5)),
    (["하하하"], "하", 0, F(2 * 1, 3 + 1)),
    # spaces break a run, and count
    (["대한민국"], "대한 민국", 0, F(2 * 2, 4 + 5)),
    (["  대한\t민국 "], "대한 민국", 1, F(1)),
    # these stay
    (["《토지》"], "토지", 0, F(2 * 2, 4 + 2)),
    (["〈토지〉"], "토지", 0, F(2 * 2, 4 + 2)),
    (["‘토지’"], "토지", 0, F(2 * 2, 4 + 2)),
    (["《토지》"], "‘토지’", 0, F(2 * 2, 4 + 4)),
    (["“토지”"], "토지", 0, F(2 * 2, 4 + 2)),
    # ASCII punctuation goes, brackets and quotes too, and leaves no space
    (["(토지)"], "토지", 1, F(1)),
    (["<토지>"], "'토지'", 1, F(1)),
    (['"토지"'], "토지", 1, F(1)),
    (["토지(소설)"], "토지소설", 1, F(1)),
    (["토지(소설)"], "토지 소설", 0, F(2 * 2, 4 + 5)),
    (["O'Neill"], "oneill", 1, F(1)),
    (["1,000명"], "1000명", 1, F(1)),
    (["KBS"], "kbs", 1, F(1)),
    # unanswerable
    ([], "", 1, F(1)),
    ([], "서울", 0, F(0)),
    ([""], "", 1, F(1)),
    (["서울"], "", 0, F(0)),
    (["()"], "", 1, F(1)),
    ([], "()", 1, F(1)),
    # the best of several right answers, for each score by itself
    (["서울특별시", "서울"], "서울", 1, F(1)),
    (["서울특별시", "서울"], "서울시", 0, max(F(2 * 2, 5 + 3), F(2 * 2, 2 + 3))),
    (["가나다", "다라"], "나다라", 0, max(F(2 * 2, 3 + 3), F(2 * 2, 2 + 3))),
]


@pytest.mark.parametrize(("gold", "predicted", "em", "f1"), KORQUAD, ids=str)
def test_korquad(gold: list[str], predicted: str, em: int, f1: F) -> None:
    result = answer_scores([gold], [predicted])
    assert result["korquad_em"] == em
    assert result["korquad_f1"] == pytest.approx(float(f1), abs=1e-12)
    both_empty = f1 == 0 and em == 1
    assert result["char_f1"] == pytest.approx(1.0 if both_empty else float(f1), abs=1e-12)


@pytest.mark.parametrize(("gold", "predicted", "em", "rouge"), KLUE, ids=str)
def test_klue_mrc(gold: list[str], predicted: str, em: int, rouge: F) -> None:
    result = answer_scores([gold], [predicted])
    assert result["klue_mrc_em"] == em
    assert result["klue_mrc_rouge_w"] == pytest.approx(float(rouge), abs=1e-12)


@pytest.mark.parametrize(
    ("text", "korquad", "klue"),
    [
        ("《삼국지》 <1권>(초판)", "삼국지 1권 초판", "《삼국지》 1권초판"),
        ("‘The END’...", "the end", "‘the end’"),
        ("  1,234.5㎞\t~ 2천 ", "12345㎞ 2천", "12345㎞ 2천"),
        ("C++/C#", "cc", "cc"),
        ("", "", ""),
    ],
)
def test_normalized(text: str, korquad: str, klue: str) -> None:
    assert korquad_normalized(text) == korquad
    assert klue_mrc_normalized(text) == klue


def test_the_mean_over_questions() -> None:
    gold: Sequence[Sequence[str]] = [["서울"], ["서울특별시", "서울시"], [], []]
    result = answer_scores(gold, ["서울", "서울", "", "부산"])
    assert list(result) == list(NAMES)
    # the second question: 4/7 and 4/5 for the two answers; the third: EM 1, F1 0; the fourth: all 0
    f1 = max(F(4, 7), F(4, 5))
    assert result["korquad_em"] == result["klue_mrc_em"] == (1 + 0 + 1 + 0) / 4
    assert result["korquad_f1"] == pytest.approx(float((1 + f1 + 0 + 0) / 4))
    assert result["char_f1"] == result["klue_mrc_rouge_w"] == pytest.approx(float((1 + f1 + 1 + 0) / 4))


def test_the_order_of_right_answers_does_not_matter() -> None:
    gold = ["서울특별시", "서울", "한양"]
    assert answer_scores([gold], ["서울시"]) == answer_scores([gold[::-1]], ["서울시"])


def test_no_questions() -> None:
    assert answer_scores([], []) == dict.fromkeys(NAMES, 0)


@pytest.mark.parametrize(("gold", "predicted"), [([["a"], ["b"]], ["a"]), ([], ["a"]), ([["a"]], [])])
def test_unequal_lengths(gold: list[list[str]], predicted: list[str]) -> None:
    with pytest.raises(ValueError, match=f"gold has {len(gold)}, predicted has {len(predicted)}"):
        answer_scores(gold, predicted)
