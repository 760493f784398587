"""The choice of the format, and the contract of every registered one."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from format_helpers import BOOK, CONLL, KLUE, NSMC, Write, fails, values

from ratsnlp_like.corpora.formats import FORMATS, Format, Options, Row, choose_format, read_rows
from ratsnlp_like.corpora.formats.text_files import read_lines
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.text import RawExample


@pytest.mark.slow
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


def test_a_first_line_longer_than_the_sniffed_head(write: Write) -> None:
    row = {"text": "가" * 100_000}
    assert values(write("a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")) == [row]
    assert values(write("a.json", json.dumps([row], ensure_ascii=False))) == [row]


def test_forced_format(write: Write) -> None:
    assert values(write("a.tsv", BOOK), format="text") == [{"text": BOOK.strip()}]


def test_unknown_format(write: Write) -> None:
    fails(write("a.tsv", "x"), "--format", "'jsonlines'", "did you mean 'jsonl'", format="jsonlines")


def test_every_format_has_a_description_and_suffixes_of_its_own() -> None:
    assert all(name == entry.name and entry.description for name, entry in FORMATS.items())
    suffixes = [suffix for _, entry in FORMATS.items() for suffix in entry.suffixes]
    assert len(suffixes) == len(set(suffixes))


@pytest.mark.parametrize("name", [name for name, entry in FORMATS.items() if not entry.binary and name != "brat"])
def test_every_reader_detects_the_encoding_itself(write: Write, name: str) -> None:
    """Without `read_rows`, which detects the encoding first, readers detect it themselves."""
    content = {
        "csv": "a,b\n1,가\n",
        "tsv": NSMC,
        "json": '[{"a": "가"}]',
        "jsonl": '{"a": "가"}',
        "conll": CONLL,
        "klue-ner": KLUE,
        "book-ner": BOOK,
        "text": "가",
        "fasttext": "__label__a 가",
        "modu": '{"document": [{"sentence": [{"form": "가"}]}]}',
        "squad": '{"data": [{"paragraphs": [{"context": "가", "qas": [{"question": "나"}]}]}]}',
    }[name]
    assert len(list(FORMATS[name].read(write("a", content, encoding="utf-16"), Options()))) == 1


def test_a_binary_format_from_outside(write: Write) -> None:
    """One module that registers itself: its files are recognised by their first bytes, and read."""

    def read_frames(path: Path, options: Options) -> Iterator[Row]:
        payload = path.read_bytes().removeprefix(b"FRM1")
        for number, text in enumerate(payload.split(b"\xff\xff"), start=1):
            yield Row({"text": text.decode("utf-16-le")}, Place(str(path), number, "frame"))

    frames = Format("frames", (".frm",), read_frames, description="UTF-16 texts between marks", magic=(b"FRM1",))
    FORMATS.register("frames", frames)
    try:
        content = b"FRM1" + "말".encode("utf-16-le") + b"\xff\xff" + "글".encode("utf-16-le")
        for name in ("a.frm", "a.bin", "a.txt"):
            path = write(name, content)
            assert choose_format(path) is frames
            assert [(row.values["text"], str(row.place)) for row in read_rows(path)] == [
                ("말", f"{path}, frame 1"),
                ("글", f"{path}, frame 2"),
            ]
        folder = path.parent / "folder"
        folder.mkdir()
        (folder / "train.frm").write_bytes(content)
        corpus = open_corpus(folder, RawExample, "masked-lm")
        assert list(corpus.examples(folder, "train")) == [RawExample("말"), RawExample("글")]
    finally:
        FORMATS.remove("frames")


def test_a_text_format_from_outside_is_sniffed(write: Write) -> None:
    def read_dialogue(path: Path, options: Options) -> Iterator[Row]:
        for number, line in read_lines(path, options.encoding):
            yield Row({"text": line.partition("» ")[2]}, Place(str(path), number))

    def sniff(head: str) -> bool:
        return all("» " in line for line in head.splitlines())

    FORMATS.register("dialogue", Format("dialogue", (), read_dialogue, sniff, found_in=("text",), precedence=5))
    try:
        assert values(write("a.txt", "가» 안녕\n나» 그래\n")) == [{"text": "안녕"}, {"text": "그래"}]
        assert values(write("b.txt", "안녕\n")) == [{"text": "안녕"}]
    finally:
        FORMATS.remove("dialogue")
