"""Relations between two entities of a sentence: marked in the text, as KLUE's baseline marks them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import job, read, write

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune

TEXT = "이슬비는 전주에 있는 두레건설의 대표다."
"""Characters 0-2 are a person, 5-6 a place, 12-15 an organisation."""
MARKED = "<subj>이슬비</subj>는 전주에 있는 <obj>두레건설</obj>의 대표다."
SWAPPED = "<obj>이슬비</obj>는 전주에 있는 <subj>두레건설</subj>의 대표다."


def entity(start: int, end: int, **more: Any) -> dict[str, Any]:
    return {"word": TEXT[start : end + 1], "start_idx": start, "end_idx": end, "type": "X"} | more


def row(subject: Any, object_: Any, label: str = "org:member") -> dict[str, Any]:
    return {"sentence": TEXT, "subject_entity": subject, "object_entity": object_, "label": label}


PERSON, COMPANY = entity(0, 2), entity(12, 15)


def texts(path: Path) -> list[str]:
    return [example.text for example in open_corpus(path, TextExample, "any").examples(path.parent, "train")]  # type: ignore[attr-defined]


def test_both_entities_are_marked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [row(PERSON, COMPANY), row(COMPANY, PERSON)]
    path = write(tmp_path / "a.json", json.dumps(rows))
    assert texts(path) == [MARKED, SWAPPED]
    assert "sentences whose two entities are marked: <subj>...</subj>, <obj>...</obj> (rows: 2" in caplog.text
    assert "is not read" not in caplog.text
    inputs = open_corpus(path, TextExample, "any").inputs(tmp_path, "train")
    assert [example.text for example in inputs] == [MARKED, SWAPPED]  # type: ignore[attr-defined]


@pytest.mark.parametrize("written", [json.dumps, repr])
def test_entities_in_the_cells_of_a_table(written: Any, tmp_path: Path) -> None:
    quoted = ['"' + written(value).replace('"', '""') + '"' for value in (PERSON, COMPANY)]
    content = f"id,sentence,subject_entity,object_entity,label\n0,{TEXT},{','.join(quoted)},org:member\n"
    assert texts(write(tmp_path / "a.csv", content)) == [MARKED]


def test_entities_side_by_side_and_one_within_the_other(tmp_path: Path) -> None:
    rows = [row(entity(0, 2), entity(3, 3)), row(entity(12, 15), entity(12, 13))]
    first, second = texts(write(tmp_path / "a.json", json.dumps(rows)))
    assert first.startswith("<subj>이슬비</subj><obj>는</obj> 전주")
    assert all(second.count(mark) == 1 for mark in ("<subj>", "</subj>", "<obj>", "</obj>"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (entity(0, 2, start_idx=1, end_idx=3), "but characters 1-3 are '슬비는'"),
        (entity(0, 2, end_idx=99), "start_idx and end_idx (inclusive) within the 22 characters"),
        (entity(0, 2, start_idx="0"), "start_idx and end_idx"),
    ],
)
def test_offsets_that_are_wrong(wrong: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(row(wrong, COMPANY)) + "\n")
    with pytest.raises(InputError) as caught:
        texts(path)
    assert message in str(caught.value)
    assert caught.value.place == Place(str(path), 1)


def test_entities_without_places_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(row({"word": "이슬비"}, {"word": "두레건설"})) + "\n")
    assert texts(path) == [TEXT]
    for name in ("subject_entity", "object_entity"):
        assert f"the column {name!r} changes the meaning of a row and is not read (rows: 1" in caplog.text


def test_a_sentence_is_one_group_with_all_of_its_relations(tmp_path: Path) -> None:
    rows = [row(PERSON, COMPANY), row(COMPANY, PERSON), row(PERSON, COMPANY) | {"sentence": f"{TEXT} 또한."}]
    first, second, other = read(write(tmp_path / "a.json", json.dumps(rows)), tmp_path / "cache").groups.tolist()
    assert first == second != other


@pytest.mark.slow
def test_a_model_of_marked_texts_is_given_one_without_marks(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [row(PERSON, COMPANY), row(COMPANY, PERSON, "no_relation")] * 12
    path = write(tmp_path / "a.json", json.dumps(rows))
    result = fine_tune(**job(tmp_path, corpus=path, eval_corpus=str(path), max_steps=1))
    for folder, warns in ((result.output, True), (fine_tune(**job(tmp_path / "plain", max_steps=1)).output, False)):
        predictor = Predictor.from_pretrained(folder)
        caplog.clear()
        predictor([MARKED, SWAPPED])
        assert "as the texts of training" not in caplog.text
        for text in (TEXT, MARKED, TEXT):
            predictor(text)
        assert caplog.text.count("as the texts of training") == warns
