"""KLUE-NER."""

from __future__ import annotations

import pytest
from format_helpers import Write, fails, lines, values


def test_klue_ner(write: Write) -> None:
    content = (
        "## 토큰 구분자 : \\n\n## 컬럼명 : CHAR\tNE_TAG\n"
        "## id-1\t<박:PS> 씨 <3:QT>\n박\tB-PS\n \tO\n씨\tO\n \tO\n3\tB-QT\n\n"
        "## id-2\t#<서울:LC>\n#\tO\n서\tB-LC\n울\tI-LC\n"
    )
    path = write("a.tsv", content)
    assert values(path) == [
        {"text": "박 씨 3", "entities": [[0, 1, "PS"], [4, 5, "QT"]], "guid": "id-1"},
        {"text": "#서울", "entities": [[1, 3, "LC"]], "guid": "id-2"},
    ]
    assert lines(path) == [3, 10]


def test_klue_ner_sentences_without_blank_line_and_without_head(write: Write) -> None:
    path = write("a.tsv", "## a\t가\n가\tO\n## b\t나\n나\tO\n\n다\tO\n")
    assert [(row["text"], row["guid"]) for row in values(path)] == [("가", "a"), ("나", "b"), ("다", "")]
    assert lines(path) == [1, 3, 6]


@pytest.mark.parametrize("head", ["<영화>의 가", "<<영화>:PS>의 가"])
def test_klue_ner_rows_decide_where_the_head_is_ambiguous(write: Write, head: str) -> None:
    rows = "".join(f"{character}\tO\n" for character in "<영화>의 가")
    assert values(write("a.tsv", f"## a\t{head}\n{rows}"))[0]["entities"] == []


def test_klue_ner_head_against_rows(write: Write) -> None:
    head = "## a\t<박:PS>과 이\n"
    fails(write("a.tsv", head + "박\tO\n과\tO\n \tO\n이\tO\n"), "head", "<박:PS>", "the rows not", line=1)
    fails(write("a.tsv", head + "박\tB-PS\n과\tO\n \tO\n이\tB-PS\n"), "rows", "<이:PS>", "the head not", line=1)


def test_klue_ner_broken_rows(write: Write) -> None:
    fails(write("a.tsv", "## a\t가나\n가\tO\n나\tI-PS\n"), "I-PS has no B-PS", r"write '나\tB-PS'", line=3)
    fails(write("a.tsv", "## a\t가 나\n가\tO\n\tO\n"), "not a character row", r"write ' \tO'", line=3)
    fails(write("a.tsv", "## a\t가나\n가\tO\n나\n"), "not a character row", r"write '나\tO'", line=3)


def test_klue_ner_row_that_is_missing(write: Write) -> None:
    """The head shows it."""
    path = write("a.tsv", "## a\t<한가람:PS>은\n한\tB-PS\n람\tI-PS\n은\tO\n")
    fails(path, "the head is another sentence than its rows", "<한가람:PS>은", "한람은", line=1)
