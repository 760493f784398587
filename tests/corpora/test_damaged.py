"""Damaged and hostile files: each ends in one error with a place, in little time."""

from __future__ import annotations

import codecs
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from ratsnlp_like.corpora import spooling
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example, Place
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import RawExample, TextExample

DEEP = "[" * 50_000


def read(path: Path, kind: type[Example] = TextExample, **options: Any) -> list[Any]:
    return list(open_corpus(path, kind, "any", options=Options(**options)).examples(path.parent, "train"))


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (EntityExample, {"text": "가", "entities": DEEP}),
        (QuestionExample, {"question": "가", "context": "나", "answers": DEEP}),
        (GenerationExample, {"messages": DEEP}),
    ],
)
def test_json_nested_too_deeply_in_a_cell(kind: type[Example], row: dict[str, Any], tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(row) + "\n")
    with pytest.raises(InputError, match="nested too deeply") as caught:
        read(path, kind)
    assert caught.value.place == Place(str(path), 1)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_utf32(mark: bytes, tmp_path: Path) -> None:
    encoding = "utf-32-le" if mark == codecs.BOM_UTF32_LE else "utf-32-be"
    path = write(tmp_path / "a.csv", mark + "text,label\n가,나\n".encode(encoding))
    assert read(path) == [TextExample("가", "나")]


@pytest.mark.parametrize("row", [1, 5000])
@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_a_nul_is_named_by_its_line(row: int, encoding: str, tmp_path: Path) -> None:
    rows = [f"{n}번째 줄,가" for n in range(6000)]
    rows[row] = "\0" + rows[row]
    path = write(tmp_path / "a.csv", ("text,label\n" + "\n".join(rows)).encode(encoding))
    with pytest.raises(InputError, match="a NUL character") as caught:
        read(path)
    assert caught.value.place == Place(str(path), row + 2)


@pytest.mark.parametrize("encoding", ["undefined", "punycode", "idna", "unicode_escape", "base64", "no-such"])
def test_encodings_that_no_file_has(encoding: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "text,label\n가,나\n")
    with pytest.raises(InputError) as caught:
        read(path, encoding=encoding)
    assert caught.value.place == "--encoding"


def test_columns_whose_names_differ_in_case(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "Text,text,label\n가,나,다\n")
    with pytest.raises(InputError, match=r"two columns for the text.*'Text', 'text'"):
        read(path)
    corpus = open_corpus(path, TextExample, "any", columns={"text": "Text"})
    assert list(corpus.examples(tmp_path, "train")) == [TextExample("가", "다")]


def test_values_that_python_cannot_hold_are_errors_only_where_they_are_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    days = pyarrow.array([0, 36_000_000], pyarrow.int32()).cast(pyarrow.date32())
    raw = pyarrow.array([b"ok", b"\xff\xfe"])
    broken = pyarrow.StringArray.from_buffers(2, raw.buffers()[1], raw.buffers()[2])
    table = pyarrow.table({"text": ["가", "나"], "label": ["x", "y"], "day": days, "broken": broken})
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    assert read(path) == [TextExample("가", "x"), TextExample("나", "y")]
    with pytest.raises(InputError, match="the text is Unreadable") as caught:
        list(open_corpus(path, TextExample, "any", columns={"text": "broken"}).examples(tmp_path, "train"))
    assert caught.value.place == Place(str(path), 2, "row")


@pytest.mark.parametrize(
    ("name", "content", "kind", "kept"),
    [
        ("a.csv", "text,label\n가,나\n다\n라,마\n", TextExample, [2, 4]),
        ("a.jsonl", '{"text": "가", "label": "나"}\n{"text": \n{"text": "라", "label": "마"}\n', TextExample, [1, 3]),
        ("a.conll", "가\tB-PS\n\n나\tX\n\n다\tO\n", EntityExample, [1, 5]),
        ("a.txt", "가␞<가:PS>\n나␞다\n라␞라\n", EntityExample, [1, 3]),
    ],
)
def test_rows_that_readers_cannot_read_are_skipped_on_request(
    name: str, content: str, kind: type[Example], kept: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(InputError):
        read(path, kind)
    assert [example.place.line for example in read(path, kind, on_error="skip")] == kept
    assert "rows that cannot be read are left out (--on_error skip): 1" in caplog.text


def test_an_answer_in_a_long_context_takes_linear_time(tmp_path: Path) -> None:
    row = {"question": "?", "context": "가나" * 20_000, "answers": [{"text": "가나" * 10_000, "answer_start": 20_000}]}
    path = write(tmp_path / "a.jsonl", (json.dumps(row) + "\n") * 5)
    start = time.process_time()
    assert len(read(path, QuestionExample)) == 5
    assert time.process_time() - start < 2


@pytest.mark.slow
def test_pipes_are_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)

    def feed() -> None:
        with pipe.open("w", encoding="utf-8") as file:
            file.write("text,label\n")
            time.sleep(0.2)
            file.write("가,나\n" * 30_000)

    thread = threading.Thread(target=feed)
    thread.start()
    corpus = open_corpus(pipe, TextExample, "classification")
    assert len(list(corpus.examples(tmp_path, "train"))) == 30_000
    assert len(list(corpus.examples(tmp_path, "train"))) == 30_000  # a second pass
    thread.join()


def test_a_pipe_without_a_writer_does_not_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_WAIT", 0.3)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="no process writes to this pipe"):
        read(pipe, RawExample)


def test_devices_are_refused() -> None:
    with pytest.raises(InputError, match="a terminal or a device"):
        read(Path("/dev/null"), RawExample)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_lines_that_end_with_lone_carriage_returns(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, "text,label\r가,1\r나,0\r")
    with pytest.raises(InputError, match="lone carriage return"):
        read(path, RawExample)


def test_a_misspelt_name_among_many_columns(tmp_path: Path) -> None:
    names = [f"column{n}" for n in range(20_000)]
    path = write(tmp_path / "a.csv", ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    start = time.process_time()
    corpus = open_corpus(path, TextExample, "any", columns={"text": "colum7"})
    with pytest.raises(InputError, match=r"no column 'colum7'(.|\n)*did you mean 'column7'") as caught:
        list(corpus.examples(tmp_path, "train"))
    assert time.process_time() - start < 3
    assert len(str(caught.value)) < 1000
