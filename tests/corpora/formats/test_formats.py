"""The file readers: every rule and every message on small files, row counts on the real ones."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import logging
import re
import tracemalloc
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.corpora.formats import FORMATS, Options, choose_format, detect_encoding, read_rows
from ratsnlp_like.corpora.formats.book import MismatchError, find_marks
from ratsnlp_like.corpora.formats.conll import entities_from_words
from ratsnlp_like.corpora.formats.tabular import _quoted
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place

Write = Callable[..., Path]

DATA = Path(__file__).parents[4] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real corpora are not at {DATA}")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("a.tsv", "text")` writes a file and gives its path."""

    def _write(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return _write


def values(path: Path, **options: Any) -> list[dict[str, Any]]:
    return [row.values for row in read_rows(path, Options(**options))]


def lines(path: Path, **options: Any) -> list[int]:
    return [row.place.line for row in read_rows(path, Options(**options))]


def fails(path: Path, *parts: str, line: int | None = None, unit: str = "line", **options: Any) -> str:
    """Reading raises an error whose message has these parts, and this place."""
    with pytest.raises(InputError) as caught:
        list(read_rows(path, Options(**options)))
    message = str(caught.value)
    for part in parts:
        assert part in message, message
    if line is not None:
        assert caught.value.place == Place(str(path), line, unit)
    return message


# The file as such


def test_missing_file_names_the_nearest_sibling(write: Write) -> None:
    path = write("ratings_train.txt", "x\n")
    fails(path.with_name("rating_train.txt"), "no such file", "did you mean ratings_train.txt?")


def test_missing_file_without_a_near_name_lists_the_folder(write: Write) -> None:
    path = write("a.csv", "x\n")
    fails(path.with_name("reviews.parquet"), "no such file", "a.csv")


def test_missing_file_whose_name_is_decomposed_on_disk(write: Write) -> None:
    path = write(unicodedata.normalize("NFD", "리뷰.csv"), "x\n")
    fails(path.with_name("리뷰.csv"), "no such file", "macOS", "rename it")


def test_missing_folder(tmp_path: Path) -> None:
    fails(tmp_path / "nowhere" / "a.csv", "no such file", "nowhere is not a directory")


def test_directory_lists_its_files(write: Write) -> None:
    folder = write("a.csv", "x\n").parent
    fails(folder, "directory", "expected: a file", "a.csv")


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.json", "a.parquet", "a.txt"])
def test_empty_file(write: Write, name: str) -> None:
    fails(write(name, b""), "a." + name[2:], "empty (0 bytes)", "fix:")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\n"),
        ("a.tsv", "text\tlabel"),
        ("a.txt", "text\tlabel\n"),  # NSMC without its reviews
        ("a.json", "[]"),
        ("a.jsonl", "\n"),
        ("a.conll", "-DOCSTART- O\n\n"),
        ("a.txt", "\ufeff"),
    ],
)
def test_file_without_rows(write: Write, name: str, content: str) -> None:
    fails(write(name, content), "has no rows", "expected:")


@pytest.mark.parametrize(
    ("magic", "parts"),
    [
        (b"PK\x03\x04\x14\x00", (".xlsx", "save the table as CSV")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", ("HWP", "CSV")),
        (b"%PDF-1.7\n", ("PDF", "CSV")),
        (b"PAR1\x15", ("Parquet", "--format")),
        (b"BZh91AY", ("bzip2", "unpack")),
        (b"version https://git-lfs.github.com/spec/v1\n", ("Git LFS", "git lfs pull")),
        (b"\n<!DOCTYPE html><html>", ("HTML page", "download it again")),
    ],
)
def test_file_of_another_kind(write: Write, magic: bytes, parts: tuple[str, ...]) -> None:
    fails(write("reviews.csv", magic), *parts, format="csv")


def test_zip_inside_gzip(write: Write) -> None:
    fails(write("a.csv.gz", gzip.compress(b"PK\x03\x04")), "ZIP")


def test_zero_bytes_are_not_text(write: Write) -> None:
    path = write("a.txt", "안녕\n", encoding="utf-16-le")
    fails(path, "zero bytes", "--encoding utf-16-le")
    assert values(path, encoding="utf-16-le") == [{"text": "안녕"}]


def test_one_line_with_lone_carriage_returns(write: Write) -> None:
    fails(write("a.csv", "text,label\r좋다,1\r"), "carriage return", "save it again")


def test_path_may_be_a_string(write: Write) -> None:
    assert [row.values for row in read_rows(str(write("a.txt", "가\n")))] == [{"text": "가"}]  # type: ignore[arg-type]


def test_what_is_wrong_with_the_file_is_said_before_the_first_row_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "a.csv")


# Encodings


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


def test_broken_utf8_behind_a_byte_order_mark(write: Write) -> None:
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


# gzip


@pytest.mark.parametrize("name", ["a.tsv.gz", "A.TSV.GZ", "a.tsv"])
def test_gzip_is_told_by_its_bytes(write: Write, name: str) -> None:
    path = write(name, gzip.compress("text\tlabel\n가\t1\n".encode()))
    assert choose_format(path).name == "tsv"
    assert values(path) == [{"text": "가", "label": "1"}]


def test_gzip_cut_off(write: Write) -> None:
    whole = gzip.compress("\n".join(f"줄 {n} {n * n}" for n in range(5000)).encode())
    fails(write("a.txt.gz", whole[: len(whole) // 2]), "a.txt.gz", "damaged or cut off", "again")


def test_gzip_damaged(write: Write) -> None:
    whole = bytearray(gzip.compress(b"some text\n" * 100))
    whole[12] ^= 0xFF
    fails(write("a.txt.gz", bytes(whole)), "damaged")


def test_called_gz_but_is_not(write: Write) -> None:
    fails(write("a.txt.gz", "text\n"), "not gzip", "drop .gz")


# Memory


@pytest.mark.parametrize("name", ["a.tsv", "a.csv", "a.jsonl", "a.txt.gz"])
def test_files_are_streamed(write: Write, name: str) -> None:
    text = "가" * 1000
    row = {"a.jsonl": f'{{"text": "{text}"}}\n', "a.csv": f'"{text}",1\n'}.get(name, f"{text}\t1\n")
    data = ("text,label\n" if name == "a.csv" else "text\tlabel\n" * (name != "a.jsonl")) + row * 8000
    path = write(name, gzip.compress(data.encode(), 1) if name.endswith(".gz") else data)
    del data
    tracemalloc.start()
    count = sum(1 for _ in read_rows(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 8000
    assert peak < 4_000_000  # bytes; the file has 24 million


# The choice of the format

BOOK = "서울에 간다.␞<서울:LOC>에 간다.\n"
KLUE = "## 주석\n## 컬럼명 : CHAR\tNE_TAG\n## id-1\t<서울:LC> \n서\tB-LC\n울\tI-LC\n \tO\n"
CONLL = "서울에\tB-LC\n간다.\tO\n\n"
NSMC = "id\tdocument\tlabel\n1\t좋다\t1\n"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "a,b\n", "csv"),
        ("a.tsv", NSMC, "tsv"),
        ("a.txt", NSMC, "tsv"),
        ("a.txt.gz", NSMC, "tsv"),
        ("noext", NSMC, "tsv"),
        ("a.data", NSMC, "tsv"),
        ("a.tsv", "comments\n좋다\n", "tsv"),
        ("a.tsv", BOOK, "book-ner"),
        ("a.txt", "표시 없는 줄\n" + BOOK, "book-ner"),
        ("a.tsv", KLUE, "klue-ner"),
        ("a.txt", KLUE, "klue-ner"),
        ("a.conll", KLUE, "klue-ner"),
        ("a.tsv", CONLL, "conll"),
        ("noext", CONLL, "conll"),
        ("a.txt", CONLL.replace("\t", " "), "conll"),
        ("a.BIO", CONLL, "conll"),
        ("a.json", '[{"a": 1}]', "json"),
        ("a.json", '{"data": [{"a": 1}]}', "json"),
        ("a.json", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.jsonl", '{"a": 1}\n', "jsonl"),
        ("a.jsonl", '[\n  {"a": 1}\n]', "json"),
        ("a.ndjson", '{"a": [{}]}\n{"a": 2}', "jsonl"),
        ("a.txt", '{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.txt", '[{"a": 1}]', "json"),
        ("a.txt", "[2015 전망] 한 줄\n", "text"),
        ("a.txt", "한 줄\n", "text"),
        ("a.txt", "머리\t글\n탭 없는 줄\n또\n또\n", "text"),
        ("a.txt", "같은\t같은\n가\t나\n", "text"),
        ("noext", "한 줄\n", "text"),
    ],
)
def test_format_is_chosen_by_suffix_and_content(write: Write, name: str, content: str, expected: str) -> None:
    data = gzip.compress(content.encode()) if name.endswith(".gz") else content
    assert choose_format(write(name, data)).name == expected


def test_a_broken_row_does_not_turn_a_table_into_text(write: Write) -> None:
    fails(write("a.txt", NSMC + "2\t나쁘다\n3\t또\t0\n"), "2 cells", line=3)


def test_a_first_line_longer_than_the_head_is_survived(write: Write) -> None:
    row = {"text": "가" * 100_000}
    assert values(write("a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")) == [row]
    assert values(write("a.json", json.dumps([row], ensure_ascii=False))) == [row]


def test_forced_format(write: Write) -> None:
    assert values(write("a.tsv", BOOK), format="text") == [{"text": BOOK.strip()}]


def test_unknown_format(write: Write) -> None:
    fails(write("a.tsv", "x"), "--format", "'jsonlines'", "did you mean 'jsonl'", format="jsonlines")


def test_every_format_says_what_it_is() -> None:
    assert all(name == entry.name and entry.description for name, entry in FORMATS.items())
    suffixes = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"parquet"}))
def test_every_reader_works_alone(write: Write, name: str) -> None:
    """Without `read_rows`, which finds the encoding before: readers find it by themselves."""
    content = {
        "csv": "a,b\n1,가\n",
        "tsv": NSMC,
        "json": '[{"a": "가"}]',
        "jsonl": '{"a": "가"}',
        "conll": CONLL,
        "klue-ner": KLUE,
        "book-ner": BOOK,
        "text": "가",
        "squad": '{"data": [{"paragraphs": [{"context": "가", "qas": [{"question": "나"}]}]}]}',
    }[name]
    assert len(list(FORMATS[name].read(write("a", content, encoding="utf-16"), Options()))) == 1


# CSV


def test_csv_quoting(write: Write) -> None:
    path = write("a.csv", 'Q,A,label\r\n"안녕, 너","그는 ""좋다""고\r\n했다",0\r\n"",b,1')
    assert values(path) == [
        {"Q": "안녕, 너", "A": '그는 "좋다"고\n했다', "label": "0"},
        {"Q": "", "A": "b", "label": "1"},
    ]
    assert lines(path) == [2, 4]


def test_cells_are_kept_as_written(write: Write) -> None:
    assert values(write("a.csv", " Q , label\n 안녕,2   \n")) == [{"Q": " 안녕", "label": "2   "}]


def test_quote_inside_a_plain_cell_is_a_character(write: Write) -> None:
    assert values(write("a.csv", 'a,b\n12" 피자,"x"\n')) == [{"a": '12" 피자', "b": "x"}]


def test_lines_end_at_newlines_only(write: Write) -> None:
    text = "가\u2028나\x85다\x0b라\x0c마\r바\x1c사"
    for name, content, options in [
        ("a.csv", f'text,n\n{text},1\n"{text}",2\n', {}),
        ("a.tsv", f"text\tn\n{text}\t1\n{text}\t2\n", {}),
        ("a.jsonl", f'{{"text": "{text}"}}\n'.replace("\x0b", "").replace("\x0c", "").replace("\r", "") * 2, {}),
        ("a.txt", f"{text}\n{text}\n", {"format": "text"}),
    ]:
        path = write(name, content)
        if name == "a.jsonl":
            path.write_text(json.dumps({"text": text}, ensure_ascii=False) + "\r\n" + json.dumps({"text": text}))
        assert [row["text"] for row in values(path, **options)] == [text, text], name


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_csv_delimiter_is_found_in_the_header(write: Write, delimiter: str) -> None:
    content = f'text{delimiter}label\n"가{delimiter}나"{delimiter}1\n'
    options = {"quoting": "csv"} if delimiter == "\t" else {}
    assert values(write("a.csv", content), **options) == [{"text": f"가{delimiter}나", "label": "1"}]


def test_delimiter_inside_a_quoted_name_does_not_count(write: Write) -> None:
    assert values(write("a.csv", '"a;b;c",d\n1,2\n')) == [{"a;b;c": "1", "d": "2"}]


@pytest.mark.parametrize("delimiter", ["tab", "\\t", "\t"])
def test_forced_delimiter(write: Write, delimiter: str) -> None:
    assert values(write("a.csv", "a,b\tc\n1\t2\n"), delimiter=delimiter) == [{"a,b": "1", "c": "2"}]


def test_forced_delimiter_of_several_characters(write: Write) -> None:
    assert values(write("a.csv", 'a||b\n"1||1"||2\n'), delimiter="||") == [{"a": "1||1", "b": "2"}]


def test_impossible_delimiter(write: Write) -> None:
    fails(write("a.csv", "a,b\n1,2\n"), "--delimiter", "cannot separate", delimiter='"')


def test_lines_without_content_are_no_rows(write: Write) -> None:
    path = write("a.csv", "\na,b\n\n1,2\n,\n\n3,4\n,\n")
    assert values(path) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert lines(path) == [4, 7]


def test_header_with_a_byte_order_mark_and_a_spare_column(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    path = write("a.csv", "id,q,\r\n1,가,\r\n2,나\r\n", encoding="utf-8-sig")
    assert values(path) == [{"id": "1", "q": "가"}, {"id": "2", "q": "나"}]
    assert not caplog.records


def test_what_stands_in_a_spare_column_is_left_out_with_a_warning(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    path = write("a.csv", "id,q,\n1,가,\n2,나,1\n3,다,1\n")
    assert values(path)[1] == {"id": "2", "q": "나"}
    (record,) = caplog.records
    assert "no name" in record.getMessage()
    assert "a.csv" in record.getMessage()


def test_header_with_an_empty_name(write: Write) -> None:
    fails(write("a.csv", ",text,label\n0,가,1\n"), "column 1", "no name", "index=False", line=1)
    fails(write("a.csv", "a,,b\n0,가,1\n"), "column 2", "no name", "give that column a name", line=1)
    fails(write("a.csv", "a,b,,\n0,가,,\n"), "column 3", "no name", line=1)


def test_header_with_a_double_name(write: Write) -> None:
    fails(write("a.csv", "text, text\n가,나\n"), "2 columns", "'text'", "rename", line=1)


def test_too_many_cells_in_csv(write: Write) -> None:
    fails(write("a.csv", "text,label\n가,1\n나, 다,0\n"), "3 cells", "나, 다,0", "2 (text, label)", "quotes", line=3)


def test_missing_cells_in_csv(write: Write) -> None:
    fails(write("a.csv", "text,label\n가\n"), "1 cell in", "2 (text, label)", "missing cells", line=2)


def test_long_lines_are_shortened_in_messages(write: Write) -> None:
    assert len(fails(write("a.csv", "text,label\n" + "가" * 5000 + "\n"), "...")) < 500


def test_quote_that_is_never_closed(write: Write) -> None:
    fails(write("a.csv", 'a,b\n1,2\n3,"4\n5,6\n'), "cell 2 is never closed", "--quoting none", line=3)


def test_text_after_a_closing_quote(write: Write) -> None:
    path = write("a.csv", 'a,b\n1,2\n"안녕" 하세요,1\n')
    fails(path, "after the closing quote of cell 1", "twice", "--quoting none", line=3)
    assert values(path, quoting="none")[1] == {"a": '"안녕" 하세요', "b": "1"}


def test_a_cell_may_be_longer_than_the_csv_module_allows(write: Write) -> None:
    text = "가," * 100_000
    assert values(write("a.csv", f'text,label\n"{text}",1\n')) == [{"text": text, "label": "1"}]


@given(st.lists(st.lists(st.text('가",\n a'), min_size=2, max_size=4), min_size=1, max_size=5))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    numbered = enumerate(buffer.getvalue().removesuffix("\n").split("\n"), start=1)
    assert [cells for _, cells, _ in _quoted(numbered, ",", "")] == rows


# TSV


def test_quotes_are_characters_in_tsv(write: Write) -> None:
    content = 'id\ttext\tlabel\n1\t"좋다\t1\n2\t"나쁘다"\t0\n3\t\t1\n4\t""\t0\n'
    path = write("a.tsv", content)
    assert [row["text"] for row in values(path)] == ['"좋다', '"나쁘다"', "", '""']
    assert lines(path) == [2, 3, 4, 5]


def test_tsv_is_unquoted_only_where_plain_reading_is_ragged(write: Write) -> None:
    path = write("a.tsv", 'text\tlabel\n"가\t나"\t1\n"다\n라 ""마"""\t0\n')
    assert values(path) == [{"text": "가\t나", "label": "1"}, {"text": '다\n라 "마"', "label": "0"}]
    assert lines(path) == [2, 3]


def test_where_no_reading_of_tsv_is_even_the_plain_one_speaks(write: Write) -> None:
    fails(write("a.tsv", 'a\tb\n"가\t1\n나\t2\t3\n'), "3 cells", "replace the tabs", line=3)
    fails(write("a.tsv", "a\tb\n가\t1\n나\n"), "1 cell", "separated by 'tab'", "line break", line=3)


def test_forced_quoting_in_tsv(write: Write) -> None:
    path = write("a.tsv", 'a\tb\n"가"\t1\n')
    assert values(path, quoting="csv") == [{"a": "가", "b": "1"}]
    assert values(path, quoting="none") == [{"a": '"가"', "b": "1"}]


def test_tsv_with_windows_line_ends_and_no_last_one(write: Write) -> None:
    assert values(write("a.tsv", "a\tb\r\n1\t2\r\n3\t")) == [{"a": "1", "b": "2"}, {"a": "3", "b": ""}]


# JSON


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
        ('{"text": ["가"], "label": [1]}', ("without an array of objects", "text, label", "--format jsonl")),
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


# Parquet


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"text": f"문장 {n}", "label": n, "entities": [{"start": 0}]} for n in range(2500)]
    for name in ("a.parquet", "a.bin"):
        path = tmp_path / name
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        assert choose_format(path).name == "parquet"
        assert values(path) == rows
        assert lines(path) == list(range(1, 2501))


def test_parquet_without_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), tmp_path / "a.parquet")
    fails(tmp_path / "a.parquet", "has no rows")


def test_unreadable_parquet(write: Write) -> None:
    pytest.importorskip("pyarrow")
    fails(write("a.parquet", b"PAR1 and nothing more"), "cannot be read as Parquet", "again")
    fails(write("b.parquet", b"text\0\xff\n"), "cannot be read as Parquet")
    fails(write("c.csv", "text\n"), "cannot be read as Parquet", format="parquet")


# Text


def test_text(write: Write) -> None:
    path = write("a.txt", " 가 \r\n\n\t\n나")
    assert values(path) == [{"text": " 가 "}, {"text": ""}, {"text": "\t"}, {"text": "나"}]
    assert lines(path) == [1, 2, 3, 4]


# CoNLL


@pytest.mark.parametrize("separator", ["\t", " ", "  ", "\t_\t"])
def test_conll(write: Write, separator: str) -> None:
    rows = [("두레건설은", "B-OG"), ("3월", "B-DT"), ("15일", "I-DT"), ("연다.", "O")]
    sentence = "".join(f"{word}{separator}{tag}\r\n" for word, tag in rows)
    path = write("a.conll", f"-DOCSTART- O\n\n# 출처 = 손\n{sentence}\n\n{sentence}")
    expected = {"text": "두레건설은 3월 15일 연다.", "entities": [[0, 5, "OG"], [6, 12, "DT"]]}
    assert values(path) == [expected, expected]
    assert lines(path) == [4, 10]


def test_conll_neighbours(write: Write) -> None:
    path = write("a.conll", "가\tB-PS\n나\tB-PS\n다\tI-PS\n라\tB-LC\n")
    assert values(path)[0]["entities"] == [[0, 1, "PS"], [2, 5, "PS"], [6, 7, "LC"]]


def test_conll_hashtag_is_a_word(write: Write) -> None:
    assert values(write("a.conll", "#서울\tB-LC\n# 주석\n#\tO\n"))[0]["text"] == "#서울 #"


def test_conll_no_break_space_is_part_of_a_word(write: Write) -> None:
    assert values(write("a.conll", "서울\xa0시\tB-LC\n가\u3000나 O\n"))[0]["text"] == "서울\xa0시 가\u3000나"


def test_conll_of_characters_with_rows_for_spaces(write: Write) -> None:
    path = write("a.conll", "나\tB-PS\n \tO\n가\tO\n\n너\tO\n")
    assert values(path) == [{"text": "나 가", "entities": [[0, 1, "PS"]]}, {"text": "너", "entities": []}]


def test_entities_from_words() -> None:
    place = Place("hub", 3)
    found = entities_from_words(["박", "씨"], ["B-PS", "O"], separator="", places=place)
    assert found == ("박씨", [[0, 1, "PS"]])
    assert entities_from_words(["박", "씨"], ["B-PS", "I-PS"], places=[place, place]) == ("박 씨", [[0, 3, "PS"]])
    with pytest.raises(InputError, match=r"hub, line 3: 2 words and 1 tags"):
        entities_from_words(["박", "씨"], ["O"], places=place)
    with pytest.raises(InputError, match=r"hub, line 3: the tag I-PS has no B-PS"):
        entities_from_words(["박"], ["I-PS"], places=place)


def test_orphan_inside_tag(write: Write) -> None:
    fails(write("a.conll", "가\tO\n나\tI-PS\n"), "I-PS has no B-PS", r"write '나\tB-PS'", line=2)
    fails(write("a.conll", "가 B-LC\n나 I-PS\n"), "I-PS has no B-PS", "write '나 B-PS'", line=2)
    fails(write("a.conll", "가 B-PS\n\n나 I-PS\n"), "I-PS has no B-PS", line=3)
    fails(write("a.conll", "가 B-PS\n나 O\n다 I-PS\n"), "I-PS has no B-PS", line=3)


@pytest.mark.parametrize(
    ("tag", "fix"),
    [
        ("S-PS", "B-PS"),
        ("E-PS", "I-PS"),
        ("PER_B", "B-PER"),
        ("-", "O"),
        ("b-ps", "B-ps"),
        ("B-", "O, or B- or I- and the type"),
        ("PS", "O, or B- or I- and the type"),
    ],
)
def test_unknown_tag(write: Write, tag: str, fix: str) -> None:
    fails(write("a.conll", f"가\tO\n나\t{tag}\n"), f"unknown tag {tag!r}", "expected: O, B-<type>", fix, line=2)


def test_conll_row_without_tag_or_word(write: Write) -> None:
    fails(write("a.conll", "가\tO\n나\n"), "only one column", r"write '나\tO'", line=2)
    fails(write("a.conll", "가나\tO\n\tO\n"), "no word before the tag", line=2)


# KLUE-NER


def test_klue_ner(write: Write) -> None:
    content = (
        "## 토큰 구분자 : \\n\n## 컬럼명 : CHAR\tNE_TAG\n"
        "## id-1\t<박:PS> 씨 <3:QT>\n박\tB-PS\n \tO\n씨\tO\n \tO\n3\tB-QT\n\n"
        "## id-2\t#<서울:LC>\n#\tO\n서\tB-LC\n울\tI-LC\n"
    )
    path = write("a.tsv", content)
    assert values(path) == [
        {"text": "박 씨 3", "entities": [[0, 1, "PS"], [4, 5, "QT"]], "guid": "id-1"},
        {"text": "#서울", "entities": [[1, 3, "LC"]], "guid": "id-2"},
    ]
    assert lines(path) == [3, 10]


def test_klue_ner_sentences_without_blank_line_and_without_head(write: Write) -> None:
    path = write("a.tsv", "## a\t가\n가\tO\n## b\t나\n나\tO\n\n다\tO\n")
    assert [(row["text"], row["guid"]) for row in values(path)] == [("가", "a"), ("나", "b"), ("다", "")]
    assert lines(path) == [1, 3, 6]


@pytest.mark.parametrize("head", ["<영화>의 가", "<<영화>:PS>의 가", "다른 문장"])
def test_klue_ner_rows_decide_where_the_head_is_ambiguous(write: Write, head: str) -> None:
    rows = "".join(f"{character}\tO\n" for character in "<영화>의 가")
    assert values(write("a.tsv", f"## a\t{head}\n{rows}"))[0]["entities"] == []


def test_klue_ner_head_against_rows(write: Write) -> None:
    head = "## a\t<박:PS>과 이\n"
    fails(write("a.tsv", head + "박\tO\n과\tO\n \tO\n이\tO\n"), "head", "<박:PS>", "the rows not", line=1)
    fails(write("a.tsv", head + "박\tB-PS\n과\tO\n \tO\n이\tB-PS\n"), "rows", "<이:PS>", "the head not", line=1)


def test_klue_ner_broken_rows(write: Write) -> None:
    fails(write("a.tsv", "## a\t가나\n가\tO\n나\tI-PS\n"), "I-PS has no B-PS", r"write '나\tB-PS'", line=3)
    fails(write("a.tsv", "## a\t가 나\n가\tO\n\tO\n"), "not a character row", r"write ' \tO'", line=3)
    fails(write("a.tsv", "## a\t가나\n가\tO\n나\n"), "not a character row", r"write '나\tO'", line=3)


# The book's marks


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
    """Every choice of marks that leaves the text, by trying each `<` of `marked` with each end tag behind it."""
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


# The real files

COUNTS = {
    "korpora/nsmc/ratings_train.txt": ("tsv", 150_000),
    "korpora/nsmc/ratings_test.txt": ("tsv", 50_000),
    "korpora/korean_chatbot_data/ChatbotData.csv": ("csv", 11_823),
    "korpora/question_pair/kor_pair_train.csv": ("csv", 6_888),
    "korpora/question_pair/kor_pair_test.csv": ("csv", 688),
    "korpora/korsts/sts-train.tsv": ("tsv", 5_749),
    "korpora/korsts/sts-dev.tsv": ("tsv", 1_500),
    "korpora/korsts/sts-test.tsv": ("tsv", 1_379),
    "kornli_xnli/xnli.dev.ko.tsv": ("tsv", 2_490),
    "kornli_xnli/xnli.test.ko.tsv": ("tsv", 5_010),
    "korpora/korean_hate_speech/labeled/train.tsv": ("tsv", 7_896),
    "korpora/korean_hate_speech/labeled/dev.tsv": ("tsv", 471),
    "korpora/korean_hate_speech/test.no_label.tsv": ("tsv", 974),
    "korpora/korean_hate_speech/news_title/train.news_title.txt": ("text", 7_896),
    "korpora/korean_hate_speech/unlabeled/unlabeled_comments_5.txt": ("text", 33_893),
    "klue/klue-nli_train.json": ("json", 1_920),
    "klue/klue-nli_dev.json": ("json", 480),
    "klue/klue-sts_train.json": ("json", 332),
    "klue/klue-sts_dev.json": ("json", 83),
    "klue/klue-ner_train.tsv": ("klue-ner", 3_200),
    "klue/klue-ner_dev.tsv": ("klue-ner", 800),
    "conll_example/train.conll": ("conll", 3_200),
    "conll_example/dev.conll": ("conll", 800),
    "korquad/korquad_train.json": ("squad", 3_434),
    "korquad/korquad_dev.json": ("squad", 1_537),
}


@needs_data
@pytest.mark.parametrize("name", COUNTS)
def test_real_file(name: str) -> None:
    expected, count = COUNTS[name]
    path = DATA / name
    assert choose_format(path).name == expected
    assert sum(1 for _ in read_rows(path)) == count


@needs_data
def test_real_gzip_file() -> None:
    assert sum(1 for _ in read_rows(DATA / "unlabeled" / "nsmc_reviews.txt.gz")) == 629_161


@needs_data
@pytest.mark.parametrize(("split", "empty", "quotes"), [("train", 6, 659), ("test", 1, None)])
def test_real_nsmc_reviews(split: str, empty: int, quotes: int | None) -> None:
    rows = values(DATA / "korpora" / "nsmc" / f"ratings_{split}.txt")
    assert list(rows[0]) == ["id", "document", "label"]
    assert sum(not row["document"] for row in rows) == empty
    assert {row["label"] for row in rows} == {"0", "1"}
    if quotes is not None:
        assert sum('"' in row["document"] for row in rows) == quotes


@needs_data
def test_real_headers() -> None:
    assert values(DATA / "korpora/question_pair/kor_pair_train.csv")[0].keys() == {
        *("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
    }
    # One row of the test file has a value in the nameless fifth column, which the README calls empty.
    rows = values(DATA / "korpora/question_pair/kor_pair_test.csv")
    assert all(row.keys() == {"test_id", "question1", "question2", "is_duplicate"} for row in rows)
    assert {row["is_duplicate"] for row in rows} == {"0", "1"}
    labels = Counter(row["label"] for row in values(DATA / "korpora/korean_chatbot_data/ChatbotData.csv"))
    assert labels == {"0": 5_290, "1": 3_570, "2": 2_962, "2   ": 1}


NER_BOOK = {
    "train": Counter(
        PER=13_741, ORG=13_047, NOH=12_122, POH=6_337, LOC=6_024, DAT=5_047, PNT=1_394, DUR=1_255, MNY=1_224, TIM=386
    ),
    # The README counts 1,358 NOH and 7,546 in all: without the one entity of the line whose mark takes in the
    # brackets, `<<2>:NOH>`. Its removal leaves the plain half letter for letter, so it is an entity here.
    "val": Counter(PER=1_765, ORG=1_552, NOH=1_359, POH=833, LOC=782, DAT=680, PNT=224, MNY=178, DUR=133, TIM=41),
}


@needs_data
@pytest.mark.parametrize(("split", "count"), [("train", 17_957), ("val", 2_368)])
def test_real_ner_book(split: str, count: int) -> None:
    path = DATA / "ner_book" / f"{split}.txt"
    assert choose_format(path).name == "book-ner"
    rows = values(path)
    assert len(rows) == count
    assert Counter(label for row in rows for *_, label in row["entities"]) == NER_BOOK[split]
    # The marks that take in a bracket without its partner: none.
    spans = [row["text"][start:end] for row in rows for start, end, _ in row["entities"]]
    assert all(span.count("<") == span.count(">") for span in spans)


@needs_data
@pytest.mark.parametrize(("split", "words"), [("train", 41_453), ("dev", 10_646)])
def test_real_conll_words(split: str, words: int) -> None:
    rows = values(DATA / "conll_example" / f"{split}.conll")
    assert sum(len(row["text"].split(" ")) for row in rows) == words


@needs_data
@pytest.mark.parametrize("name", ["ner_book/*.txt", "klue/klue-ner_*.tsv", "conll_example/*.conll"])
def test_real_entities_have_text(name: str) -> None:
    for path in DATA.glob(name):
        for row in read_rows(path):
            text, entities = row.values["text"], row.values["entities"]
            assert all(0 <= start < end <= len(text) and text[start:end].strip() for start, end, _ in entities), row


@needs_data
def test_real_klue_ner_agrees_with_the_marks_of_its_heads() -> None:
    """The reader itself compares them where the sentence has no brackets; here the others, by the book's search.

    In three sentences, where the mark stands between brackets of the sentence (`<<영화:PS>>`), the rows put the
    opening bracket into the entity. Rows are what KLUE scores, so the reader follows them.
    """
    differ = []
    for path in sorted(DATA.glob("klue/klue-ner_*.tsv")):
        heads = {}
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line.startswith("## klue"):
                guid, _, marked = line[3:].partition("\t")
                heads[guid] = marked
        for row in values(path):
            if find_marks(row["text"], heads[row["guid"]]) != row["entities"]:
                differ.append(row["guid"])
    assert len(differ) == 3
