"""`ratsnlp-like list`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers_cli import Cli, check_message


class TestList:
    @pytest.mark.parametrize(
        ("what", "names"),
        [
            (
                "corpora",
                ["nsmc", "korean-hate-speech", "klue-ner", "sample-sentiment", "sample-ner", "FILE", "OWNER/NAME"],
            ),
            ("tasks", ["classification", "ner"]),
            ("metrics", ["matthews"]),
            ("checkpoints", ["ko-blank-bert", "OWNER/NAME"]),
            ("formats", ["csv", "tsv", "jsonl", "parquet", "conll", "klue-ner", "book-ner", "text"]),
        ],
    )
    def test_names(self, cli: Cli, what: str, names: list[str]) -> None:
        outcome = cli("list", what)
        assert outcome.code == 0
        first = [line.split()[0] for line in outcome.out.splitlines()]
        assert set(names) <= set(first)
        assert all(len(line.split()) > 1 for line in outcome.out.splitlines())  # each with a description

    def test_tasks_state_the_metric_of_the_best_model(self, cli: Cli) -> None:
        lines = {line.split()[0]: line for line in cli("list", "tasks").out.splitlines()}
        assert "(best model: validation/macro_f1)" in lines["classification"]
        assert "(best model: validation/pearson)" in lines["similarity"]

    def test_bad_kinds(self, cli: Cli) -> None:
        check_message(cli("list", "corpra"), "cannot list 'corpra'", "did you mean 'corpora'")
        check_message(cli("list"), "missing: what to list")

    def test_runs(self, cli: Cli, run: Path, tmp_path: Path) -> None:
        outcome = cli("list", "runs", run.parent)
        assert outcome.code == 0
        header, row = outcome.out.splitlines()
        assert header.split()[:5] == ["run", "task", "corpus", "checkpoint", "score"]
        score = json.loads((run / "result.json").read_text())["test_metrics"]["macro_f1"]
        for part in (run, "classification", "sample-sentiment", f"test macro_f1 {score:.4f}"):
            assert str(part) in row
        assert cli("list", "runs", tmp_path).out == f"no run in {tmp_path}\n"
        check_message(cli("list", "runs", tmp_path / "none"), "no such folder")
