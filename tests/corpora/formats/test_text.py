"""Plain text."""

from __future__ import annotations

import gzip

from format_helpers import Write, fails, lines, values

from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.formats.text import read_plain_text


def test_text(write: Write) -> None:
    path = write("a.txt", " 가 \r\n\n\t\n나")
    assert values(path) == [{"text": " 가 "}, {"text": ""}, {"text": "\t"}, {"text": "나"}]
    assert lines(path) == [1, 2, 3, 4]


def test_an_empty_gzip_file(write: Write) -> None:
    path = write("a.txt.gz", gzip.compress(b""))
    fails(path, "is empty")
    assert list(read_plain_text(path, Options(encoding="utf-8"))) == []
