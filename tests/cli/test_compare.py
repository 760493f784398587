"""`ratsnlp-like compare`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers_cli import Cli, check_message


class TestCompare:
    @pytest.mark.slow
    def test_table_and_result(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        result = tmp_path / "comparison.json"
        outcome = cli("compare", run, run / "last", "--cache_dir", tmp_path / "cache", "--result", result)
        assert outcome.code == 0, outcome.err
        found = json.loads(result.read_text(encoding="utf-8"))
        assert [row["run"] for row in found["runs"]] == [str(run), str(run / "last")]
        assert "sample-sentiment, split test: 120 examples" in outcome.out
        assert "randomization p" in outcome.out

    @pytest.mark.slow
    def test_bad_arguments(self, run: Path, ner_run: Path, cli: Cli) -> None:
        check_message(cli("compare"), "0 run", "at least two", "compare RUN RUN")
        check_message(cli("compare", run, ner_run), "different tasks", "classification", "ner")
