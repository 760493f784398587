"""`ratsnlp-like train`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from helpers import (
    CHECKPOINT,
    TINY,
    environment,
    flags,
    largest_difference,
    python,
    tsv,
    weights,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli

from ratsnlp_like.cli.main import main, with_underscores
from ratsnlp_like.errors import InputError
from ratsnlp_like.training.finetune import fine_tune


class TestTrain:
    def test_result(self, run: Path) -> None:
        result = json.loads((run.parent / "result.json").read_text())
        assert {
            "output", "best", "metrics", "test_metrics", "steps", "examples", "tokens", "train_seconds",
            "examples_per_second", "evaluation_seconds", "peak_memory_mb", "splits", "precision",
            "peak_memory_by_phase_mb",
        } <= result.keys()  # fmt: skip
        assert (result["steps"], result["examples"]) == (40, 320)
        assert result["tokens"] == 2 * result["splits"]["train"]["tokens"]
        assert {"accuracy", "macro_f1", "micro_f1", "weighted_f1", "per_class", "confusion_matrix", "loss"} <= result[
            "metrics"
        ].keys()
        assert sum(map(sum, result["test_metrics"]["confusion_matrix"]["matrix"])) == 24
        assert result == json.loads((run / "result.json").read_text())
        assert result["output"] == str(run)

    @pytest.mark.slow
    def test_what_it_prints(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(*flags(tmp_path))
        assert outcome.code == 0
        assert re.search(r"metric +validation +test", outcome.out)
        assert re.search(r"macro_f1 +0\.\d{4} \[.*\] +0\.\d{4} \[", outcome.out)
        assert "6 steps, 48 examples" in outcome.out
        assert f"model: {tmp_path / 'run' / 'best'}" in outcome.out
        assert "train: 48 examples" in outcome.err

    @pytest.mark.slow
    def test_hyphens(self, tmp_path: Path, cli: Cli) -> None:
        hyphened = [f.replace("_", "-") if f.startswith("--") else f for f in flags(tmp_path, label_column="label")]
        assert "--batch-size" in hyphened
        assert "--label-column" in hyphened
        assert cli(*hyphened).code == 0
        assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["batch_size"] == 8

    def test_hyphens_of_names_alone(self) -> None:
        given = ["--label-column=내-열", "--text-column", "두-열", "-x", "--", "--no-flag"]
        assert with_underscores(given) == ["--label_column=내-열", "--text_column", "두-열", "-x", "--", "--no-flag"]

    @pytest.mark.slow
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

    @pytest.mark.slow
    def test_flags_win_over_the_file(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "c.yaml", "task: classification\nseed: 3\nbatch_size: 16\n")
        own = flags(tmp_path, task=None, seed=None)
        assert cli("train", "--config", path, *own[1:]).code == 0
        ran = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
        assert (ran["seed"], ran["batch_size"]) == (3, 8)

    @pytest.mark.slow
    def test_a_run_again_from_its_folder(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        assert cli("train", "--config", run / "config.yaml", "--output", tmp_path / "again").code == 0
        assert largest_difference(weights(tmp_path / "again" / "best"), weights(run / "best")) == 0
        first, second = (json.loads((f / "result.json").read_text()) for f in (run, tmp_path / "again"))
        assert first["metrics"] == second["metrics"]
        assert first["test_metrics"] == second["test_metrics"]

    @pytest.mark.slow
    def test_a_run_of_several_labels_again_from_its_folder(self, tmp_path: Path, cli: Cli) -> None:
        rows = [(f"{i}번 글", ["맛", "맛|값", "값"][i % 3]) for i in range(30)]
        corpus = tsv(tmp_path / "a.tsv", rows, header="본문\t주제")
        own = {"corpus": corpus, "text_column": "본문", "label_column": "주제", "label_separator": "|"}
        assert cli(*flags(tmp_path, **own)).code == 0
        config = tmp_path / "run" / "config.yaml"
        assert cli("train", "--config", config, "--output", tmp_path / "again").code == 0
        assert json.loads((tmp_path / "again" / "best" / "task.json").read_text())["labels"] == ["값", "맛"]

    @pytest.mark.slow
    def test_columns_of_a_file(self, tmp_path: Path, cli: Cli) -> None:
        content = "본문,분류\n" + "".join(f'"{text}, 끝",{label}\n' for text, label in ROWS)
        path = write_file(tmp_path / "a.csv", content.encode("cp949"))
        outcome = cli(*flags(tmp_path, corpus=path, limit_train=None, limit_eval=None))
        assert outcome.code == 0
        assert "read as CP949" in outcome.err
        result = json.loads((tmp_path / "run" / "result.json").read_text())
        assert (result["splits"]["train"]["examples"], result["splits"]["validation"]["examples"]) == (36, 4)

    @pytest.mark.slow
    def test_help_without_a_task_has_the_columns_of_all(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["train", "--help"])
        shown = capsys.readouterr().out
        assert {"--text_column", "--label_column", "--context_column"} <= set(re.findall(r"--\w+_column", shown))

    @pytest.mark.slow
    def test_configuration_is_read_as_utf8(self, tmp_path: Path) -> None:
        """Python warns where a file is opened in the encoding of the locale, which is CP949 on a Korean Windows."""
        path = write_file(tmp_path / "c.yaml", "task: classification\ntext_column: 본문\n")
        code = "import sys; from ratsnlp_like.cli import main; main([*sys.argv[1:], '--print_config'])"
        environ = environment(PYTHONWARNDEFAULTENCODING="1", PYTHONIOENCODING="utf-8")
        done = python(code, "train", "--config", path, env=environ)
        assert "text_column: 본문" in done.stdout
        assert "EncodingWarning" not in done.stderr

    @pytest.mark.slow
    def test_help_of_a_task_names_its_flags(self, capsys: pytest.CaptureFixture[str]) -> None:
        for task, flag, other in (("classification", "--long_text", "--stride"), ("ner", "--stride", "--long_text")):
            with pytest.raises(SystemExit) as done:
                main(["train", "--task", task, "--help"])
            assert done.value.code == 0
            shown = capsys.readouterr().out
            assert flag in shown
            assert other not in shown
            assert "Peak learning rate of AdamW." in shown


class TestOptions:
    @pytest.mark.slow
    def test_lists_are_written_with_commas(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(
            *flags(tmp_path), "--normalization", "nfc,urls", "--class_weights=1,2", "--loggers", "tensorboard"
        )
        assert outcome.code == 0, outcome.err
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
            ("--class_weights", "1,-2", "no number below 0"),
            ("--config_overrides", '{"vocab_size": 3}', "settings that do not follow from the data"),
        ],
    )
    def test_values_are_expected_in_words(self, tmp_path: Path, cli: Cli, flag: str, value: str, expected: str) -> None:
        outcome = cli(*flags(tmp_path), flag, value)
        assert outcome.code == 2
        assert f"error: {flag}: " in outcome.err
        assert f"expected: {expected}" in outcome.err

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("flag", "known"),
        [("--loggers", "known: mlflow, tensorboard, wandb"), ("--metrics", "absolute_error, matthews")],
    )
    def test_unknown_names(self, tmp_path: Path, cli: Cli, flag: str, known: str) -> None:
        outcome = cli(*flags(tmp_path), flag, "nosuch")
        assert outcome.code == 2
        assert f"error: {flag}: unknown" in outcome.err
        assert known in outcome.err

    @pytest.mark.slow
    def test_an_unknown_monitor(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(*flags(tmp_path), "--monitor", "macro_f2")
        assert outcome.code == 2
        assert "error: --monitor: unknown metric 'macro_f2'" in outcome.err
        assert "did you mean 'macro_f1'" in outcome.err
        assert not (tmp_path / "run").exists()

    @pytest.mark.slow
    def test_metrics_by_name(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(*flags(tmp_path), "--metrics", "matthews", "--monitor", "matthews")
        assert outcome.code == 0, outcome.err
        assert "matthews" in json.loads((tmp_path / "run" / "result.json").read_text())["metrics"]

    @pytest.mark.slow
    def test_a_missing_package_of_a_logger(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli(*flags(tmp_path), "--loggers", "mlflow")
        assert (outcome.code, outcome.err.splitlines()) == (
            2,
            ["error: --loggers: the package mlflow is not installed", "  fix: pip install mlflow"],
        )

    @pytest.mark.slow
    def test_output_and_resume_are_enough_to_go_on(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        (tmp_path / "run" / "result.json").unlink()
        outcome = cli("train", "--output", tmp_path / "run", "--resume")
        assert outcome.code == 0, outcome.err
        assert (tmp_path / "run" / "result.json").exists()

    @pytest.mark.slow
    def test_others_can_read_the_model(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "run" / "best").iterdir()}
        assert len(set(modes.values())) == 1, modes

    def test_python_is_checked_as_the_command_line_is(self) -> None:
        for wrong in ({"epochs": "1"}, {"epochs": 1.5}, {"seed": None}, {"schedule": "lin"}, {"corpus": [1]}):
            with pytest.raises(InputError):
                fine_tune(**{"task": "classification", "corpus": "sample-sentiment", "checkpoint": CHECKPOINT, **wrong})
