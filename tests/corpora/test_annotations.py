"""Entities of annotation tools, in their own export formats, and the corrections that are made and counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from ratsnlp_like.corpora.annotations import normalise_entities
from ratsnlp_like.corpora.notices import Notices
from ratsnlp_like.corpora.offsets import from_utf16
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample

TEXT = "이슬비가 전주에서 우산을 샀다."
GOLD = (Entity(0, 3, "PS"), Entity(5, 7, "LC"))
PLACE = Place("a.jsonl", 1)


def read(path: Path) -> list[Any]:
    return list(open_corpus(path, EntityExample, "ner").examples(path.parent, "train"))


def spans(start: str, end: str, **more: Any) -> list[dict[str, Any]]:
    return [{start: first, end: last, "label": label, **more} for first, last, label in GOLD]


def label_studio(kind: str = "labels") -> list[dict[str, Any]]:
    return [
        {
            "from_name": "label",
            "to_name": "text",
            "type": kind,
            "value": {"start": start, "end": end, "text": TEXT[start:end], "labels": [label]},
        }
        for start, end, label in GOLD
    ]


EXPORTS: dict[str, Any] = {
    "triples": {"text": TEXT, "entities": [list(entity) for entity in GOLD]},
    "doccano": {"id": 3, "text": TEXT, "entities": spans("start_offset", "end_offset", id=1), "relations": []},
    "doccano labels": {"id": 3, "text": TEXT, "label": [list(entity) for entity in GOLD], "Comments": []},
    "doccano annotations": {"text": TEXT, "annotations": spans("start_offset", "end_offset", user=1)},
    "Label Studio": {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": label_studio()}]},
    "Label Studio JSON-MIN": {
        "id": 1,
        "text": TEXT,
        "label": [{"start": s, "end": e, "text": TEXT[s:e], "labels": [label]} for s, e, label in GOLD],
        "annotator": 1,
    },
    "Prodigy": {"text": TEXT, "spans": spans("start", "end", token_start=0), "answer": "accept", "_task_hash": 1},
    "DataTurks": {
        "content": TEXT,
        "annotation": [
            {"label": [label], "points": [{"start": s, "end": e - 1, "text": TEXT[s:e]}]} for s, e, label in GOLD
        ],
    },
    "JSON in a string": {"text": TEXT, "entities": json.dumps([list(entity) for entity in GOLD])},
    "spaCy": [TEXT, {"entities": [list(entity) for entity in GOLD]}],
    "pipeline of transformers": {
        "text": TEXT,
        "entities": [{"entity_group": k, "start": s, "end": e, "word": TEXT[s:e], "score": 0.9} for s, e, k in GOLD],
    },
    "begin and form": {
        "text": TEXT,
        "ne": [{"id": 1, "form": "이슬비", "label": "PS", "begin": 0, "end": 3}, [5, 7, "LC"]],
    },
}


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_exports_of_annotation_tools(name: str, suffix: str, tmp_path: Path) -> None:
    row = EXPORTS[name]
    content = json.dumps(row if suffix == "jsonl" else [row], ensure_ascii=False)
    assert read(write(tmp_path / f"a.{suffix}", content + "\n")) == [EntityExample(TEXT, GOLD)]


def test_label_studio_csv(tmp_path: Path) -> None:
    items = [{"start": s, "end": e, "text": TEXT[s:e], "labels": [label]} for s, e, label in GOLD]
    cell = json.dumps(items, ensure_ascii=False).replace('"', '""')
    path = write(tmp_path / "a.csv", f'id,text,label,annotator\n1,{TEXT},"{cell}",2\n')
    assert read(path) == [EntityExample(TEXT, GOLD)]


def test_rejected_and_skipped_rows_are_left_out_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cancelled = {"id": 2, "data": {"text": TEXT}, "annotations": [{"was_cancelled": True, "result": []}]}
    files = {
        "prodigy": [EXPORTS["Prodigy"], {**EXPORTS["Prodigy"], "answer": "reject"}],
        "label_studio": [EXPORTS["Label Studio"], cancelled],
    }
    for name, rows in files.items():
        path = write(tmp_path / f"{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        caplog.clear()
        assert read(path) == [EntityExample(TEXT, GOLD)]
        assert f"{name}.jsonl (train): rejected, skipped or not annotated: left out (rows: 1" in caplog.text
        assert len(list(open_corpus(path, EntityExample, "ner").inputs(tmp_path, "train"))) == 2


@pytest.mark.parametrize(
    ("tokens", "tags", "text", "entities"),
    [
        (["이슬비가", "전주에서"], ["B-PS", "B-LC"], "이슬비가 전주에서", [(0, 4, "PS"), (5, 9, "LC")]),
        ([*"이슬비"], ["B-PS", "I-PS", "I-PS"], "이슬비", [(0, 3, "PS")]),
    ],
)
@pytest.mark.parametrize("names", [("tokens", "ner_tags"), ("words", "tags"), ("tokens", "labels")])
def test_tokens_and_tags(
    tokens: list[str], tags: list[str], text: str, entities: list[Any], names: tuple[str, str], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"id": "0", names[0]: tokens, names[1]: tags}) + "\n")
    assert read(path) == [EntityExample(text, tuple(Entity(*entity) for entity in entities))]


def test_tags_as_numbers_have_no_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"tokens": ["가"], "ner_tags": [1]}) + "\n")
    with pytest.raises(InputError, match="ner_tags are numbers") as caught:
        read(path)
    assert caught.value.place == Place(str(path), 1)


EMOJI = "🎈🎈 이슬비가 왔다."


@pytest.mark.parametrize(
    ("text", "item", "expected", "notice"),
    [
        (EMOJI, {"start": 5, "end": 8, "label": "PS", "text": "이슬비"}, [3, 6, "PS"], "offsets in UTF-16 units, as"),
        (EMOJI, {"start": 3, "end": 6, "label": "PS", "text": "이슬비"}, [3, 6, "PS"], None),
        (EMOJI, [4, 7, "PS"], [4, 7, "PS"], "begin inside a word"),
        (TEXT, {"start": 0, "end": 2, "label": "PS", "text": "이슬비"}, [0, 3, "PS"], "end is inclusive"),
        (TEXT, [4, 8, "LC"], [5, 8, "LC"], "white space at their edges"),
        (TEXT, [0, 3, "PS\u200b "], [0, 3, "PS"], "invisible characters"),
        (TEXT, [0.0, 3.0, "PS"], [0, 3, "PS"], None),
    ],
)
def test_corrections(text: str, item: Any, expected: list[Any], notice: str | None) -> None:
    notices = Notices("a")
    assert normalise_entities([item], text, PLACE, notices) == [expected]
    assert len(notices.counts) == (notice is not None)
    assert notice is None or notice in next(iter(notices.counts))


@pytest.mark.parametrize(
    "item",
    [
        [0, 2.5, "PS"],
        [0, float("inf"), "PS"],
        [True, 3, "PS"],
        ["0", "3", "PS"],
        "012",
        [0, 3, {"a": 1}],
        [0, 3, ""],
        [0, 3, float("nan")],
        [0, 3],
        {"start": 0, "label": "PS"},
        None,
    ],
)
def test_items_that_are_no_entities(item: Any) -> None:
    with pytest.raises(InputError, match="cannot read the entity"):
        normalise_entities([item], TEXT, PLACE, Notices("a"))
    with pytest.raises(InputError, match="cannot read the entity"):
        EntityExample.from_row({"text": TEXT, "entities": [item]})


def test_a_tag_is_no_label() -> None:
    with pytest.raises(InputError, match="the tag 'B-PS'") as caught:
        EntityExample.from_row({"text": TEXT, "entities": [[0, 3, "B-PS"]]})
    assert caught.value.fix == "write 'PS'"


def test_offsets_in_utf16() -> None:
    assert [from_utf16("a🎈b", units) for units in range(6)] == [0, 1, None, 2, 3, None]


def test_json_nested_too_deeply(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps({"text": TEXT, "entities": "[" * 100_000}) + "\n")
    with pytest.raises(InputError, match="nested too deeply") as caught:
        read(path)
    assert caught.value.place == Place(str(path), 1)


def test_published_marks_are_kept_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A benchmark is scored against its gold labels as published."""
    assert read(write(tmp_path / "a.txt", "이슬비 씨␞<이슬비 :PS>씨\n")) == [
        EntityExample("이슬비 씨", (Entity(0, 4, "PS"),))
    ]
    assert "white space at their edges, which no token can express (rows: 1" in caplog.text


def test_label_studio_with_relations_choices_and_a_second_annotator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    relation = {"from_id": "a", "to_id": "b", "type": "relation", "direction": "right"}
    choice = {"from_name": "c", "to_name": "text", "type": "choices", "value": {"choices": ["일상"]}}
    result = [*label_studio(), relation, choice]
    row = {"id": 1, "data": {"text": TEXT}, "annotations": [{"result": result}, {"result": []}]}
    path = write(tmp_path / "a.json", json.dumps([row]))
    assert read(path) == [EntityExample(TEXT, GOLD)]
    assert "several annotations of a row, of which the first is read (rows: 1" in caplog.text
    (labelled,) = open_corpus(path, TextExample, "classification").examples(tmp_path, "train")
    assert labelled == TextExample(TEXT, "일상")
