"""Checks of files before they are read, and gzip."""

from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path

import pytest
from format_helpers import Write, fails, values

from ratsnlp_like.corpora.formats import choose_format, read_rows
from ratsnlp_like.errors import InputError


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
        (b"PK\x03\x04\x14\x00", (".hwpx", "save the table as CSV")),
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


def test_faults_of_the_file_are_raised_before_the_first_row_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_rows(tmp_path / "a.csv")


@pytest.mark.parametrize("name", ["a.tsv.gz", "A.TSV.GZ", "a.tsv"])
def test_gzip_is_recognised_by_its_bytes(write: Write, name: str) -> None:
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
