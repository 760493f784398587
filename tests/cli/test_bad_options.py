"""One message for each kind of option that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    environment,
    flags,
    python,
    tsv,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli, Outcome, check_message

DATA = Path(__file__).parents[3] / "shared" / "data"


class TestBadNames:
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("options", "parts"),
        [
            ({"corpus": "sample-sentimant"}, ("unknown corpus 'sample-sentimant'", "did you mean 'sample-sentiment'")),
            ({"task": "clasification"}, ("unknown task 'clasification'", "did you mean 'classification'")),
            ({"checkpoint": "ko-blank-bret"}, ("unknown checkpoint 'ko-blank-bret'", "did you mean 'ko-blank-bert'")),
            ({"checkpoint": "./nowhere"}, ("no checkpoint folder './nowhere'",)),
            ({"corpus": "sample-ner"}, ("is for the task ner, not for classification", "--task ner")),
            ({"max_length": 600}, ("--max_length: max_length 600 is more than the 512 positions", "--max_length 512")),
            ({"max_length": 2}, ("--max_length: max_length 2 leaves no room", "at least 3")),
            ({"init": "pretrained"}, ("has no weights", "--init random")),
            ({"config_overrides": {"num_layers": 1}}, ("--config_overrides", "bert has no setting 'num_layers'")),
            ({"config_overrides": {"hidden_size": 33}}, ("--config_overrides", "hidden size (33)")),
            ({"epochs": "three"}, ("--epochs", "three")),
            ({"epochs": 0, "batch_size": -1}, ("--epochs: 0", "--batch_size: -1", "2 problems")),
            ({"validation_share": 1.5}, ("--validation_share: 1.5", "from 0 to 1")),
            ({"schedule": "linaer"}, ("--schedule", "linaer", "linear")),
            ({"init": "magic"}, ("--init", "magic")),
            ({"precision": "8"}, ("--precision", "auto")),
            ({"long_text": "tail"}, ("--long_text", "tail")),
            ({"threshold": 1.5}, ("--threshold", "between 0 and 1")),
            ({"normalization": ["kcbert-claen"]}, ("kcbert-claen", "did you mean 'kcbert-clean'")),
            ({"class_weights": [1, 2, 3]}, ("--class_weights: 3 class weights for 2 classes", "긍정, 부정")),
            ({"strategy": "dpp"}, ("--strategy", "dpp")),
            ({"accelerator": "gpuu"}, ("--accelerator", "gpuu")),
            ({"learning_rat": 1}, ("unknown option --learning_rat", "did you mean '--learning_rate'")),
            ({"lr": 1}, ("unknown option --lr", "fix: --learning_rate;")),
            ({"learning_rtae": 1}, ("unknown option --learning_rtae", "did you mean '--learning_rate'")),
            ({"stride": 8}, ("unknown option --stride",)),  # a flag of another task
            ({"corpus": None}, ("missing: --corpus",)),
            ({"format": "tvs", "corpus": "{}"}, ("--format: unknown format 'tvs'", "did you mean 'tsv'")),
            ({"encoding": "utf-9", "corpus": "{}"}, ("--encoding: 'utf-9' is not a character encoding",)),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
    )
    def test_one_message(self, tmp_path: Path, cli: Cli, options: dict[str, Any], parts: tuple[str, ...]) -> None:
        corpus = tsv(tmp_path / "a.tsv", ROWS)
        if options.get("corpus") == "{}":
            options = options | {"corpus": corpus}
        check_message(cli(*flags(tmp_path, **options)), *parts)
        assert not (tmp_path / "run").exists()

    def test_an_unknown_command(self, cli: Cli) -> None:
        check_message(cli("trian"), "unknown command 'trian'", "did you mean 'train'")

    def test_an_argument_too_many(self, tmp_path: Path, cli: Cli) -> None:
        check_message(cli(*flags(tmp_path), "reviews.tsv"), "unexpected argument 'reviews.tsv'")

    def test_no_model(self, tmp_path: Path, cli: Cli) -> None:
        check_message(cli("predict", tmp_path / "nothing", "좋아요"), f"{tmp_path / 'nothing'}: no such folder")
        check_message(cli("evaluate", tmp_path, "--corpus", "nsmc"), "contains no model", "train first")
        check_message(cli("predict"), "model")

    def test_an_unknown_split(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("evaluate", run, "--corpus", "sample-sentiment", "--split", "tset", "--cache_dir", tmp_path)
        check_message(outcome, "no split 'tset'", "did you mean 'test'")

    def test_a_corpus_that_is_not_there(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ratsnlp_like.corpora.files.fetch_files", lambda files, root: None)
        outcome = cli(*flags(tmp_path, corpus="nsmc", corpus_root=tmp_path / "corpora"))
        check_message(outcome, "no ratings_train.txt in", "--corpus_root")

    def test_texts_and_a_file(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", "좋아요\n")
        check_message(cli("predict", run, "좋아요", "--input", path), "both texts and --input")

    @pytest.mark.parametrize(
        ("content", "part"),
        [("epochs: [", "invalid YAML"), ("- a\n", "the file has no options"), ("task: ner\nepoch: 3\n", "epoch")],
    )
    def test_a_bad_configuration(self, tmp_path: Path, cli: Cli, content: str, part: str) -> None:
        path = write_file(tmp_path / "c.yaml", content)
        check_message(cli("train", "--config", path), part)
        check_message(cli("train", "--config", tmp_path / "none.yaml"), f"{tmp_path / 'none.yaml'}: no such file")

    @pytest.mark.slow
    def test_the_hub_without_a_network(self, tmp_path: Path) -> None:
        code = (
            "import sys, json\nfrom ratsnlp_like.cli import main\n"
            "for line in sys.stdin:\n"
            "    print('CODE', main(json.loads(line)), file=sys.stderr)\n"
        )
        jobs = [
            flags(tmp_path, checkpoint="someone/some-bert"),
            flags(tmp_path, corpus="someone/some-reviews"),
            ["inspect", "someone/some-reviews"],
        ]
        offline = environment(HF_DATASETS_OFFLINE="1", HF_HOME=str(tmp_path / "hub"))
        done = python(code, input="\n".join(map(json.dumps, jobs)), env=offline)
        parts = done.stderr.split("CODE 2\n")
        assert len(parts) == 4, done.stderr
        assert parts[3] == ""
        for text, name in zip(
            parts, ["'someone/some-bert'", "'someone/some-reviews'", "'someone/some-reviews'"], strict=False
        ):
            check_message(Outcome(2, "", text), name, "network")
        assert not (tmp_path / "run").exists()
