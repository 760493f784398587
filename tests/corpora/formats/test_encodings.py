"""Character encodings: detected, requested, broken."""

from __future__ import annotations

import codecs
import logging

import pytest
from format_helpers import Write, fails, values

from ratsnlp_like.corpora.formats import detect_encoding


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp949", "cp949"), ("euc-kr", "cp949")],
)
def test_encoding_is_found(write: Write, encoding: str, found: str) -> None:
    path = write("a.tsv", "id\ttext\n1\t참 좋은 영화\n", encoding=encoding)
    assert detect_encoding(path) == found
    assert values(path) == [{"id": "1", "text": "참 좋은 영화"}]


def test_utf16_big_endian(write: Write) -> None:
    assert values(write("a.txt", codecs.BOM_UTF16_BE + "펭귄\n".encode("utf-16-be"))) == [{"text": "펭귄"}]


def test_cp949_has_more_syllables_than_euc_kr(write: Write) -> None:
    assert values(write("a.txt", "펲시\n", encoding="cp949")) == [{"text": "펲시"}]


def test_korean_after_a_megabyte_of_ascii_is_found(write: Write) -> None:
    path = write("a.txt", b"ascii\n" * 300_000 + "안녕".encode("cp949"))
    assert detect_encoding(path) == "cp949"


def test_cp949_is_logged_once_per_file(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("a.txt", "안녕\n", encoding="cp949")
    with caplog.at_level(logging.WARNING, logger="ratsnlp_like"):
        values(path)
        values(path)
    (record,) = caplog.records
    assert record.name == "ratsnlp_like"
    assert "a.txt" in record.getMessage()
    assert "CP949" in record.getMessage()


def test_neither_utf8_nor_cp949(write: Write) -> None:
    path = write("a.txt", "가\n나".encode() + b"\xff\xff" + "다\n".encode())
    fails(path, "neither UTF-8 nor CP949", "byte 7 (0xff)", "--encoding", line=2)


def test_utf8_that_breaks_off(write: Write) -> None:
    fails(write("a.txt", "가\n나".encode()[:-1]), "byte 4 (0xeb)", line=2)


def test_broken_utf8_after_a_byte_order_mark(write: Write) -> None:
    fails(write("a.txt", codecs.BOM_UTF8 + b"ok\n\xff\n"), "byte 6 (0xff) is not utf-8", line=2)


def test_broken_utf16(write: Write) -> None:
    fails(write("a.txt", codecs.BOM_UTF16_LE + b"\x00\xd8\x41"), "not utf-16")


def test_forced_encoding_that_does_not_fit(write: Write) -> None:
    path = write("a.txt", "ok\n안녕\n", encoding="cp949")
    fails(path, "byte 3", "is not utf-8", "--encoding", line=2, encoding="utf-8")
    fails(path, "not utf-16", encoding="utf-16")


@pytest.mark.parametrize("name", ["utf-88", "hex"])
def test_forced_encoding_that_does_not_exist(write: Write, name: str) -> None:
    fails(write("a.txt", "x"), "--encoding", name, encoding=name)


def test_forced_utf8_drops_the_byte_order_mark(write: Write) -> None:
    assert values(write("a.csv", "text\n가\n", encoding="utf-8-sig"), encoding="utf-8") == [{"text": "가"}]
