"""CoNLL: words and tags."""

from __future__ import annotations

import logging

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


BIO = "앞\tB-LC\n뒤\tO\n\n"  # a B- after O, which IOB1 does not write


def test_orphan_inside_tag(write: Write) -> None:
    fails(write("a.conll", BIO + "가\tO\n나\tI-PS\n"), "I-PS has no B-PS", r"write '나\tB-PS'", line=5)
    fails(write("a.conll", "가 B-LC\n나 I-PS\n"), "I-PS has no B-PS", "write '나 B-PS'", line=2)
    fails(write("a.conll", "가 B-PS\n\n나 I-PS\n"), "I-PS has no B-PS", line=3)
    fails(write("a.conll", "가 B-PS\n나 O\n다 I-PS\n"), "I-PS has no B-PS", line=3)


@pytest.mark.parametrize(
    ("tag", "fix"),
    [
        ("b-ps", "B-ps"),
        ("B-", "O, or B- or I- and the type"),
        ("PS", "O, or B- or I- and the type"),
    ],
)
def test_unknown_tag(write: Write, tag: str, fix: str) -> None:
    fails(write("a.conll", BIO + f"가\tO\n나\t{tag}\n"), f"unknown tag {tag!r}", "expected: O, B-<type>", fix, line=5)


SCHEMES = {
    "IOB1": ["I-PS", "I-PS", "B-PS", "O", "I-LC"],
    "BIOES": ["B-PS", "E-PS", "S-PS", "O", "S-LC"],
    "BILOU": ["B-PS", "L-PS", "U-PS", "O", "U-LC"],
    "BMEWO": ["B-PS", "E-PS", "W-PS", "O", "W-LC"],
    "Naver": ["PS_B", "PS_I", "PS_B", "-", "LC_B"],
    "BIO": ["B-PS", "I-PS", "B-PS", "O", "B-LC"],
}


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["a.conll", "a.txt", "a.tsv", "noext"])
def test_tag_schemes(write: Write, scheme: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    words = ["은별", "김", "하준", "씨", "여수"]
    path = write(name, "".join(f"{w}\t{t}\n" for w, t in zip(words, SCHEMES[scheme], strict=True)))
    with caplog.at_level(logging.INFO, logger="ratsnlp_like"):
        (row,) = values(path)
    assert row == {"text": "은별 김 하준 씨 여수", "entities": [[0, 4, "PS"], [5, 7, "PS"], [10, 12, "LC"]]}
    assert (f"scheme {scheme}" in caplog.text) is (scheme != "BIO")


@pytest.mark.parametrize("form", ["B_X", "X-B"])
def test_tags_that_are_written_otherwise(write: Write, form: str, caplog: pytest.LogCaptureFixture) -> None:
    tags = [tag if tag == "O" else form.replace("B", tag[0]).replace("X", tag[2:]) for tag in SCHEMES["BIO"]]
    words = ["은별", "김", "하준", "씨", "여수"]
    path = write("a.conll", "".join(f"{w}\t{t}\n" for w, t in zip(words, tags, strict=True)))
    with caplog.at_level(logging.INFO, logger="ratsnlp_like"):
        (row,) = values(path)
    assert row == {"text": "은별 김 하준 씨 여수", "entities": [[0, 4, "PS"], [5, 7, "PS"], [10, 12, "LC"]]}
    assert f"scheme {form}" in caplog.text


def test_tags_without_prefixes(write: Write) -> None:
    """IO: neighbours of one type are one entity."""
    path = write("a.conll", "은별 PS\n김 PS\n씨 O\n여수 LC\n")
    assert values(path) == [{"text": "은별 김 씨 여수", "entities": [[0, 4, "PS"], [7, 9, "LC"]]}]


def test_numbered_tokens(write: Write) -> None:
    """Naver's corpus and CoNLL-U: the first column counts, the second is the word; `# text =` is a comment."""
    sentence = "1\t은별은\tNOUN\tB-PS\n2\t여수에\tNOUN\tB-LC\n3\t산다\tVERB\tO\n\n"
    path = write("a.tsv", f"# sent_id = 1\n# text = 은별은 여수에 산다\n{sentence}{sentence}")
    assert values(path) == [{"text": "은별은 여수에 산다", "entities": [[0, 3, "PS"], [4, 7, "LC"]]}] * 2


def test_numbers_that_do_not_count_are_words(write: Write) -> None:
    path = write("a.tsv", "1\tNUM\tB-QT\n2024\tNUM\tO\n\n")
    assert values(path) == [{"text": "1 2024", "entities": [[0, 1, "QT"]]}]


def test_columns_of_conll_2003(write: Write) -> None:
    path = write("a.conll", "-DOCSTART- -X- -X- O\n\n은별 NNP B-NP I-PS\n산다 VV B-VP O\n")
    assert values(path) == [{"text": "은별 산다", "entities": [[0, 2, "PS"]]}]


def test_rows_with_other_numbers_of_columns(write: Write) -> None:
    fails(write("a.conll", "가 NN B-PS\n나 O\n"), "2 columns in '나 O'", "expected: 3", line=2)


def test_conll_row_without_tag_or_word(write: Write) -> None:
    fails(write("a.conll", "가\tO\n나\n"), "only one column", r"write '나\tO'", line=2)
    fails(write("a.conll", "가나\tO\n\tO\n"), "no word before the tag", line=2)
