"""`ratsnlp-like report`, and `evaluate --errors`."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from helpers import flags
from helpers_cli import Cli, check_message, read_jsonl

from ratsnlp_like.inference.predictor import Predictor


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that wrote its report."""
    from ratsnlp_like.cli.main import main

    folder = tmp_path_factory.mktemp("reported")
    assert main(flags(folder, report=True)) == 0
    return folder / "run"


@pytest.mark.slow
def test_a_run_writes_its_report(reported: Path) -> None:
    page = (reported / "report.html").read_text(encoding="utf-8")
    analysis = json.loads((reported / "analysis.json").read_text(encoding="utf-8"))
    result = json.loads((reported / "result.json").read_text(encoding="utf-8"))
    matrix = result["test_metrics"]["confusion_matrix"]["matrix"]
    assert analysis["rows"] == sum(map(sum, matrix)) == 24
    assert analysis["wrong_rows"] == 24 - sum(row[k] for k, row in enumerate(matrix))
    assert "학습 보고서" in page
    assert f"{result['test_metrics']['macro_f1']:.4f}" in page
    assert analysis["mistakes"][0]["texts"]["text"] in page
    assert "--learning_rate 0.001" in page


@pytest.mark.slow
def test_the_command(reported: Path, run: Path, tmp_path: Path, cli: Cli) -> None:
    outcome = cli("report", reported, "--language", "en", "--output", tmp_path / "a.html")
    assert outcome.code == 0, outcome.err
    assert "Training report" in (tmp_path / "a.html").read_text(encoding="utf-8")
    outcome = cli("report", reported, run, "--output", tmp_path / "b.html")  # `run` has no analysis yet
    assert outcome.code == 0, outcome.err
    assert "no analysis yet; the model is evaluated" in outcome.err
    assert "여러 실행 비교" in (tmp_path / "b.html").read_text(encoding="utf-8")
    assert json.loads((run / "analysis.json").read_text(encoding="utf-8"))["corpus"]["splits"].keys() == {
        "train",
        "validation",
        "test",
    }


def test_wrong_arguments(reported: Path, tmp_path: Path, cli: Cli) -> None:
    check_message(cli("report"), "missing: the run")
    check_message(cli("report", tmp_path), "not a run folder")
    check_message(cli("report", reported, "--output", tmp_path), "is a folder")
    check_message(cli("report", reported, "--language", "fr"), "language")


class TestErrors:
    def test_classes(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("evaluate", run, "--errors", tmp_path / "e.csv", "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        assert "rows have a mistake" in outcome.out
        found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        with (tmp_path / "e.csv").open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == found["mistakes"]["wrong_rows"] == sum(found["mistakes"]["kinds"].values()) > 0
        for row in rows:
            assert row["kinds"] == f"{row['gold']} > {row['predicted']}"
            assert row["gold"] != row["predicted"]
            assert row["text"]
            assert row["tokens"]
        confidences = [float(row["confidence"]) for row in rows]
        assert confidences == sorted(confidences, reverse=True)

    @pytest.mark.slow
    def test_entities(self, ner_run: Path, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("evaluate", ner_run, "--errors", tmp_path / "e.jsonl", "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        rows = read_jsonl((tmp_path / "e.jsonl").read_text(encoding="utf-8"))
        scores = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        right = [m for row in rows for m in row["matches"] if not m["kind"]]
        wrong = [m for row in rows for m in row["matches"] if m["kind"]]
        assert sum(scores["mistakes"]["kinds"].values()) == len(wrong)
        assert scores["mistakes"]["matches"] >= len(right) + len(wrong)
        assert {m["kind"] for m in wrong} <= {
            "missed",
            "invented",
            "wrong type",
            "boundary",
            "particle",
            "wrong type and boundary",
        }

    @pytest.mark.slow
    def test_the_planted_slice_of_a_column_comes_first(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        """Labels are the model's own predictions; those of the source 방송 are turned round."""
        other = {"긍정": "부정", "부정": "긍정"}
        texts = [f"{k}번 {word}" for k in range(12) for word in ("재미있다", "지루하다", "배우가 좋다", "시간 낭비")]
        labels = [str(own.label) for own in Predictor.from_pretrained(run)(texts)]
        rows = [
            f"{text}\t{label if k % 3 else other[label]}\t{'신문' if k % 3 else '방송'}"
            for k, (text, label) in enumerate(zip(texts, labels, strict=True))
        ]
        corpus = tmp_path / "c.tsv"
        corpus.write_text("text\tlabel\tsource\n" + "\n".join(rows) + "\n", encoding="utf-8")
        own = ["evaluate", run, "--corpus", corpus, "--errors", tmp_path / "e.html"]
        outcome = cli(*own, "--slice_column", "source", "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        first = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["mistakes"]["slices"][0]
        assert (first["slice"], first["value"], first["rows"], first["mistakes"]) == ("source", "방송", 16, 16)
        assert first["weak"]
        page = (tmp_path / "e.html").read_text(encoding="utf-8")
        assert "오류 분석" in page
        weak = page[page.index("약한 구간") :]
        assert "방송" in weak[: weak.index("</tr>", weak.index("<tbody>"))]
        check_message(cli(*own, "--slice_column", "nosuch"), "--slice_column", "nosuch")

    def test_wrong_files(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        check_message(cli("evaluate", run, "--errors", tmp_path / "e.txt"), "--errors", "FILE.csv")
