"""JSON and JSON lines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from format_helpers import Write, fails, lines, values


def test_json_array(write: Write) -> None:
    path = write("a.json", '[\n {"text": "가", "label": 1},\n {"text": null}\n]', encoding="utf-8-sig")
    assert values(path) == [{"text": "가", "label": 1}, {"text": None}]
    assert lines(path) == [1, 2]


def test_json_object_that_holds_one_array(write: Write) -> None:
    path = write("a.json", '{"version": "1", "tags": ["x"], "data": [{"a": 1}]}')
    assert values(path) == [{"a": 1}]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"train": [{"a": 1}], "test": [{"a": 2}]}', ("2 arrays", "train, test", "file of its own")),
        ('{"text": ["가"], "label": [1, 2]}', ("without an array of objects", "text, label", "--format jsonl")),
        ("{}", ("keys: none",)),
        ('"가"', ("without objects", '"가"')),
    ],
)
def test_json_without_rows(write: Write, content: str, parts: tuple[str, ...]) -> None:
    fails(write("a.json", content), *parts, "expected: an array of objects")


def test_json_items_that_are_not_objects(write: Write) -> None:
    fails(write("a.json", '[{"a": 1}, "나"]'), "not an object", '"나"', "expected: an object", line=2, unit="record")
    fails(write("a.jsonl", '{"a": 1}\n\n["나"]\n'), "not an object", '["나"]', line=3)


def test_broken_json(write: Write) -> None:
    fails(write("a.json", '[\n {"a": 1},\n {"a" 2}\n]'), "column 7", "':' delimiter", '"a" ', "2}", line=3)


def test_broken_json_line(write: Write) -> None:
    fails(write("a.jsonl", '{"a": 1}\n{"text": "가\n'), "broken JSON", "column 10", "가", line=2)
    fails(write("a.jsonl", "{'a': 1}\n"), "column 2", "double quotes", line=1)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": ' + "1" * 10_000 + "}"])
def test_absurd_json(write: Write, content: str) -> None:
    fails(write("a.jsonl", content), "cannot be read", line=1)


def test_json_lines(write: Write) -> None:
    path = write("a.jsonl", '{"text": "가"}\r\n \n{"entities": [[0, 1, "PS"]]}')
    assert values(path) == [{"text": "가"}, {"entities": [[0, 1, "PS"]]}]
    assert lines(path) == [1, 3]


def test_half_an_emoji(write: Write) -> None:
    assert values(write("a.jsonl", '{"text": "\\ud83d\\ude00"}')) == [{"text": "😀"}]
    fails(write("a.jsonl", '{"text": "좋다 \\ud83d"}'), "\\ud83d", "emoji", line=1)
    fails(write("a.json", '[{"text": "\\uDE00"}]'), "\\ude00", line=1, unit="record")


@pytest.mark.parametrize("orient", ["columns", "index", "split", "records", "table", "list"])
def test_what_pandas_writes(write: Write, orient: Any) -> None:
    import pandas

    frame = pandas.DataFrame({"text": ["가", "나"], "label": ["x", "y"]})
    content = json.dumps(frame.to_dict("list")) if orient == "list" else frame.to_json(orient=orient)
    rows = [{"text": row["text"], "label": row["label"]} for row in values(write("a.json", content))]
    assert rows == [{"text": "가", "label": "x"}, {"text": "나", "label": "y"}]


@pytest.mark.parametrize(
    "content", ['{"text": ["가"], "label": ["x", "y"]}', '{"a": {"b": 1}, "c": {"d": 2}}', '{"text": "가"}']
)
def test_objects_that_are_no_table(write: Write, content: str) -> None:
    fails(write("a.json", content), "an object without an array of objects")
