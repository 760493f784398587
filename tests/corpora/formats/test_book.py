"""The marks of the book."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from format_helpers import BOOK, Write, fails, lines, values
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.corpora.formats.book import MismatchError, find_marks


@pytest.mark.parametrize(
    ("text", "marked", "entities"),
    [
        ("나는 간다", "나는 간다", []),
        ("서울에 간다", "<서울:LC>에 간다", [("서울", "LC")]),
        ("서울시청", "<서울:LOC><시청:ORGANIZATION>", [("서울", "LOC"), ("시청", "ORGANIZATION")]),
        ("가 나", "<가:A> <나:my-Tag_2>", [("가", "A"), ("나", "my-Tag_2")]),
        ("1:1 비김", "<1:1:NOH> 비김", [("1:1", "NOH")]),
        ("ISO:PER 인증", "<ISO:PER:POH> 인증", [("ISO:PER", "POH")]),
        ("내일>(18일)", "내일>(<18일:DAT>)", [("18일", "DAT")]),
        ("<영화>가", "<<영화:POH>>가", [("영화", "POH")]),
        ("<2> 문제", "<<2>:NOH> 문제", [("<2>", "NOH")]),
        ("<이하 박 씨 글>끝", "<이하 <박:PER> 씨 글>끝", [("박", "PER")]),
        ("<글><2016년>", "<글><<2016년:DAT>>", [("2016년", "DAT")]),
        ("기아>현대>", "<기아:ORG>><현대:ORG>>", [("기아", "ORG"), ("현대", "ORG")]),
        ("전화<본", "<전화:POH><본", [("전화", "POH")]),
        ("a < b 이다", "<a < b:EQ> 이다", [("a < b", "EQ")]),
        ("<박:PER>이라고 쓴다", "<박:PER>이라고 쓴다", []),
        ("<박:PER>과 이", "<박:PER>과 <이:PER>", [("이", "PER")]),
        ("a:PS>", "<a:PS>:PS>", [("a", "PS")]),
        ("<", "<<:X>", [("<", "X")]),
        (" 가 ", "< 가 :X>", [(" 가 ", "X")]),
    ],
)
def test_marks(text: str, marked: str, entities: list[tuple[str, str]]) -> None:
    found = find_marks(text, marked)
    assert [(text[int(start) : int(end)], label) for start, end, label in found] == entities


pieces = st.text("<>:aP ", min_size=1, max_size=6)


@pytest.mark.slow
@given(st.lists(st.tuples(pieces, st.sampled_from(["", "PS", "LOC"])), max_size=6))
def test_marks_are_found_in_any_text(parts: list[tuple[str, str]]) -> None:
    """Whatever the text holds, some marks are found, and put into the text they give the marked text."""
    text = "".join(piece for piece, _ in parts)
    marked = "".join(f"<{piece}:{tag}>" if tag else piece for piece, tag in parts)
    again, last = "", 0
    for start, end, label in find_marks(text, marked):
        assert last <= int(start) < int(end)
        again += f"{text[last : int(start)]}<{text[int(start) : int(end)]}:{label}>"
        last = int(end)
    assert again + text[last:] == marked


def all_readings(text: str, marked: str, start: int = 0) -> Iterator[tuple[tuple[int, int, str], ...]]:
    """Every choice of marks that leaves the text, by trying each `<` of `marked` with each end tag after it."""
    if text == marked:
        yield ()
    for at in range(len(marked)):
        if marked[at] == "<" and marked[:at] == text[:at]:
            for end in re.finditer(r"(?=:(P+)>)", marked[at + 2 :]):
                inside = marked[at + 1 : at + 2 + end.start()]
                after = marked[at + 2 + end.start() + len(end[1]) + 2 :]
                if text.startswith(inside, at):
                    here, there = start + at, start + at + len(inside)
                    for rest in all_readings(text[at + len(inside) :], after, there):
                        yield ((here, there, end[1]), *rest)


def unpaired(text: str) -> int:
    while "<" in text and (shorter := re.sub("<[^<>]*>", "", text)) != text:
        text = shorter
    return text.count("<") + text.count(">")


@given(st.lists(st.sampled_from(["<", ">", ":P>", ":PP>", "a", "<a>", "<a:P>"]), max_size=7), st.data())
def test_the_search_finds_the_best_of_all_readings(parts: list[str], data: st.DataObject) -> None:
    marked = "".join(parts)
    text = re.sub(r"<([^<>]+):P+>", r"\1", marked, count=data.draw(st.integers(0, 3)))
    text = text.replace("<", "", data.draw(st.integers(0, 1)))
    readings = list(all_readings(text, marked))
    if not readings:
        with pytest.raises(MismatchError):
            find_marks(text, marked)
        return
    found = tuple((int(start), int(end), str(label)) for start, end, label in find_marks(text, marked))
    assert found in readings
    costs = [sum(unpaired(text[start:end]) for start, end, _ in reading) for reading in readings]
    assert costs[readings.index(found)] == min(costs)


def test_many_brackets_are_read_in_no_time() -> None:
    text = "<" * 1000 + "가" + ">" * 1000
    assert find_marks(text, text.replace("가", "<가:X>")) == [[1000, 1001, "X"]]


def test_book_ner(write: Write) -> None:
    path = write("a.txt", "서울에␞<서울:LC>에\r\n\n가\xa0나␞가\xa0<나:PS>")
    assert values(path) == [
        {"text": "서울에", "entities": [[0, 2, "LC"]]},
        {"text": "가\xa0나", "entities": [[2, 3, "PS"]]},
    ]
    assert lines(path) == [1, 3]


def test_book_ner_line_without_separator(write: Write) -> None:
    fails(write("a.txt", BOOK + "부산에 간다\n"), "no separator", "U+241E", "부산에 간다␞", line=2)
    fails(write("a.txt", BOOK + "가␞나␞가\n"), "2 separator", "remove", line=2)


def test_marks_that_do_not_match_say_where(write: Write) -> None:
    path = write("a.txt", BOOK + "서울에 간다␞<서울:LC>에 갔다\n")
    fails(path, "character 5 of the text is '간'", "has '갔'", "(its character 10)", "'서울에 갔다'", line=2)


@pytest.mark.parametrize(
    ("text", "marked", "parts"),
    [
        ("서울\xa0역", "<서울:LC> 역", ("NO-BREAK SPACE", "U+00A0", "U+0020")),
        ("서울역 앞", "<서울:LC>역", ("character 4 of the text", "at its end")),
        ("서울", "", ("at its end",)),
        ("서울", "<서울:LC", ("do not match",)),
        ("서울", "서울:LC>", ("do not match", "at its end")),
    ],
)
def test_marks_that_do_not_match(write: Write, text: str, marked: str, parts: tuple[str, ...]) -> None:
    fails(write("a.txt", f"{text}␞{marked}\n"), *parts, "expected: the right half", "fix:", line=1)


@pytest.mark.parametrize("tag", ["지역", "", "1"])
def test_unknown_form_of_tag(write: Write, tag: str) -> None:
    fails(write("a.txt", f"서울에␞<서울:{tag}>에\n"), f"form of tag {tag!r}", "<서울:LOC>", "rename", line=1)


def test_mark_inside_a_mark(write: Write) -> None:
    fails(write("a.txt", "서울 시청␞<<서울:LC> 시청:OG>\n"), "inside another", "outer or the inner", line=1)
