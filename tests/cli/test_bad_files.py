"""One message for each kind of file that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers import (
    flags,
    tsv,
)
from helpers import write as write_file
from helpers_cli import HEADER, Cli, check_message

BIO = "김하늘\tB-PS\n은\tO\n부산\tI-LC\n\n나\tO\n"
FILES: dict[str, tuple[str, str | bytes, dict[str, Any], tuple[str, ...]]] = {
    # name: file, content, flags, parts of the message; {} is the file
    "empty file": ("a.tsv", "", {}, ("{}: the file is empty", "fix:")),
    "only a header": ("a.tsv", HEADER, {}, ("{}: the file has no rows", "fix:")),
    "wrong columns": (
        "a.csv",
        "번호,날짜\n1,2024\n",
        {},
        ("{}: no column for the text", "'번호', '날짜'", "--text_column"),
    ),
    "a named column that is not there": (
        "a.csv",
        "본문,점수\n좋아요,긍정\n",
        {"text_column": "본문", "label_column": "분류"},
        ("{}: no column '분류' (--label_column)", "'점수'"),
    ),
    "one class": (
        "a.tsv",
        HEADER + "좋아요\t긍정\n맛있다\t긍정\n",
        {},
        ("{}", "one class only: '긍정'", "--label_column"),
    ),
    "empty texts": (
        "a.tsv",
        HEADER + " \t긍정\n\u3000\t부정\n",
        {},
        ("{}", "all 2 rows have an empty text", "--text_column"),
    ),
    "a broken line of JSON": (
        "a.jsonl",
        '{"text": "좋아요", "label": "긍정"}\n{"text": "별로, "label": "부정"}\n',
        {},
        ("{}, line 2: broken JSON at column", "fix:"),
    ),
    "a ragged TSV": (
        "a.tsv",
        HEADER + "좋아요\t긍정\n별로\n또 와요\t긍정\n",
        {},
        ("{}, line 3: 1 cell", "expected: 2", "fix:"),
    ),
    "a wrong encoding": (
        "a.tsv",
        HEADER.encode() + "좋아요\t긍정\n".encode() + b"\xff\xfe\x81\tx\n",
        {},
        ("{}, line 3:", "--encoding"),
    ),
    "I- without B-": (
        "a.conll",
        BIO,
        {"task": "ner"},
        ("{}, line 3: the tag I-LC has no B-LC", "fix: write '부산\\tB-LC'"),
    ),
    "marks that do not match": (
        "a.txt",
        "김하늘은 왔다␞<김하늘:PS>은 왔다\n나는 간다␞<너:PS>는 간다\n",
        {"task": "ner", "format": "book-ner"},
        ("{}, line 2:", "fix:"),
    ),
    "nested marks": (
        "a.txt",
        "부산시청에 갔다␞<<부산:LC>시청:OG>에 갔다\n",
        {"task": "ner", "format": "book-ner"},
        ("{}, line 1:",),
    ),
    "entities beyond the text": (
        "a.jsonl",
        '{"text": "부산", "entities": [[0, 9, "LC"]]}\n{"text": "부산", "entities": []}\n',
        {"task": "ner"},
        ("{}, line 1: the entity (0, 9, 'LC') is outside its text of 2 characters",),
    ),
    "decimal labels": (
        "a.tsv",
        HEADER + "좋아요\t긍정\n별로\t0.5\n",
        {},
        ("{}, line 3: the label is the decimal number 0.5", "fix:"),
    ),
    "whole decimal labels": (
        "a.tsv",
        HEADER + "좋아요\t1.0\n",
        {},
        ("{}, line 2: the label is the decimal number 1.0", "write 1"),
    ),
    "a row without a label": (
        "a.tsv",
        HEADER + "좋아요\t긍정\n별로\t\n",
        {},
        ("{}, line 3: the row has no label", "fix:"),
    ),
    "a sheet": ("a.xlsx", b"PK\x03\x04rest", {}, ("{}: cannot be read as a workbook", "save it again as .xlsx")),
}


class TestBadFiles:
    @pytest.mark.slow
    @pytest.mark.parametrize("case", FILES)
    def test_one_message(self, case: str, tmp_path: Path, cli: Cli) -> None:
        name, content, options, parts = FILES[case]
        path = write_file(tmp_path / name, content)
        outcome = cli(*flags(tmp_path, corpus=path, **options))
        check_message(outcome, *(part.replace("{}", str(path)) for part in parts))
        assert not (tmp_path / "run").exists()

    def test_a_missing_file(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "reviews.tsv", HEADER)
        outcome = cli(*flags(tmp_path, corpus=tmp_path / "review.tsv"))
        check_message(outcome, f"{tmp_path / 'review.tsv'}: no such file", "did you mean reviews.tsv?")
        assert not (tmp_path / "run").exists()

    def test_a_folder_without_a_corpus(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "d" / "a.bin", HEADER)
        outcome = cli(*flags(tmp_path, corpus=tmp_path / "d"))
        check_message(outcome, f"{tmp_path / 'd'}: the folder holds no corpus file (it holds a.bin)", ".parquet")
        assert not (tmp_path / "run").exists()

    def test_an_unknown_label_in_the_evaluation_corpus(self, tmp_path: Path, cli: Cli) -> None:
        path = tsv(tmp_path / "eval.tsv", [("좋아요", "긍정"), ("그저 그래요", "중립")])
        outcome = cli(*flags(tmp_path, eval_corpus=path))
        check_message(outcome, f"{path}, line 3: the label '중립'", "'긍정', '부정'")
        assert not (tmp_path / "run").exists()

    @pytest.mark.slow
    def test_an_unknown_label_in_evaluate(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = tsv(tmp_path / "eval.tsv", [("좋아요", "긍정"), ("그저 그래요", "중립")])
        outcome = cli(
            "evaluate", run, "--corpus", path, "--cache_dir", tmp_path / "cache", "--result", tmp_path / "r.json"
        )
        check_message(outcome, f"{path}, line 3: the label '중립'", "'긍정', '부정'")
        assert not (tmp_path / "r.json").exists()

    @pytest.mark.slow
    def test_a_bad_row_of_the_file_to_predict_on(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        """It costs its own prediction; where no row can be read, the output stays as it was."""
        path = write_file(tmp_path / "a.tsv", "text\tid\n좋아요\t1\n별로\n")
        outcome = cli("predict", run, "--input", path, "--output", tmp_path / "out.jsonl")
        assert outcome.code == 0, outcome.err
        assert f"{path}, line 3: 1 cell" in outcome.err
        write_file(tmp_path / "out.jsonl", "from before")
        path = write_file(tmp_path / "b.tsv", "text\tid\n별로\n")
        check_message(
            cli("predict", run, "--input", path, "--output", tmp_path / "out.jsonl"), f"{path}, line 2: 1 cell"
        )
        assert (tmp_path / "out.jsonl").read_text() == "from before"
