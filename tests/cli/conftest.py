"""Fixtures of the command line: commands run in this process, and trained run folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import flags
from helpers_cli import Cli, Outcome

from ratsnlp_like.cli.main import main


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("list", "tasks")` runs a command in this process."""

    def run(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder of a classifier."""
    folder = tmp_path_factory.mktemp("trained")
    assert main(flags(folder, epochs=2, limit_train=160, result=folder / "result.json")) == 0
    return folder / "run"


@pytest.fixture(scope="session")
def ner_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder of a model for named entities."""
    folder = tmp_path_factory.mktemp("ner")
    own = {"task": "ner", "corpus": "sample-ner", "epochs": 4, "learning_rate": 5e-3, "limit_train": None}
    assert main(flags(folder, **own)) == 0
    return folder / "run"
