"""CoNLL: words and tags."""

from __future__ import annotations

import pytest
from format_helpers import Write, fails, lines, values

from ratsnlp_like.corpora.formats.conll import entities_from_words
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place


@pytest.mark.parametrize("separator", ["\t", " ", "  ", "\t_\t"])
def test_conll(write: Write, separator: str) -> None:
    rows = [("두레건설은", "B-OG"), ("3월", "B-DT"), ("15일", "I-DT"), ("연다.", "O")]
    sentence = "".join(f"{word}{separator}{tag}\r\n" for word, tag in rows)
    path = write("a.conll", f"-DOCSTART- O\n\n# 출처 = 손\n{sentence}\n\n{sentence}")
    expected = {"text": "두레건설은 3월 15일 연다.", "entities": [[0, 5, "OG"], [6, 12, "DT"]]}
    assert values(path) == [expected, expected]
    assert lines(path) == [4, 10]


def test_conll_neighbours(write: Write) -> None:
    path = write("a.conll", "가\tB-PS\n나\tB-PS\n다\tI-PS\n라\tB-LC\n")
    assert values(path)[0]["entities"] == [[0, 1, "PS"], [2, 5, "PS"], [6, 7, "LC"]]


def test_conll_hashtag_is_a_word(write: Write) -> None:
    assert values(write("a.conll", "#서울\tB-LC\n# 주석\n#\tO\n"))[0]["text"] == "#서울 #"


def test_conll_no_break_space_is_part_of_a_word(write: Write) -> None:
    assert values(write("a.conll", "서울\xa0시\tB-LC\n가\u3000나 O\n"))[0]["text"] == "서울\xa0시 가\u3000나"


def test_conll_of_characters_with_rows_for_spaces(write: Write) -> None:
    path = write("a.conll", "나\tB-PS\n \tO\n가\tO\n\n너\tO\n")
    assert values(path) == [{"text": "나 가", "entities": [[0, 1, "PS"]]}, {"text": "너", "entities": []}]


def test_entities_from_words() -> None:
    place = Place("hub", 3)
    found = entities_from_words(["박", "씨"], ["B-PS", "O"], separator="", places=place)
    assert found == ("박씨", [[0, 1, "PS"]])
    assert entities_from_words(["박", "씨"], ["B-PS", "I-PS"], places=[place, place]) == ("박 씨", [[0, 3, "PS"]])
    with pytest.raises(InputError, match=r"hub, line 3: 2 words and 1 tags"):
        entities_from_words(["박", "씨"], ["O"], places=place)
    with pytest.raises(InputError, match=r"hub, line 3: the tag I-PS has no B-PS"):
        entities_from_words(["박"], ["I-PS"], places=place)


def test_orphan_inside_tag(write: Write) -> None:
    fails(write("a.conll", "가\tO\n나\tI-PS\n"), "I-PS has no B-PS", r"write '나\tB-PS'", line=2)
    fails(write("a.conll", "가 B-LC\n나 I-PS\n"), "I-PS has no B-PS", "write '나 B-PS'", line=2)
    fails(write("a.conll", "가 B-PS\n\n나 I-PS\n"), "I-PS has no B-PS", line=3)
    fails(write("a.conll", "가 B-PS\n나 O\n다 I-PS\n"), "I-PS has no B-PS", line=3)


@pytest.mark.parametrize(
    ("tag", "fix"),
    [
        ("S-PS", "B-PS"),
        ("E-PS", "I-PS"),
        ("PER_B", "B-PER"),
        ("-", "O"),
        ("b-ps", "B-ps"),
        ("B-", "O, or B- or I- and the type"),
        ("PS", "O, or B- or I- and the type"),
    ],
)
def test_unknown_tag(write: Write, tag: str, fix: str) -> None:
    fails(write("a.conll", f"가\tO\n나\t{tag}\n"), f"unknown tag {tag!r}", "expected: O, B-<type>", fix, line=2)


def test_conll_row_without_tag_or_word(write: Write) -> None:
    fails(write("a.conll", "가\tO\n나\n"), "only one column", r"write '나\tO'", line=2)
    fails(write("a.conll", "가나\tO\n\tO\n"), "no word before the tag", line=2)
