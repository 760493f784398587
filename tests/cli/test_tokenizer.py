"""`ratsnlp-like tokenizer`."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from helpers import (
    CHECKPOINT,
    flags,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli, check_message


class TestTokenizer:
    SIZE = ("--kind", "bpe", "--vocab_size", "600")

    @pytest.mark.slow
    def test_train(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("tokenizer", "train", "sample-raw", "--output", tmp_path / "made", *self.SIZE)
        assert outcome.code == 0, outcome.err
        assert "bpe tokenizer of 600 tokens" in outcome.out
        files = {path.name for path in (tmp_path / "made").iterdir()}
        assert {"tokenizer.json", "tokenizer_config.json", "config.json"} <= files
        # the line that it prints is a command that works
        (line,) = [line for line in outcome.out.splitlines() if line.startswith("pretrain with it: ")]
        program, *arguments = shlex.split(line.removeprefix("pretrain with it: "))
        assert program == "ratsnlp-like"
        quick = {"config_overrides": {"n_layer": 1, "n_embd": 32, "n_head": 2}, "max_steps": 1}
        named = dict.fromkeys(("task", "corpus", "checkpoint", "init"))
        done = cli(*arguments, *flags(tmp_path, **quick, **named)[1:])
        assert done.code == 0, done.err
        assert (tmp_path / "run" / "best" / "task.json").exists()

    def test_train_on_a_folder(self, tmp_path: Path, cli: Cli) -> None:
        for k in range(3):
            write_file(
                tmp_path / "own" / f"{k}.csv", "id,글\n" + "".join(f"{i},{text}\n" for i, (text, _) in enumerate(ROWS))
            )
        arguments = ("tokenizer", "train", tmp_path / "own", "--text_column", "글", "--kind", "wordpiece")
        outcome = cli(*arguments, "--vocab_size", "60", "--output", tmp_path / "made")
        assert outcome.code == 0, outcome.err
        assert "--task masked-lm" in outcome.out

    def test_compare(self, tmp_path: Path, cli: Cli) -> None:
        result = tmp_path / "new" / "result.json"
        assert cli("tokenizer", "train", "sample-raw", "--output", tmp_path / "made", *self.SIZE).code == 0
        arguments = ("tokenizer", "compare", "sample-sentiment", CHECKPOINT, tmp_path / "made")
        outcome = cli(*arguments, "--limit", 50, "--result", result)
        assert outcome.code == 0, outcome.err
        found = json.loads(result.read_text())
        assert list(found) == [CHECKPOINT, str(tmp_path / "made")]
        assert found[str(tmp_path / "made")]["vocabulary"] == 600
        assert found[str(tmp_path / "made")]["unknown_share"] == 0
        assert CHECKPOINT in outcome.out
        assert "600" in outcome.out

    @pytest.mark.parametrize(
        ("arguments", "parts"),
        [
            (("trian",), ("unknown command 'trian'", "did you mean 'train'")),
            (("train", "sample-raw"), ("missing: --output",)),
            (("train", "sample-row", "--output", "{}/x"), ("unknown corpus 'sample-row'", "sample-raw")),
            (("train", "sample-raw", "--output", "{}"), ("exists and is not empty",)),
            (("train", "sample-raw", "--output", "{}/x", "--vocab_size", "5"), ("--vocab_size", "more than 5")),
            (("train", "sample-raw", "--output", "{}/x", "--vocab_size", "90000"), ("the text yields a vocabulary",)),
            (("train", "sample-raw", "--output", "{}/x", "--kind", "bpo"), ("kind", "bpo")),
            (("train", "sample-raw", "--output", "{}/x", "--character_coverage", "2"), ("--character_coverage",)),
            (("train", "{}/none.txt", "--output", "{}/x"), ("none.txt",)),
            (("compare", "sample-raw"), ("missing: checkpoints to compare",)),
            (("compare", "sample-raw", CHECKPOINT, "--limit", "0"), ("--limit", "at least 1")),
            (("compare", "sample-raw", "ko-blank-brt"), ("ko-blank-brt", CHECKPOINT)),
            (("compare", "sample-raw", CHECKPOINT, "--result", "{}"), ("is a folder",)),
        ],
        ids=str,
    )
    def test_errors(self, arguments: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "something", "mine")
        outcome = cli("tokenizer", *(argument.format(tmp_path) for argument in arguments))
        check_message(outcome, *parts)
        assert [path.name for path in tmp_path.iterdir()] == ["something"]

    def test_usage(self, cli: Cli) -> None:
        for arguments in ((), ("--help",)):
            outcome = cli("tokenizer", *arguments)
            assert outcome.code == 0
            assert "tokenizer train CORPUS" in outcome.out
            assert "tokenizer compare CORPUS CHECKPOINT" in outcome.out
