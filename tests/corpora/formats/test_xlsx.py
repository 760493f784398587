"""Excel sheets."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from format_helpers import Write, fails, lines, values

from ratsnlp_like.corpora.formats import choose_format
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.text import TextExample

openpyxl = pytest.importorskip("openpyxl")


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_the_first_sheet_or_a_named_one(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 5, 1)
    first = [[None, None], ["문장", "감정", "날짜"], ["산책이 좋았다", "기쁨", day], [None], ["비가 왔다", "슬픔"]]
    path = workbook(tmp_path / "a.xlsx", 첫째=first, 둘째=[["text", "label"], ["가", 3]])
    assert choose_format(path).name == "xlsx"
    assert values(path) == [
        {"문장": "산책이 좋았다", "감정": "기쁨", "날짜": day},
        {"문장": "비가 왔다", "감정": "슬픔", "날짜": None},
    ]
    assert lines(path) == [3, 5]
    assert values(path, sheet="둘째") == [{"text": "가", "label": 3}]
    corpus = open_corpus(path, TextExample, "classification")
    assert list(corpus.examples(tmp_path, "train")) == [
        TextExample("산책이 좋았다", "기쁨"),
        TextExample("비가 왔다", "슬픔"),
    ]


def test_a_sheet_without_header(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", S=[["가", "x"], ["나", "y"]])
    assert values(path, columns=("text", "label"))[1] == {"text": "나", "label": "y"}


def test_sheets_that_cannot_be_read(tmp_path: Path, write: Write) -> None:
    path = workbook(tmp_path / "a.xlsx", 감정=[["text", "text"], ["가", "나"]])
    fails(path, "2 columns of the header are named 'text'", line=1, unit="row")
    fails(path, "no sheet '감종'", "known: 감정", sheet="감종")
    cut = write("b.xlsx", path.read_bytes()[:300])
    fails(cut, "cannot be read as a workbook")


def test_damaged_workbooks(tmp_path: Path, write: Write) -> None:
    content = workbook(tmp_path / "a.xlsx", S=[["text", "label"], *([f"문장 {n}", n] for n in range(200))]).read_bytes()
    newer = content.replace(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\xf0\x00")
    assert newer != content
    fails(write("b.xlsx", newer), "cannot be read as a workbook")
    at = content.index(b"xl/worksheets/sheet1.xml") + 200
    fails(write("c.xlsx", content[:at] + bytes(60) + content[at + 60 :]), "cannot be read as a workbook")
