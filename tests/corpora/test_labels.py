"""Labels: invisible differences, lists, names that look like numbers, rows without consensus, missing values."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.pair import PairExample
from ratsnlp_like.examples.text import TextExample


def labels(path: Path, kind: Any = TextExample, **options: Any) -> list[Any]:
    corpus = open_corpus(path, kind, "any", **options)
    return [example.label for example in corpus.examples(path.parent, "train")]  # type: ignore[attr-defined]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    return write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def test_labels_that_look_alike_are_one_class(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    forms = ["추천", unicodedata.normalize("NFD", "추천"), "추천\u200b", "\ufeff추천", " 추천 "]
    path = write(tmp_path / "a.csv", "text,label\n" + "".join(f"{n}번,{form}\n" for n, form in enumerate(forms)))
    assert labels(path) == ["추천"] * 5
    assert "a.csv" in caplog.text
    assert (
        "labels with invisible characters or decomposed Hangul, read as the class without them (rows: 3" in caplog.text
    )


def test_a_list_of_one_label_is_one_class(tmp_path: Path) -> None:
    rows = [{"text": "가", "label": ["추천"]}, {"text": "나", "label": ["반대"]}]
    assert labels(jsonl(tmp_path / "a.jsonl", rows)) == ["추천", "반대"]


def test_lists_of_any_length_are_lists(tmp_path: Path) -> None:
    rows = [{"text": "가", "label": ["추천", "맛"]}, {"text": "나", "label": []}, {"text": "다", "label": ["맛"]}]
    assert labels(jsonl(tmp_path / "a.jsonl", rows)) == [("추천", "맛"), (), "맛"]


@pytest.mark.parametrize("written", [json.dumps, repr])
def test_lists_in_the_cells_of_a_table(written: Any, tmp_path: Path) -> None:
    cells = ['"' + written(label).replace('"', '""') + '"' for label in (["추천", "맛"], ["맛"], [])]
    path = write(tmp_path / "a.csv", "text,label\n" + "".join(f"{n}번,{cell}\n" for n, cell in enumerate(cells)))
    assert labels(path) == [("추천", "맛"), "맛", ()]
    assert labels(write(tmp_path / "b.csv", "text,label\n가,[공지\n나,[공지] 일반\n")) == ["[공지", "[공지] 일반"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_list_among_single_labels_is_refused(order: int, tmp_path: Path) -> None:
    rows = [{"text": "가", "label": "추천"}, {"text": "나", "label": ["추천", "맛"]}][::order]
    path = jsonl(tmp_path / "a.jsonl", rows)
    with pytest.raises(InputError, match="in every row") as caught:
        labels(path)
    assert caught.value.place == Place(str(path), 2)


def test_names_of_classes_that_look_like_numbers(tmp_path: Path) -> None:
    csv = write(tmp_path / "a.csv", "text,label\n가,3.1\n나,1E3\n다,A7\n")
    with pytest.raises(InputError, match=r"decimal number 3\.1") as caught:
        labels(csv)
    assert "--label_type class" in str(caught.value)
    assert labels(csv, label_type="class") == ["3.1", "1E3", "A7"]
    strings = jsonl(tmp_path / "a.jsonl", [{"text": "가", "label": "3.1"}, {"text": "나", "label": "0.5"}])
    assert labels(strings) == ["3.1", "0.5"]  # strings in the file
    numbers = jsonl(tmp_path / "b.jsonl", [{"text": "가", "label": 3.5}, {"text": "나", "label": 4}])
    assert labels(numbers, label_type="class") == ["3.5", "4"]
    with pytest.raises(InputError, match=r"decimal number 3\.5"):
        labels(numbers)


@pytest.mark.parametrize("mark", ["-", " - ", -1])
def test_pairs_without_consensus_are_left_out(mark: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"sentence1": "가", "sentence2": "나", "gold_label": label} for label in (0, mark, 1, mark)]
    path = jsonl(tmp_path / "a.jsonl", rows)
    assert labels(path, PairExample) == ["0", "1"]
    assert "no gold label (annotators did not agree): left out (rows: 2" in caplog.text
    assert "line 2" in caplog.text
    assert len(list(open_corpus(path, PairExample, "pair").inputs(tmp_path, "train"))) == 4


def test_minus_one_is_a_class_of_texts(tmp_path: Path) -> None:
    rows = [{"text": "가", "label": -1}, {"text": "나", "label": 1}]
    assert labels(jsonl(tmp_path / "a.jsonl", rows)) == ["-1", "1"]


def test_missing_values_are_empty_and_never_text(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = write(tmp_path / "a.jsonl", '{"text": NaN, "label": "가"}\n{"text": "나", "label": NaN}\n{"text": null}\n')
    expected = [("", "가"), ("나", None), ("", None)]
    table = pyarrow.table({"text": [None, "나", None], "label": ["가", None, None]})
    parquet.write_table(table, tmp_path / "a.parquet")
    for file in (path, tmp_path / "a.parquet"):
        examples = open_corpus(file, TextExample, "classification").examples(tmp_path, "train")
        assert [(e.text, e.label) for e in examples] == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [b"bytes", True, {"a": 1}, ["a"]])
def test_values_that_are_no_text(value: Any) -> None:
    with pytest.raises(InputError, match=f"the text is {type(value).__name__}"):
        TextExample.from_row({"text": value, "label": "가"}, Place("a", 1))


def test_columns_that_change_the_meaning_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"sentence": "가", "aspect": "맛", "label": "x"}, {"sentence": "나", "aspect": "값", "label": "y"}]
    rows += [{"sentence": "다", "aspect": None, "label": "y"}]
    assert labels(jsonl(tmp_path / "a.jsonl", rows)) == ["x", "y", "y"]
    assert "the column 'aspect' changes the meaning of a row and is not read (rows: 2" in caplog.text


def test_rows_that_cannot_be_read_are_skipped_on_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.csv", "text,label\n가,좋음\n나,0.5\n다,나쁨\n")
    with pytest.raises(InputError, match=r"decimal number 0.5\n.*\n  fix: .*; or --on_error skip"):
        labels(path)
    assert labels(path, options=Options(on_error="skip")) == ["좋음", "나쁨"]
    assert "rows that cannot be read are left out (--on_error skip): 1" in caplog.text
    assert "line 3" in caplog.text


def test_a_column_within_nested_values(tmp_path: Path) -> None:
    rows = [{"talk": {"content": {"HS01": "힘들어"}, "turns": [{"role": "가"}]}, "profile": {"emotion": "슬픔"}}]
    path = jsonl(tmp_path / "a.jsonl", rows)
    corpus = open_corpus(
        path, TextExample, "classification", columns={"text": "talk.content.HS01", "label": "profile.emotion"}
    )
    assert list(corpus.examples(tmp_path, "train")) == [TextExample("힘들어", "슬픔")]
    wrong = open_corpus(path, TextExample, "classification", columns={"text": "talk.contents"})
    with pytest.raises(InputError, match=r"no column 'talk\.contents'"):
        list(wrong.examples(tmp_path, "train"))


def test_labels_that_differ_in_case_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "a.csv", "text,label\n가,Good\n나,good\n다,good\n")
    assert labels(path) == ["Good", "good", "good"]
    assert "two labels that differ only in case, 'Good' and 'good' (rows: 2" in caplog.text
