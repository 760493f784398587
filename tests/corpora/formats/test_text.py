"""Plain text."""

from __future__ import annotations

from format_helpers import Write, lines, values


def test_text(write: Write) -> None:
    path = write("a.txt", " 가 \r\n\n\t\n나")
    assert values(path) == [{"text": " 가 "}, {"text": ""}, {"text": "\t"}, {"text": "나"}]
    assert lines(path) == [1, 2, 3, 4]
