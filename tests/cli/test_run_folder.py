"""Run folders of `ratsnlp-like train`: nothing is overwritten unless requested."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import (
    flags,
    largest_difference,
    tree,
    weights,
)
from helpers import write as write_file
from helpers_cli import Cli, check_message


class TestRunFolder:
    @pytest.mark.slow
    def test_another_configuration(self, run: Path, cli: Cli) -> None:
        before = tree(run)
        own = {"epochs": 2, "limit_train": 160}
        outcome = cli(*flags(run.parent, **own, learning_rate=2e-3))
        check_message(
            outcome,
            f"{run}: the folder has a run with another configuration",
            "learning_rate: 0.001 before",
            "--overwrite",
        )
        outcome = cli(*flags(run.parent, **own, task="ner", corpus="sample-ner"))
        check_message(outcome, "task: 'classification' before, 'ner' now")
        assert tree(run) == before

    @pytest.mark.slow
    def test_an_unfinished_run(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        (tmp_path / "run" / "result.json").unlink()  # a run that was stopped has none
        before = tree(tmp_path / "run")
        check_message(cli(*flags(tmp_path)), "has an unfinished run", "--resume to continue it")
        assert tree(tmp_path / "run") == before

    @pytest.mark.slow
    def test_resuming_what_has_not_begun_begins_it(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(*flags(tmp_path), "--resume")  # a cluster's job repeats one command until it is done
        assert outcome.code == 0
        assert "no run to resume; a new one begins" in outcome.err
        assert (tmp_path / "run" / "result.json").exists()

    @pytest.mark.slow
    def test_the_same_configuration_runs_again(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        before = weights(tmp_path / "run" / "best")
        assert cli(*flags(tmp_path)).code == 0
        assert largest_difference(weights(tmp_path / "run" / "best"), before) == 0

    def test_a_folder_of_something_else(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "run" / "thesis.hwp", "years of work")
        check_message(cli(*flags(tmp_path)), "the folder is not empty (thesis.hwp) and not a run of this package")
        assert tree(tmp_path / "run") == {"thesis.hwp": b"years of work"}

    def test_a_result_that_cannot_be_written(self, tmp_path: Path, cli: Cli) -> None:
        check_message(cli(*flags(tmp_path, result=tmp_path)), f"{tmp_path}: is a folder")
        assert not (tmp_path / "run").exists()
