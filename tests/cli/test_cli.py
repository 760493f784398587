"""The command line: what it prints, writes and returns, and the one message for each kind of bad input."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from helpers import (
    CHECKPOINT,
    COMMAND,
    TINY,
    command,
    environment,
    flags,
    largest_difference,
    python,
    tree,
    tsv,
    weights,
)
from helpers import write as write_file

from ratsnlp_like.cli.main import _underscored, main
from ratsnlp_like.corpora.detection import infer_task
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import fine_tune

DATA = Path(__file__).parents[3] / "shared" / "data"
ROWS = [(f"{i}번 손님: {'좋아요' if i % 2 else '별로예요'}", "긍정" if i % 2 else "부정") for i in range(40)]


class Said(NamedTuple):
    code: int
    out: str
    err: str


Cli = Callable[..., Said]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("list", "tasks")` runs a command in this process."""

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = main(list(map(str, arguments)))
        return Said(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a classifier."""
    folder = tmp_path_factory.mktemp("trained")
    assert main(flags(folder, epochs=2, limit_train=160, result=folder / "result.json")) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def ner_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a recogniser."""
    folder = tmp_path_factory.mktemp("ner")
    own = {"task": "ner", "corpus": "sample-ner", "epochs": 4, "learning_rate": 5e-3, "limit_train": None}
    assert main(flags(folder, **own)) == 0
    return folder / "run"


# Bad input -----------------------------------------------------------------------------------------------------------


def check_message(said: Said, *parts: object) -> None:
    """Exit code 2, and one message that holds these parts."""
    assert said.code == 2, said.err
    assert "Traceback" not in said.err
    for part in parts:
        assert str(part) in said.err
    messages = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, said.err
    rest = said.err.split("error: ", 1)[1].splitlines()[1:]
    assert all(line.startswith((" ", "- ")) for line in rest), said.err


HEADER = "text\tlabel\n"
BIO = "김하늘\tB-PS\n은\tO\n부산\tI-LC\n\n나\tO\n"
FILES: dict[str, tuple[str, str | bytes, dict[str, Any], tuple[str, ...]]] = {
    # name: file, content, flags, what the message says; {} is the file
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
    "a sheet": ("a.xlsx", b"PK\x03\x04rest", {}, ("{}: this is a ZIP archive", "save the table as CSV")),
}


class TestBadFiles:
    @pytest.mark.parametrize("case", FILES)
    def test_one_message(self, case: str, tmp_path: Path, cli: Cli) -> None:
        name, content, options, parts = FILES[case]
        path = write_file(tmp_path / name, content)
        said = cli(*flags(tmp_path, corpus=path, **options))
        check_message(said, *(part.replace("{}", str(path)) for part in parts))
        assert not (tmp_path / "run").exists()

    def test_a_missing_file(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "reviews.tsv", HEADER)
        said = cli(*flags(tmp_path, corpus=tmp_path / "review.tsv"))
        check_message(said, f"{tmp_path / 'review.tsv'}: no such file", "did you mean reviews.tsv?")
        assert not (tmp_path / "run").exists()

    def test_a_folder_without_a_corpus(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "d" / "a.bin", HEADER)
        said = cli(*flags(tmp_path, corpus=tmp_path / "d"))
        check_message(said, f"{tmp_path / 'd'}: the folder holds no corpus file (it holds a.bin)", ".parquet")
        assert not (tmp_path / "run").exists()

    def test_an_unknown_label_in_the_evaluation_corpus(self, tmp_path: Path, cli: Cli) -> None:
        path = tsv(tmp_path / "eval.tsv", [("좋아요", "긍정"), ("그저 그래요", "중립")])
        said = cli(*flags(tmp_path, eval_corpus=path))
        check_message(said, f"{path}, line 3: the label '중립'", "'긍정', '부정'")
        assert not (tmp_path / "run").exists()

    def test_an_unknown_label_in_evaluate(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = tsv(tmp_path / "eval.tsv", [("좋아요", "긍정"), ("그저 그래요", "중립")])
        said = cli(
            "evaluate", run, "--corpus", path, "--cache_dir", tmp_path / "cache", "--result", tmp_path / "r.json"
        )
        check_message(said, f"{path}, line 3: the label '중립'", "'긍정', '부정'")
        assert not (tmp_path / "r.json").exists()

    def test_a_bad_row_of_the_file_to_predict_on(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.tsv", "text\tid\n좋아요\t1\n별로\n")
        write_file(tmp_path / "out.jsonl", "from before")
        said = cli("predict", run, "--input", path, "--output", tmp_path / "out.jsonl")
        check_message(said, f"{path}, line 3: 1 cell")
        assert {p.name: p.read_text() for p in tmp_path.glob("out*")} == {"out.jsonl": "from before"}


class TestBadNames:
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
            ({"init": "pretrained"}, ("holds no weights", "--init random")),
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
        said = cli("evaluate", run, "--corpus", "sample-sentiment", "--split", "tset", "--cache_dir", tmp_path)
        check_message(said, "no split 'tset'", "did you mean 'test'")

    def test_a_corpus_that_is_not_there(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("ratsnlp_like.corpora.files.fetch_files", lambda files, root: None)
        said = cli(*flags(tmp_path, corpus="nsmc", corpus_root=tmp_path / "corpora"))
        check_message(said, "no ratings_train.txt in", "--corpus_root")

    def test_texts_and_a_file(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", "좋아요\n")
        check_message(cli("predict", run, "좋아요", "--input", path), "both texts and --input")

    @pytest.mark.parametrize(
        ("content", "part"),
        [("epochs: [", "cannot be read as YAML"), ("- a\n", "holds no options"), ("task: ner\nepoch: 3\n", "epoch")],
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
            check_message(Said(2, "", text), name, "network")
        assert not (tmp_path / "run").exists()


class TestRunFolder:
    def test_another_configuration(self, run: Path, cli: Cli) -> None:
        before = tree(run)
        own = {"epochs": 2, "limit_train": 160}
        said = cli(*flags(run.parent, **own, learning_rate=2e-3))
        check_message(
            said,
            f"{run}: the folder holds a run with another configuration",
            "learning_rate: 0.001 there",
            "--overwrite",
        )
        said = cli(*flags(run.parent, **own, task="ner", corpus="sample-ner"))
        check_message(said, "task: 'classification' there, 'ner' now")
        assert tree(run) == before

    def test_an_unfinished_run(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        (tmp_path / "run" / "result.json").unlink()  # a run that was stopped has none
        before = tree(tmp_path / "run")
        check_message(cli(*flags(tmp_path)), "holds an unfinished run", "--resume to go on with it")
        assert tree(tmp_path / "run") == before

    def test_resuming_what_has_not_begun_begins_it(self, tmp_path: Path, cli: Cli) -> None:
        said = cli(*flags(tmp_path), "--resume")  # a cluster's job repeats one command until it is done
        assert said.code == 0
        assert "nothing to go on with yet" in said.err
        assert (tmp_path / "run" / "result.json").exists()

    def test_the_same_configuration_runs_again(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        before = weights(tmp_path / "run" / "best")
        assert cli(*flags(tmp_path)).code == 0
        assert largest_difference(weights(tmp_path / "run" / "best"), before) == 0

    def test_a_folder_of_something_else(self, tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "run" / "thesis.hwp", "years of work")
        check_message(cli(*flags(tmp_path)), "is no run of this package and is not empty (thesis.hwp)")
        assert tree(tmp_path / "run") == {"thesis.hwp": b"years of work"}

    def test_a_result_that_cannot_be_written(self, tmp_path: Path, cli: Cli) -> None:
        check_message(cli(*flags(tmp_path, result=tmp_path)), f"{tmp_path}: is a folder")
        assert not (tmp_path / "run").exists()


# What works ----------------------------------------------------------------------------------------------------------


class TestTrain:
    def test_result(self, run: Path) -> None:
        result = json.loads((run.parent / "result.json").read_text())
        assert {
            "output", "best", "metrics", "test_metrics", "steps", "examples", "tokens", "train_seconds",
            "examples_per_second", "evaluation_seconds", "peak_memory_mb", "splits", "precision",
        } <= result.keys()  # fmt: skip
        assert (result["steps"], result["examples"]) == (40, 320)
        assert result["tokens"] == 2 * result["splits"]["train"]["tokens"]
        assert {"accuracy", "macro_f1", "micro_f1", "weighted_f1", "per_class", "confusion_matrix", "loss"} <= result[
            "metrics"
        ].keys()
        assert sum(map(sum, result["test_metrics"]["confusion_matrix"]["matrix"])) == 24
        assert result == json.loads((run / "result.json").read_text())
        assert result["output"] == str(run)

    def test_what_it_prints(self, tmp_path: Path, cli: Cli) -> None:
        said = cli(*flags(tmp_path))
        assert said.code == 0
        assert re.search(r"metric +validation +test", said.out)
        assert re.search(r"macro_f1 +0\.\d{4} +0\.\d{4}", said.out)
        assert "6 steps, 48 examples" in said.out
        assert f"model: {tmp_path / 'run' / 'best'}" in said.out
        assert "train: 48 examples" in said.err

    def test_hyphens(self, tmp_path: Path, cli: Cli) -> None:
        hyphened = [f.replace("_", "-") if f.startswith("--") else f for f in flags(tmp_path, label_column="label")]
        assert "--batch-size" in hyphened
        assert "--label-column" in hyphened
        assert cli(*hyphened).code == 0
        assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["batch_size"] == 8

    def test_hyphens_of_names_alone(self) -> None:
        given = ["--label-column=내-열", "--text-column", "두-열", "-x", "--", "--no-flag"]
        assert _underscored(given) == ["--label_column=내-열", "--text_column", "두-열", "-x", "--", "--no-flag"]

    def test_a_configuration_printed_is_a_configuration_read(
        self, tmp_path: Path, cli: Cli, capsys: pytest.CaptureFixture[str]
    ) -> None:
        own = {"epochs": 1, "schedule": "cosine", "class_weights": "balanced", "normalization": ["nfc"]}
        with pytest.raises(SystemExit) as done:
            main([*flags(tmp_path, **own), "--print_config"])
        assert done.value.code == 0
        printed = capsys.readouterr().out
        config = yaml.safe_load(printed)
        assert config["schedule"] == "cosine"
        assert config["config_overrides"] == TINY
        assert config["normalization"] == ["nfc"]
        path = write_file(tmp_path / "printed.yaml", printed)
        assert cli("train", "--config", path).code == 0
        ran = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
        assert {name: config[name] for name in ran if name in config} == {
            name: value for name, value in ran.items() if name in config
        }
        assert len(ran.keys() & config.keys()) > 30

    def test_flags_win_over_the_file(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "c.yaml", "task: classification\nseed: 3\nbatch_size: 16\n")
        own = flags(tmp_path, task=None, seed=None)
        assert cli("train", "--config", path, *own[1:]).code == 0
        ran = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
        assert (ran["seed"], ran["batch_size"]) == (3, 8)

    def test_a_run_again_from_its_folder(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        assert cli("train", "--config", run / "config.yaml", "--output", tmp_path / "again").code == 0
        assert largest_difference(weights(tmp_path / "again" / "best"), weights(run / "best")) == 0
        first, second = (json.loads((f / "result.json").read_text()) for f in (run, tmp_path / "again"))
        assert first["metrics"] == second["metrics"]
        assert first["test_metrics"] == second["test_metrics"]

    def test_a_run_of_several_labels_again_from_its_folder(self, tmp_path: Path, cli: Cli) -> None:
        rows = [(f"{i}번 글", ["맛", "맛|값", "값"][i % 3]) for i in range(30)]
        corpus = tsv(tmp_path / "a.tsv", rows, header="본문\t주제")
        own = {"corpus": corpus, "text_column": "본문", "label_column": "주제", "label_separator": "|"}
        assert cli(*flags(tmp_path, **own)).code == 0
        config = tmp_path / "run" / "config.yaml"
        assert cli("train", "--config", config, "--output", tmp_path / "again").code == 0
        assert json.loads((tmp_path / "again" / "best" / "task.json").read_text())["labels"] == ["값", "맛"]

    def test_columns_of_a_file(self, tmp_path: Path, cli: Cli) -> None:
        content = "본문,분류\n" + "".join(f'"{text}, 끝",{label}\n' for text, label in ROWS)
        path = write_file(tmp_path / "a.csv", content.encode("cp949"))
        said = cli(*flags(tmp_path, corpus=path, limit_train=None, limit_eval=None))
        assert said.code == 0
        assert "read as CP949" in said.err
        result = json.loads((tmp_path / "run" / "result.json").read_text())
        assert (result["splits"]["train"]["examples"], result["splits"]["validation"]["examples"]) == (36, 4)

    def test_help_of_a_task_names_its_flags(self, capsys: pytest.CaptureFixture[str]) -> None:
        for task, flag, other in (("classification", "--long_text", "--stride"), ("ner", "--stride", "--long_text")):
            with pytest.raises(SystemExit) as done:
                main(["train", "--task", task, "--help"])
            assert done.value.code == 0
            shown = capsys.readouterr().out
            assert flag in shown
            assert other not in shown
            assert "Peak learning rate of AdamW." in shown


class TestEvaluate:
    def test_the_names_and_values_of_training(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        result = json.loads((run / "result.json").read_text())
        own = ["--corpus", "sample-sentiment", "--cache_dir", tmp_path / "cache", "--limit_eval", 24]
        for split, name in (("validation", "metrics"), ("test", "test_metrics")):
            said = cli("evaluate", run, *own, "--split", split, "--result", tmp_path / "r.json")
            assert said.code == 0, said.err
            measured = json.loads((tmp_path / "r.json").read_text())
            assert measured.keys() == result[name].keys()
            assert measured["confusion_matrix"] == result[name]["confusion_matrix"]
            assert measured["macro_f1"] == pytest.approx(result[name]["macro_f1"])
            assert "macro_f1" in said.out

    def test_the_test_split_by_default(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        said = cli(
            "evaluate",
            run / "best",
            "--corpus",
            "sample-sentiment",
            "--cache_dir",
            tmp_path,
            "--result",
            tmp_path / "r",
        )
        assert said.code == 0
        assert sum(map(sum, json.loads((tmp_path / "r").read_text())["confusion_matrix"]["matrix"])) == 120

    def test_a_file_of_ones_own(self, ner_run: Path, tmp_path: Path, cli: Cli) -> None:
        line = {
            "text": "김하늘은 부산에 갔다",
            "entities": [{"start": 0, "end": 3, "label": "PS"}, {"start": 5, "end": 7, "label": "LC"}],
        }
        path = write_file(tmp_path / "a.jsonl", json.dumps(line, ensure_ascii=False) + "\n" + json.dumps(line) + "\n")
        said = cli("evaluate", ner_run, "--corpus", path, "--cache_dir", tmp_path, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
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

    def test_the_rows_that_were_learnt_from(self, tmp_path: Path, cli: Cli) -> None:
        corpus = tsv(tmp_path / "a.tsv", ROWS)
        assert cli(*flags(tmp_path, corpus=corpus)).code == 0
        said = cli("evaluate", tmp_path / "run", "--corpus", corpus, "--cache_dir", tmp_path / "cache")
        assert said.code == 0
        assert "the model was trained on these rows" in said.err
        other = tsv(tmp_path / "b.tsv", ROWS[:10])
        said = cli("evaluate", tmp_path / "run", "--corpus", other, "--cache_dir", tmp_path / "cache")
        assert said.code == 0
        assert "the model was trained on these rows" not in said.err


def jsonl(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class TestPredict:
    TEXTS = ("국물이 진하고 맛있어요", "", "두 시간이 아까운 영화")

    def test_arguments(self, run: Path, cli: Cli) -> None:
        said = cli("predict", run, *self.TEXTS)
        assert said.code == 0
        rows = jsonl(said.out)
        assert [row["text"] for row in rows] == list(self.TEXTS)
        assert [row["label"] for row in rows] == [p.label for p in Predictor.from_pretrained(run)(list(self.TEXTS))]
        assert set(rows[0]["scores"]) == {"긍정", "부정"}
        assert "\\u" not in said.out  # Hangul as it is

    def test_entities(self, ner_run: Path, cli: Cli) -> None:
        text = "김하늘은 부산에 있는 한빛전자에 다닌다"
        (row,) = jsonl(cli("predict", ner_run, text).out)
        assert row["text"] == text
        assert row["entities"]
        for entity in row["entities"]:
            assert text[entity["start"] : entity["end"]] == entity["text"]
            assert 0 < entity["score"] <= 1

    def test_a_text_that_looks_like_a_flag(self, run: Path, cli: Cli) -> None:
        said = cli("predict", run, "--", "--;; 이게 뭐야", "-_- 별로")
        assert said.code == 0, said.err
        assert [row["text"] for row in jsonl(said.out)] == ["--;; 이게 뭐야", "-_- 별로"]

    @pytest.mark.parametrize("kind", ["txt", "csv", "tsv", "jsonl", "json", "parquet"])
    def test_files(self, run: Path, tmp_path: Path, cli: Cli, kind: str) -> None:
        path, texts = tmp_path / f"in.{kind}", list(self.TEXTS)
        if kind == "txt":
            write_file(path, "\n".join(texts) + "\n")
        elif kind == "csv":
            write_file(path, "id,text\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(texts)))
        elif kind == "tsv":
            write_file(path, "id\ttext\n" + "".join(f"{i}\t{text}\n" for i, text in enumerate(texts)))
        elif kind == "jsonl":
            write_file(path, "".join(json.dumps({"text": text}) + "\n" for text in texts))
        elif kind == "json":
            write_file(path, json.dumps([{"text": text} for text in texts]))
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({"text": texts}), path)
        said = cli("predict", run, "--input", path)
        assert said.code == 0, said.err
        assert [row["text"] for row in jsonl(said.out)] == texts

    def test_labels_in_the_file_are_not_looked_at(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.tsv", "text\tlabel\n좋아요\t0.5\n별로\t\n")
        assert [row["text"] for row in jsonl(cli("predict", run, "--input", path).out)] == ["좋아요", "별로"]

    @pytest.mark.parametrize("kind", ["jsonl", "csv"])
    def test_other_columns_go_along(self, run: Path, tmp_path: Path, cli: Cli, kind: str) -> None:
        """Numbers and right labels stand beside the predictions; of one name, the prediction has it."""
        path = write_file(tmp_path / "a.csv", "id,document,label\n7,좋아요,긍정\n9,별로,부정\n")
        out = tmp_path / f"out.{kind}"
        said = cli("predict", run, "--input", path, "--output", out)
        assert said.code == 0, said.err
        text = out.read_text(encoding="utf-8-sig")
        rows = jsonl(text) if kind == "jsonl" else list(csv.DictReader(io.StringIO(text)))
        assert [(row["id"], row["input_label"], row["text"]) for row in rows] == [
            ("7", "긍정", "좋아요"), ("9", "부정", "별로"),
        ]  # fmt: skip
        assert all(row["label"] in {"긍정", "부정"} for row in rows)

    def test_predictions_of_predictions(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        """The right labels outlive a second run, and a third."""
        path = write_file(tmp_path / "0.csv", "id,text,label\n7,별로,긍정\n")
        for i in range(3):
            said = cli("predict", run, "--input", path, "--output", path := tmp_path / f"{i + 1}.csv")
            assert said.code == 0, said.err
        (row,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        assert (row["id"], row["input_label"]) == ("7", "긍정")
        assert {"label", "input_input_label", "score", "input_score"} <= set(row)

    def test_columns_that_json_does_not_know(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        import datetime
        from decimal import Decimal

        import pyarrow as pa
        import pyarrow.parquet as pq

        day = datetime.date(2026, 11, 25)
        pq.write_table(
            pa.table({"text": ["좋아요"], "day": [day], "days": [[day]], "price": [Decimal("1.50")]}),
            tmp_path / "a.parquet",
        )
        (row,) = jsonl(cli("predict", run, "--input", tmp_path / "a.parquet").out)
        assert (row["day"], row["days"], row["price"]) == ("2026-11-25", ["2026-11-25"], "1.50")
        said = cli("predict", run, "--input", tmp_path / "a.parquet", "--output", tmp_path / "out.csv")
        assert said.code == 0, said.err

    def test_rows_of_other_columns_than_the_first_in_csv(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "좋아요", "id": 1}, {"text": "별로", "day": 2}]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        said = cli("predict", run, "--input", path, "--output", tmp_path / "out.csv")
        assert said.code == 0
        assert re.search(r"row 2 has columns .*: day; .*\.jsonl", said.err)
        read = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8-sig"))))
        assert [(row["text"], row["id"]) for row in read] == [("좋아요", "1"), ("별로", "")]

    def test_a_named_column(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.csv", "글,댓글\n하나,둘\n셋,넷\n")
        said = cli("predict", run, "--input", path, "--text_column", "댓글")
        assert [row["text"] for row in jsonl(said.out)] == ["둘", "넷"]

    def test_standard_input(self, run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("좋아요\n\n별로\r\n끝"))
        said = cli("predict", run)
        assert said.code == 0
        assert [row["text"] for row in jsonl(said.out)] == ["좋아요", "", "별로", "끝"]

    def test_no_input_at_all(self, run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        said = cli("predict", run)
        assert (said.code, said.out) == (0, "")

    def test_a_jsonl_file(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        said = cli("predict", run, *self.TEXTS, "--output", tmp_path / "new" / "out.jsonl")
        assert (said.code, said.out) == (0, "")
        assert [row["text"] for row in jsonl((tmp_path / "new" / "out.jsonl").read_text())] == list(self.TEXTS)

    def test_a_csv_file_that_excel_opens(self, run: Path, ner_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = tmp_path / "out.csv"
        texts = ['쉼표, 그리고 "따옴표"', "=1+1", "좋아요"]
        assert cli("predict", run, *texts, "--output", path).code == 0
        assert path.read_bytes().startswith(b"\xef\xbb\xbftext,label,score")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["text"] for row in rows] == texts
        assert 0.5 <= float(rows[0]["score"]) <= 1
        assert set(json.loads(rows[0]["scores"])) == {"긍정", "부정"}
        assert cli("predict", ner_run, "김하늘은 부산에", "--output", path).code == 0
        with path.open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert isinstance(json.loads(row["entities"]), list)

    def test_csv_of_nothing_has_a_header_or_is_empty(
        self, run: Path, tmp_path: Path, cli: Cli, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert cli("predict", run, "--output", tmp_path / "out.csv").code == 0
        assert len((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()) <= 1

    def test_a_table(self, run: Path, ner_run: Path, cli: Cli) -> None:
        said = cli("predict", run, "좋아요 [bold]", "--show", "table")
        assert said.code == 0
        assert "좋아요 [bold]" in said.out  # markup of the table library is text here
        assert re.search(r"(긍정|부정) 0\.\d{3}", said.out)
        assert cli("predict", ner_run, "김하늘은 부산에", "--show", "table").code == 0

    def test_the_output_may_not_be_the_input(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.jsonl", '{"text": "좋아요"}\n{"text": "별로"}\n')
        before = path.read_bytes()
        (tmp_path / "link.jsonl").symlink_to(path)
        for output in (path, tmp_path / "link.jsonl"):
            check_message(cli("predict", run, "--input", path, "--output", output), "written over the input")
            assert path.read_bytes() == before

    @pytest.mark.parametrize("name", ["out.xlsx", "out", "out.txt"])
    def test_an_unknown_kind_of_output(self, run: Path, tmp_path: Path, cli: Cli, name: str) -> None:
        said = cli("predict", run, "좋아요", "--output", tmp_path / name)
        check_message(said, "--output", "FILE.jsonl or FILE.csv")
        assert not (tmp_path / name).exists()

    def test_an_unknown_way_to_show(self, run: Path, cli: Cli) -> None:
        check_message(cli("predict", run, "좋아요", "--show", "josnl"), "did you mean 'jsonl'")

    @pytest.mark.slow
    def test_bytes_of_standard_input(self, run: Path) -> None:
        cases = ["좋아요\n\n😀\n".encode(), "\ufeff좋아요\n".encode(), "좋아요\n".encode("cp949")]
        code = (
            "import io, json, sys\nfrom ratsnlp_like.cli import main\n"
            f"for content in {cases!r}:\n"
            "    sys.stdin = io.TextIOWrapper(io.BytesIO(content), encoding='utf-8')\n"
            "    print('CODE', main(['predict', sys.argv[1]]), flush=True)\n"
        )
        done = python(code, run)
        assert "Traceback" not in done.stderr
        first, second, third, _ = re.split(r"CODE \d+\n", done.stdout)
        assert [row["text"] for row in jsonl(first)] == ["좋아요", "", "😀"]
        assert [row["text"] for row in jsonl(second)] == ["좋아요"]
        assert third == ""
        assert re.findall(r"CODE (\d+)", done.stdout) == ["0", "0", "2"]
        assert "UTF-8" in done.stderr


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

    @pytest.mark.parametrize("count", [1, 3])
    def test_candidates(self, blanks_run: Path, cli: Cli, count: int) -> None:
        said = cli("predict", blanks_run, self.TEXT, "--candidates", count)
        assert said.code == 0, said.err
        (row,) = jsonl(said.out)
        assert [len(blank) for blank in row["candidates"]] == [count]
        assert row["filled"] == self.TEXT.replace("[MASK]", row["candidates"][0][0]["token"]).replace(" ##", "")

    def test_what_was_trained_is_the_default(self, blanks_run: Path, cli: Cli) -> None:
        (row,) = jsonl(cli("predict", blanks_run, self.TEXT).out)
        assert len(row["candidates"][0]) == 5

    def test_threshold(self, topics_run: Path, cli: Cli) -> None:
        (few,) = jsonl(cli("predict", topics_run, "좋아요", "--threshold", "0.99").out)
        (many,) = jsonl(cli("predict", topics_run, "좋아요", "--threshold", "0.01").out)
        assert (few["label"], many["label"]) == ([], ["가", "나"])
        assert few["scores"] == many["scores"]

    def test_bad_values(self, blanks_run: Path, topics_run: Path, cli: Cli) -> None:
        check_message(cli("predict", blanks_run, self.TEXT, "--candidates", "0"), "--candidates", "at least 1")
        check_message(cli("predict", blanks_run, self.TEXT, "--candidates", "many"), "candidates", "many")
        check_message(cli("predict", topics_run, "좋아요", "--threshold", "2"), "--threshold")

    def test_evaluation_takes_them_too(self, topics_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.jsonl", '{"text": "좋아요", "label": ["가", "나"]}\n')
        for threshold, reached in (("0.01", 1.0), ("0.99", 0.0)):
            said = cli(
                "evaluate", topics_run, "--corpus", path, "--threshold", threshold, "--result", tmp_path / "r.json"
            )
            assert said.code == 0, said.err
            assert json.loads((tmp_path / "r.json").read_text())["micro_f1"] == reached
        check_message(cli("evaluate", topics_run, "--corpus", path, "--threshold", "2"), "--threshold")

    def test_what_was_learnt_cannot_be_asked_for(self, blanks_run: Path, cli: Cli) -> None:
        check_message(cli("predict", blanks_run, self.TEXT, "--mask_share", "0.5"), "mask_share")
        check_message(cli("predict", blanks_run, self.TEXT, "--top_k", "5"), "top_k")

    def test_nothing_to_fill_in(self, blanks_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", f"{self.TEXT}\n빈칸이 없다\n")
        check_message(cli("predict", blanks_run, "--input", path), f"{path}, line 2", "빈칸이 없다", "[MASK]")

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
        assert "threshold" in str(caught.value)


class TestTokenizer:
    SIZE = ("--kind", "bpe", "--vocab_size", "600")

    def test_train(self, tmp_path: Path, cli: Cli) -> None:
        said = cli("tokenizer", "train", "sample-raw", "--output", tmp_path / "made", *self.SIZE)
        assert said.code == 0, said.err
        assert "bpe of 600 tokens" in said.out
        files = {path.name for path in (tmp_path / "made").iterdir()}
        assert {"tokenizer.json", "tokenizer_config.json", "config.json"} <= files
        # the line that it prints is a command that works
        (line,) = [line for line in said.out.splitlines() if line.startswith("pretrain with it: ")]
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
        said = cli(*arguments, "--vocab_size", "60", "--output", tmp_path / "made")
        assert said.code == 0, said.err
        assert "--task masked-lm" in said.out

    def test_compare(self, tmp_path: Path, cli: Cli) -> None:
        result = tmp_path / "new" / "result.json"
        assert cli("tokenizer", "train", "sample-raw", "--output", tmp_path / "made", *self.SIZE).code == 0
        arguments = ("tokenizer", "compare", "sample-sentiment", CHECKPOINT, tmp_path / "made")
        said = cli(*arguments, "--limit", 50, "--result", result)
        assert said.code == 0, said.err
        found = json.loads(result.read_text())
        assert list(found) == [CHECKPOINT, str(tmp_path / "made")]
        assert found[str(tmp_path / "made")]["vocabulary"] == 600
        assert found[str(tmp_path / "made")]["unknown_share"] == 0
        assert CHECKPOINT in said.out
        assert "600" in said.out

    @pytest.mark.parametrize(
        ("arguments", "parts"),
        [
            (("trian",), ("unknown command 'trian'", "did you mean 'train'")),
            (("train", "sample-raw"), ("missing: --output",)),
            (("train", "sample-row", "--output", "{}/x"), ("unknown corpus 'sample-row'", "sample-raw")),
            (("train", "sample-raw", "--output", "{}"), ("exists and is not empty",)),
            (("train", "sample-raw", "--output", "{}/x", "--vocab_size", "5"), ("--vocab_size", "more than 5")),
            (("train", "sample-raw", "--output", "{}/x", "--vocab_size", "90000"), ("the text gives a vocabulary",)),
            (("train", "sample-raw", "--output", "{}/x", "--kind", "bpo"), ("kind", "bpo")),
            (("train", "sample-raw", "--output", "{}/x", "--character_coverage", "2"), ("--character_coverage",)),
            (("train", "{}/none.txt", "--output", "{}/x"), ("none.txt",)),
            (("compare", "sample-raw"), ("missing: the checkpoints to compare",)),
            (("compare", "sample-raw", CHECKPOINT, "--limit", "0"), ("--limit", "at least 1")),
            (("compare", "sample-raw", "ko-blank-brt"), ("ko-blank-brt", CHECKPOINT)),
            (("compare", "sample-raw", CHECKPOINT, "--result", "{}"), ("is a folder",)),
        ],
        ids=str,
    )
    def test_errors(self, arguments: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path, cli: Cli) -> None:
        write_file(tmp_path / "something", "mine")
        said = cli("tokenizer", *(argument.format(tmp_path) for argument in arguments))
        check_message(said, *parts)
        assert [path.name for path in tmp_path.iterdir()] == ["something"]

    def test_usage(self, cli: Cli) -> None:
        for arguments in ((), ("--help",)):
            said = cli("tokenizer", *arguments)
            assert said.code == 0
            assert "tokenizer train CORPUS" in said.out
            assert "tokenizer compare CORPUS CHECKPOINT" in said.out


class TestInspect:
    @pytest.fixture
    def nsmc(self, tmp_path: Path) -> Path:
        train = [("좋아요", 1), ("좋아요", 1), ("좋아요", 0), ("", 0), ("별로", 0), ("🦄 새로운 영화🦄", 1)]
        test = [("좋아요", 1), ("좋아요", 0), ("처음", 0)]
        for name, rows in (("train", train), ("test", test)):
            lines = "".join(f"{i}\t{text}\t{label}\n" for i, (text, label) in enumerate(rows))
            write_file(tmp_path / "nsmc" / f"ratings_{name}.txt", "id\tdocument\tlabel\n" + lines)
        return tmp_path

    def test_by_hand(self, nsmc: Path, cli: Cli) -> None:
        said = cli("inspect", "nsmc", "--corpus_root", nsmc, "--result", nsmc / "r.json")
        assert said.code == 0, said.err
        found = json.loads((nsmc / "r.json").read_text())
        train, test = found["splits"]["train"], found["splits"]["test"]
        assert train == {
            "rows": 6,
            "empty": 1,
            "unlabelled": 0,
            "distinct": 4,
            "repeated": 2,
            "with_two_labels": 1,
            "with_two_labels_examples": ["좋아요"],
            "labels": {"negative": {"count": 3, "share": 0.5}, "positive": {"count": 3, "share": 0.5}},
            "characters": {"p50": 3, "p90": 9, "p99": 9, "max": 9},  # of 0 2 3 3 3 9
        }
        assert (test["rows"], test["distinct"], test["repeated"], test["with_two_labels"]) == (3, 2, 1, 1)
        assert test["labels"]["negative"] == {"count": 2, "share": 0.6667}
        assert found["overlap"] == {"test in train": {"texts": 1, "rows": 2}}
        assert "test in train: 1 texts, 2 rows" in said.out
        assert "two labels in train: 좋아요" in said.out

    def test_tokens(self, nsmc: Path, cli: Cli) -> None:
        said = cli("inspect", "nsmc", "--corpus_root", nsmc, "--checkpoint", CHECKPOINT, "--result", nsmc / "r.json")
        assert said.code == 0, said.err
        found = json.loads((nsmc / "r.json").read_text())
        assert found["checkpoint"]["positions"] == 512
        train = found["tokens"]["train"]
        assert train["unknown_characters"] == {"🦄": 2}
        assert train["unknown_tokens"] == 2
        assert train["truncated"]["32"] == 0
        assert train["oracle"]["metrics"]["accuracy"] == 1

    def test_what_would_be_truncated(self, tmp_path: Path, cli: Cli) -> None:
        path = tsv(
            tmp_path / "a.tsv", [("가 " * 100, "긍정"), ("가", "부정"), ("가 " * 31, "긍정"), ("가 " * 30, "부정")]
        )
        cli("inspect", path, "--checkpoint", CHECKPOINT, "--max_length", 103, "--result", tmp_path / "r.json")
        (found,) = json.loads((tmp_path / "r.json").read_text())["tokens"].values()
        assert found["tokens"] == {"p50": 33, "p90": 102, "p99": 102, "max": 102}  # 3 32 33 102
        assert [found["truncated"][n] for n in ("32", "64", "103", "512")] == [0.5, 0.25, 0, 0]

    def test_entities_that_tokens_cannot_express(self, tmp_path: Path, cli: Cli) -> None:
        from helpers import tokenizer

        word = next(w for w in ("그는", "나는", "우리는", "오늘은", "저는") if len(tokenizer().tokenize(w)) == 1)
        line = {"text": f"{word} 갔다", "entities": [[0, len(word) - 1, "PS"]]}
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for _ in range(3)))
        own = ["--task", "ner", "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json"]
        said = cli("inspect", path, *own)
        assert said.code == 0, said.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["inexpressible"] + round(3 * oracle["metrics"]["entity_recall"]) == 3
        assert "a perfect model would reach" in said.out

    def test_a_bundled_ner_corpus(self, tmp_path: Path, cli: Cli) -> None:
        said = cli("inspect", "sample-ner", "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
        found = json.loads((tmp_path / "r.json").read_text())
        assert found["task"] == "ner"
        assert {name: split["rows"] for name, split in found["splits"].items()} == {
            "train": 280, "validation": 40, "test": 60,
        }  # fmt: skip
        assert 0.5 < found["tokens"]["test"]["oracle"]["metrics"]["entity_f1"] <= 1

    def test_a_folder(self, tmp_path: Path, cli: Cli) -> None:
        for split in ("train", "test"):
            write_file(tmp_path / "own" / f"{split}.tsv", "text\tlabel\n좋다\t긍정\n싫다\t부정\n")
        said = cli("inspect", tmp_path / "own")
        assert said.code == 0, said.err
        assert "as classification" in said.out

    def test_a_file_without_labels(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", "좋아요\n\n좋아요\n")
        assert cli("inspect", path, "--result", tmp_path / "r.json").code == 0
        found = json.loads((tmp_path / "r.json").read_text())
        split = found["splits"]["train"]
        assert found["task"] == "masked-lm"
        assert (split["rows"], split["empty"], split["unlabelled"], split["distinct"]) == (3, 1, 0, 2)

    @pytest.mark.parametrize(
        ("row", "task"),
        [
            ({"text": "가", "label": "나"}, "classification"),
            ({"document": "가", "id": 1}, "masked-lm"),
            ({"text": "가", "entities": []}, "ner"),
            ({"sentence1": "가", "sentence2": "나", "label": 1}, "pair"),
            ({"premise": "가", "hypothesis": "나", "gold_label": "neutral"}, "pair"),
            ({"sentence1": "가", "sentence2": "나", "score": 3}, "similarity"),
            ({"sentence1": "가", "sentence2": "나", "labels": {"label": 3.7, "binary-label": 1}}, "similarity"),
            ({"sentence1": "가", "sentence2": "나", "label": "3.7"}, "similarity"),
            (
                {"question": "가", "context": "나 다", "answers": [{"text": "나", "answer_start": 0}]},
                "question-answering",
            ),
            ({"query": "가", "document": "나", "label": 1}, "classification"),
            ({"질문": "가", "본문": "나", "정답": "나"}, "question-answering"),
            ({"instruction": "가", "output": "나"}, "generation"),
            ({"Q": "가", "A": "나", "label": 0}, "generation"),
            ({"messages": [{"role": "user", "content": "가"}]}, "generation"),
        ],
    )
    def test_what_a_file_is_made_for(self, tmp_path: Path, row: dict[str, Any], task: str) -> None:
        path = write_file(tmp_path / "a.jsonl", 2 * (json.dumps(row) + "\n"))
        assert infer_task(str(path), Options()) == task

    def test_columns_that_were_named_count(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.csv", "문의내용,담당부서\n환불해 주세요,재무\n로그인이 안 돼요,기술\n")
        named = ["--text_column", "문의내용", "--label_column", "담당부서"]
        said = cli("inspect", path, *named, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
        found = json.loads((tmp_path / "r.json").read_text())
        assert found["task"] == "classification"
        assert set(found["splits"]["train"]["labels"]) == {"재무", "기술"}

    def test_a_split_without_labels_beside_one_of_several(self, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "가", "label": ["a", "b"]}, {"text": "나", "label": ["a"]}]
        write_file(tmp_path / "own" / "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        write_file(tmp_path / "own" / "test.jsonl", '{"text": "다"}\n{"text": "라"}\n')
        said = cli("inspect", tmp_path / "own", "--checkpoint", CHECKPOINT)
        assert said.code == 0, said.err

    def test_questions_without_an_answer_are_no_flaw_of_the_tokens(self, tmp_path: Path, cli: Cli) -> None:
        rows = [
            {"question": "뭐야?", "context": "가 나", "answers": [{"text": "나", "answer_start": 2}]},
            {"question": "뭐야?", "context": "가 나", "answers": []},
        ]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        said = cli("inspect", path, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["metrics"]["klue_mrc_em"] == 1

    def test_texts_of_several_labels(self, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "가", "label": ["a", "b"]}, {"text": "나", "label": ["a"]}]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        said = cli("inspect", path, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["metrics"]["micro_f1"] == 1

    def test_a_broken_file(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.tsv", HEADER + "좋아요\t긍정\n별로\n맛있다\t긍정\n")
        check_message(cli("inspect", path), f"{path}, line 3")

    @pytest.mark.slow
    @pytest.mark.skipif(not (DATA / "korpora" / "nsmc").is_dir(), reason=f"NSMC is not in {DATA}")
    def test_nsmc(self, tmp_path: Path, cli: Cli) -> None:
        """The numbers that shared/data/README.md states."""
        start = time.perf_counter()
        said = cli("inspect", "nsmc", "--corpus_root", DATA / "korpora", "--result", tmp_path / "r.json")
        assert said.code == 0
        assert time.perf_counter() - start < 60
        found = json.loads((tmp_path / "r.json").read_text())
        train, test = found["splits"]["train"], found["splits"]["test"]
        assert (train["rows"], test["rows"]) == (150_000, 50_000)
        assert (train["empty"], test["empty"]) == (6, 1)
        assert (train["distinct"], test["distinct"]) == (146_153, 49_113)
        assert {name: row["count"] for name, row in train["labels"].items()} == {"negative": 75_001, "positive": 74_999}
        assert {name: row["count"] for name, row in test["labels"].items()} == {"negative": 24_999, "positive": 25_001}
        assert found["overlap"] == {"test in train": {"texts": 846, "rows": 1_664}}


class TestList:
    @pytest.mark.parametrize(
        ("what", "names"),
        [
            (
                "corpora",
                ["nsmc", "korean-hate-speech", "klue-ner", "sample-sentiment", "sample-ner", "FILE", "OWNER/NAME"],
            ),
            ("tasks", ["classification", "ner"]),
            ("checkpoints", ["ko-blank-bert", "OWNER/NAME"]),
            ("formats", ["csv", "tsv", "jsonl", "parquet", "conll", "klue-ner", "book-ner", "text"]),
        ],
    )
    def test_names(self, cli: Cli, what: str, names: list[str]) -> None:
        said = cli("list", what)
        assert said.code == 0
        first = [line.split()[0] for line in said.out.splitlines()]
        assert set(names) <= set(first)
        assert all(len(line.split()) > 1 for line in said.out.splitlines())  # each with a description

    def test_bad_kinds(self, cli: Cli) -> None:
        check_message(cli("list", "corpra"), "cannot list 'corpra'", "did you mean 'corpora'")
        check_message(cli("list"), "missing: what to list")


# Processes -----------------------------------------------------------------------------------------------------------


class TestProcess:
    def test_help_is_quick(self) -> None:
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            done = command(["--help"])
            seconds.append(time.perf_counter() - start)
            assert done.returncode == 0
            assert "usage: ratsnlp-like COMMAND" in done.stdout
        assert min(seconds) < 0.5

    @pytest.mark.parametrize("arguments", [["--help"], ["train", "--task", "ner", "--help"], ["list", "corpora"]])
    def test_torch_is_not_imported(self, arguments: list[str]) -> None:
        code = (
            "import sys\nfrom ratsnlp_like.cli import main\n"
            f"try:\n    main({arguments!r})\nexcept SystemExit:\n    pass\n"
            "print([n for n in ('torch', 'transformers', 'pytorch_lightning', 'datasets') if n in sys.modules])"
        )
        assert python(code).stdout.splitlines()[-1] == "[]"

    def test_no_command_and_versions(self, cli: Cli) -> None:
        from ratsnlp_like import __version__

        assert "usage: ratsnlp-like" in cli().out
        assert cli("--version").out == f"{__version__}\n"

    def test_a_defect_has_its_traceback_and_exit_code_1(self) -> None:
        code = (
            "import sys\nfrom ratsnlp_like import cli\n"
            "def broken(arguments): raise ZeroDivisionError('a defect')\n"
            "cli._COMMANDS['list'] = broken\nsys.exit(cli.main(['list']))"
        )
        done = python(code)
        assert done.returncode == 1
        assert "ZeroDivisionError: a defect" in done.stderr

    def test_a_loss_that_is_no_number(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        from ratsnlp_like.tasks.classification import Classification

        loss = Classification.loss
        monkeypatch.setattr(Classification, "loss", lambda *arguments: loss(*arguments) * float("nan"))
        said = cli(*flags(tmp_path, corpus=tsv(tmp_path / "a.tsv", ROWS)))
        assert said.code == 1
        assert "training stopped: the loss is nan at step 0" in said.err
        assert f"{tmp_path / 'a.tsv'}, line " in said.err

    @pytest.mark.slow
    def test_a_bad_input_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.tsv", HEADER + "좋아요\t긍정\n별로\n또\t긍정\n")
        done = command(flags(tmp_path, corpus=path))
        check_message(Said(done.returncode, done.stdout, done.stderr), f"{path}, line 3")
        assert done.stderr.startswith("error: ")
        assert not (tmp_path / "run").exists()

    @pytest.mark.slow
    def test_ctrl_c(self, tmp_path: Path, cli: Cli) -> None:
        process = subprocess.Popen(
            [*COMMAND, *flags(tmp_path, epochs=2000, schedule="constant")],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60
            while not (tmp_path / "run" / "resume.ckpt").exists() and time.monotonic() < until:
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
        assert process.returncode == 130, err
        assert "Traceback" not in err
        (line,) = [line for line in err.splitlines() if line.startswith("interrupted: ")]
        step = int(re.search(r"stopped at step (\d+); go on with: ratsnlp-like (.+)", line)[1])  # type: ignore[index]
        again = line.split("go on with: ratsnlp-like ")[1].split()
        assert again == [
            "train",
            "--output",
            str(tmp_path / "run"),
            "--resume",
        ]

        said = cli(*again, "--epochs", step // 6 + 2, "--result", tmp_path / "r.json")
        assert said.code == 0, said.err
        assert json.loads((tmp_path / "r.json").read_text())["steps"] == (step // 6 + 2) * 6

    @pytest.mark.slow
    def test_a_reader_that_has_seen_enough(self, run: Path, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.txt", "좋아요\n" * 20_000)
        process = subprocess.Popen(
            [*COMMAND, "predict", str(run), "--input", str(path)],
            env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        first = json.loads(process.stdout.readline())
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert first["text"] == "좋아요"
        assert process.wait(60) == 0
        assert "Traceback" not in err
        assert "BrokenPipe" not in err


def test_the_console_command_is_installed() -> None:
    import shutil

    assert shutil.which("ratsnlp-like", path=str(Path(sys.executable).parent))


class TestFirstUse:
    """What a first user stumbled over, once."""

    def test_lists_are_written_with_commas(self, tmp_path: Path, cli: Cli) -> None:
        said = cli(*flags(tmp_path), "--normalization", "nfc,urls", "--class_weights=1,2", "--logger", "tensorboard")
        assert said.code == 0, said.err
        config = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
        assert (config["normalization"], config["class_weights"]) == (["nfc", "urls"], [1.0, 2.0])
        assert list((tmp_path / "run" / "tensorboard").rglob("events.*"))

    @pytest.mark.parametrize(
        ("flag", "value", "expected"),
        [
            ("--epochs", "x", "a whole number"),
            ("--learning_rate", "fast", "a number"),
            ("--schedule", "lin", "linear | cosine | constant"),
            ("--max_steps", "x", "a whole number or nothing"),
            ("--logger", "paper", "a list of tensorboard | wandb | mlflow"),
            ("--class_weights", "1,-2", "no number below 0"),
            ("--config_overrides", '{"vocab_size": 3}', "settings that the data do not decide"),
        ],
    )
    def test_values_are_expected_in_words(self, tmp_path: Path, cli: Cli, flag: str, value: str, expected: str) -> None:
        said = cli(*flags(tmp_path), flag, value)
        assert said.code == 2
        assert f"error: {flag}: " in said.err
        assert f"expected: {expected}" in said.err

    def test_a_missing_logger_is_told_before_the_work(self, tmp_path: Path, cli: Cli) -> None:
        said = cli(*flags(tmp_path), "--logger", "mlflow")
        assert (said.code, said.err.splitlines()) == (
            2,
            ["error: --logger: the package mlflow is not installed", "  fix: pip install mlflow"],
        )

    def test_evaluate_says_what_it_measures(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(
            tmp_path / "hate.tsv", "말\t하나\t둘\n" + "".join(f"말 {i}\t{i % 2}\t{i % 3}\n" for i in range(30))
        )
        own = ("--text_column", "말", "--label_column", "둘")
        assert cli(*flags(tmp_path, corpus=path), *own).code == 0
        said = cli("evaluate", tmp_path / "run", "--corpus", path, "--cache_dir", tmp_path / "cache")
        assert said.code == 0, said.err  # the columns it was trained on are meant
        assert "the model was trained on these rows" in said.err
        assert f"measured on {path}, the whole file: 30 examples" in said.err

    def test_predict_says_what_it_cuts(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        said = cli("predict", tmp_path / "run", "짧은 글", "아주 긴 글 " * 100)
        assert "1 texts are longer than" in said.err
        assert "longer than" not in cli("predict", tmp_path / "run", "짧은 글").err

    def test_output_and_resume_are_enough_to_go_on(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        (tmp_path / "run" / "result.json").unlink()
        said = cli("train", "--output", tmp_path / "run", "--resume")
        assert said.code == 0, said.err
        assert (tmp_path / "run" / "result.json").exists()

    def test_others_can_read_the_model(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "run" / "best").iterdir()}
        assert len(set(modes.values())) == 1, modes

    def test_bytes_that_are_no_text(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        done = subprocess.run(
            [*COMMAND, "predict", str(tmp_path / "run")],
            input="좋아요\n".encode("cp949"),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2
        assert b"error: standard input: not UTF-8" in done.stderr
        assert b"Traceback" not in done.stderr

    def test_python_is_checked_as_the_command_line_is(self) -> None:
        for wrong in ({"epochs": "1"}, {"epochs": 1.5}, {"seed": None}, {"schedule": "lin"}, {"corpus": [1]}):
            with pytest.raises(InputError):
                fine_tune(**{"task": "classification", "corpus": "sample-sentiment", "checkpoint": CHECKPOINT, **wrong})

    def test_a_file_in_the_layout_of_a_registered_corpus(self, tmp_path: Path, cli: Cli) -> None:
        rows = "".join(f"{i}\t{'좋아요' if i % 2 else '별로예요'} {i}\t{i % 2}\n" for i in range(40))
        for split in ("train", "test"):
            write_file(tmp_path / "nsmc" / f"ratings_{split}.txt", f"id\tdocument\tlabel\n{rows}")
        test = tmp_path / "nsmc" / "ratings_test.txt"
        said = cli(*flags(tmp_path, corpus="nsmc", eval_corpus=test), "--corpus_root", tmp_path)
        assert said.code == 0, said.err
        result = tmp_path / "result.json"
        own = ("--cache_dir", tmp_path / "cache", "--result", result)
        assert cli("evaluate", tmp_path / "run", "--corpus", test, *own).code == 0
        assert json.loads(result.read_text())["confusion_matrix"]["labels"] == ["negative", "positive"]
