"""`ratsnlp-like evaluate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import (
    flags,
    tsv,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli, check_message


class TestEvaluate:
    @pytest.mark.slow
    def test_the_names_and_values_of_training(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        result = json.loads((run / "result.json").read_text())
        own = ["--corpus", "sample-sentiment", "--cache_dir", tmp_path / "cache", "--limit_eval", 24]
        for split, name in (("validation", "metrics"), ("test", "test_metrics")):
            outcome = cli("evaluate", run, *own, "--split", split, "--result", tmp_path / "r.json")
            assert outcome.code == 0, outcome.err
            measured = json.loads((tmp_path / "r.json").read_text())
            assert measured.keys() == result[name].keys()
            assert measured["confusion_matrix"] == result[name]["confusion_matrix"]
            assert measured["macro_f1"] == pytest.approx(result[name]["macro_f1"])
            assert "macro_f1" in outcome.out

    @pytest.mark.slow
    def test_the_test_split_by_default(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(
            "evaluate",
            run / "best",
            "--corpus",
            "sample-sentiment",
            "--cache_dir",
            tmp_path,
            "--result",
            tmp_path / "r",
        )
        assert outcome.code == 0
        assert sum(map(sum, json.loads((tmp_path / "r").read_text())["confusion_matrix"]["matrix"])) == 120

    @pytest.mark.slow
    def test_a_file_of_ones_own(self, ner_run: Path, tmp_path: Path, cli: Cli) -> None:
        line = {
            "text": "김하늘은 부산에 갔다",
            "entities": [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}],
        }
        path = write_file(tmp_path / "a.jsonl", json.dumps(line, ensure_ascii=False) + "\n" + json.dumps(line) + "\n")
        outcome = cli("evaluate", ner_run, "--corpus", path, "--cache_dir", tmp_path, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        measured = json.loads((tmp_path / "r.json").read_text())
        assert {
            "entity_precision",
            "entity_recall",
            "entity_f1",
            "klue_entity_f1",
            "klue_char_f1",
            "conll_f1",
        } <= measured.keys()
        assert {name: row["support"] for name, row in measured["per_type"].items() if row["support"]} == {
            "LC": 2,
            "PS": 2,
        }

    @pytest.mark.slow
    def test_the_rows_that_were_learnt_from(self, tmp_path: Path, cli: Cli) -> None:
        corpus = tsv(tmp_path / "a.tsv", ROWS)
        assert cli(*flags(tmp_path, corpus=corpus)).code == 0
        outcome = cli("evaluate", tmp_path / "run", "--corpus", corpus, "--cache_dir", tmp_path / "cache")
        assert outcome.code == 0
        assert "the model was trained on these rows" in outcome.err
        other = tsv(tmp_path / "b.tsv", ROWS[:10])
        outcome = cli("evaluate", tmp_path / "run", "--corpus", other, "--cache_dir", tmp_path / "cache")
        assert outcome.code == 0
        assert "the model was trained on these rows" not in outcome.err

    @pytest.mark.slow
    def test_evaluate_says_what_it_measures(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(
            tmp_path / "hate.tsv", "말\t하나\t둘\n" + "".join(f"말 {i}\t{i % 2}\t{i % 3}\n" for i in range(30))
        )
        own = ("--text_column", "말", "--label_column", "둘")
        assert cli(*flags(tmp_path, corpus=path), *own).code == 0
        outcome = cli("evaluate", tmp_path / "run", "--corpus", path, "--cache_dir", tmp_path / "cache")
        assert outcome.code == 0, outcome.err  # the columns it was trained on are meant
        assert "the model was trained on these rows" in outcome.err
        assert f"evaluated on {path}, the whole file: 30 examples" in outcome.err

    @pytest.mark.slow
    def test_a_file_in_the_layout_of_a_registered_corpus(self, tmp_path: Path, cli: Cli) -> None:
        rows = "".join(f"{i}\t{'좋아요' if i % 2 else '별로예요'} {i}\t{i % 2}\n" for i in range(40))
        for split in ("train", "test"):
            write_file(tmp_path / "nsmc" / f"ratings_{split}.txt", f"id\tdocument\tlabel\n{rows}")
        test = tmp_path / "nsmc" / "ratings_test.txt"
        outcome = cli(*flags(tmp_path, corpus="nsmc", eval_corpus=test), "--corpus_root", tmp_path)
        assert outcome.code == 0, outcome.err
        result = tmp_path / "result.json"
        own = ("--cache_dir", tmp_path / "cache", "--result", result)
        assert cli("evaluate", tmp_path / "run", "--corpus", test, *own).code == 0
        assert json.loads(result.read_text())["confusion_matrix"]["labels"] == ["negative", "positive"]

    @pytest.mark.slow
    def test_options_of_reading_need_a_corpus(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        options = (("--text_column", "문장"), ("--format", "csv"), ("--label_type", "class"), ("--on_error", "skip"))
        for flag, value in options:
            check_message(cli("evaluate", run, flag, value), f"{flag} without --corpus", "--corpus FILE")
        assert cli("evaluate", run, "--cache_dir", tmp_path, "--limit_eval", 8, "--split", "validation").code == 0
