"""`ratsnlp-like predict`: options of the task."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from helpers import (
    flags,
    tsv,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli, check_message, read_jsonl

from ratsnlp_like.cli.main import main
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor


@pytest.fixture(scope="module")
def blanks_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a masked language model."""
    folder = tmp_path_factory.mktemp("blanks")
    assert main(flags(folder, task="masked-lm", corpus="sample-raw")) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def topics_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a classifier that gives several labels."""
    folder = tmp_path_factory.mktemp("topics")
    path = tsv(folder / "a.tsv", [(text, "가,나" if i % 2 else "나") for i, (text, _) in enumerate(ROWS)])
    assert main(flags(folder, corpus=path, label_separator=",", max_steps=2)) == 0
    return folder / "run"


class TestPredictOptions:
    TEXT = "아침에 [MASK] 왔다"

    @pytest.mark.slow
    @pytest.mark.parametrize("count", [1, 3])
    def test_candidates(self, blanks_run: Path, cli: Cli, count: int) -> None:
        outcome = cli("predict", blanks_run, self.TEXT, "--candidates", count)
        assert outcome.code == 0, outcome.err
        (row,) = read_jsonl(outcome.out)
        assert [len(blank) for blank in row["candidates"]] == [count]
        assert row["filled"] == self.TEXT.replace("[MASK]", row["candidates"][0][0]["token"]).replace(" ##", "")

    def test_what_was_trained_is_the_default(self, blanks_run: Path, cli: Cli) -> None:
        (row,) = read_jsonl(cli("predict", blanks_run, self.TEXT).out)
        assert len(row["candidates"][0]) == 5

    @pytest.mark.slow
    def test_threshold(self, topics_run: Path, cli: Cli) -> None:
        (few,) = read_jsonl(cli("predict", topics_run, "좋아요", "--threshold", "0.99").out)
        (many,) = read_jsonl(cli("predict", topics_run, "좋아요", "--threshold", "0.01").out)
        assert (few["label"], many["label"]) == ([], ["가", "나"])
        assert few["scores"] == many["scores"]

    @pytest.mark.slow
    def test_bad_values(self, blanks_run: Path, topics_run: Path, cli: Cli) -> None:
        check_message(cli("predict", blanks_run, self.TEXT, "--candidates", "0"), "--candidates", "at least 1")
        check_message(cli("predict", blanks_run, self.TEXT, "--candidates", "many"), "candidates", "many")
        check_message(cli("predict", topics_run, "좋아요", "--threshold", "2"), "--threshold")

    @pytest.mark.slow
    def test_evaluation_takes_them_too(self, topics_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.jsonl", '{"text": "좋아요", "label": ["가", "나"]}\n')
        for threshold, reached in (("0.01", 1.0), ("0.99", 0.0)):
            outcome = cli(
                "evaluate", topics_run, "--corpus", path, "--threshold", threshold, "--result", tmp_path / "r.json"
            )
            assert outcome.code == 0, outcome.err
            assert json.loads((tmp_path / "r.json").read_text())["micro_f1"] == reached
        check_message(cli("evaluate", topics_run, "--corpus", path, "--threshold", "2"), "--threshold")

    def test_what_was_learnt_cannot_be_asked_for(self, blanks_run: Path, cli: Cli) -> None:
        check_message(cli("predict", blanks_run, self.TEXT, "--mask_share", "0.5"), "mask_share")
        check_message(cli("predict", blanks_run, self.TEXT, "--top_k", "5"), "top_k")

    def test_inputs_that_fail_have_an_error(self, blanks_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", f"{self.TEXT}\n빈칸이 없다\n" + f"{self.TEXT}\n" * 4)
        outcome = cli("predict", blanks_run, "--input", path)
        assert outcome.code == 0, outcome.err
        rows = read_jsonl(outcome.out)
        assert [row["text"] for row in rows] == [self.TEXT, "빈칸이 없다"] + 4 * [self.TEXT]
        assert [i for i, row in enumerate(rows) if "error" in row] == [1]
        assert rows[1]["error"]["place"] == f"{path}, line 2"
        assert "1 of 6 inputs have an error" in outcome.err
        assert f"{path}, line 2" in outcome.err
        assert "filled" in rows[5]

    def test_errors_are_the_last_column_of_csv(self, blanks_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.csv", f"id,text\n1,빈칸이 없다\n2,{self.TEXT}\n")
        outcome = cli("predict", blanks_run, "--input", path, "--output", tmp_path / "out.csv")
        assert outcome.code == 0, outcome.err
        with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["id", "text", "filled", "candidates", "error"]
        assert "빈칸이 없다" in rows[0]["error"]
        assert (rows[0]["filled"], rows[1]["error"]) == ("", "")

    def test_no_valid_input(self, blanks_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", "빈칸이 없다\n여기도 없다\n")
        outcome = cli("predict", blanks_run, "--input", path, "--output", tmp_path / "out.jsonl")
        check_message(outcome, f"{path}, line 1", "빈칸이 없다", "[MASK]")
        assert not (tmp_path / "out.jsonl").exists()

    def test_errors_in_a_table(self, blanks_run: Path, cli: Cli) -> None:
        outcome = cli("predict", blanks_run, self.TEXT, "빈칸이 없다", "--show", "table")
        assert outcome.code == 0, outcome.err
        assert "  error: " in outcome.out

    def test_in_python(self, blanks_run: Path, run: Path) -> None:
        predictor = Predictor.from_pretrained(blanks_run)
        assert len(predictor(self.TEXT, candidates=2).candidates[0]) == 2
        with pytest.raises(InputError, match="unknown option 'candidats'") as caught:
            predictor(self.TEXT, candidats=2)
        assert "did you mean 'candidates'" in str(caught.value)
        with pytest.raises(InputError):
            predictor(self.TEXT, candidates="many")
        with pytest.raises(InputError, match="unknown option 'candidates'") as caught:
            Predictor.from_pretrained(run)("좋아요", candidates=2)
        assert "expected: abstain, temperature" in str(caught.value)  # a threshold needs several labels
