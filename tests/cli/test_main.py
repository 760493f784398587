"""Entry point: dispatch, exit codes, signals, start-up time."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import (
    COMMAND,
    command,
    environment,
    flags,
    python,
    tsv,
)
from helpers import write as write_file
from helpers_cli import HEADER, ROWS, Cli, Outcome, check_message


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

    def test_no_command_and_versions(self, cli: Cli) -> None:
        from ratsnlp_like import __version__

        assert "usage: ratsnlp-like" in cli().out
        assert cli("--version").out == f"{__version__}\n"

    def test_a_defect_has_its_traceback_and_exit_code_1(self) -> None:
        code = (
            "import sys\nfrom ratsnlp_like import cli\nimport ratsnlp_like.cli.list as command\n"
            "def broken(arguments): raise ZeroDivisionError('a defect')\n"
            "command.run = broken\nsys.exit(cli.main(['list']))"
        )
        done = python(code)
        assert done.returncode == 1
        assert "ZeroDivisionError: a defect" in done.stderr

    @pytest.mark.parametrize("module", ["ratsnlp_like", "ratsnlp_like.cli"])
    def test_python_m(self, module: str) -> None:
        done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
        assert done.stdout.strip()

    def test_a_cache_that_cannot_be_written(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("RATSNLP_LIKE_CACHE", str(write_file(tmp_path / "file", "") / "cache"))
        outcome = cli(*flags(tmp_path, cache_dir=None))
        check_message(outcome, "the folder cannot be created", "--cache_dir")

    def test_a_loss_that_is_no_number(self, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        from ratsnlp_like.tasks.classification import Classification

        loss = Classification.loss
        monkeypatch.setattr(Classification, "loss", lambda *arguments: loss(*arguments) * float("nan"))
        outcome = cli(*flags(tmp_path, corpus=tsv(tmp_path / "a.tsv", ROWS)))
        assert outcome.code == 1
        assert "training stopped: the loss is nan at step 0" in outcome.err
        assert f"{tmp_path / 'a.tsv'}, line " in outcome.err

    @pytest.mark.slow
    def test_a_bad_input_in_a_process_of_its_own(self, tmp_path: Path) -> None:
        path = write_file(tmp_path / "a.tsv", HEADER + "좋아요\t긍정\n별로\n또\t긍정\n")
        done = command(flags(tmp_path, corpus=path))
        check_message(Outcome(done.returncode, done.stdout, done.stderr), f"{path}, line 3")
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
        step = int(re.search(r"stopped at step (\d+); continue with: ratsnlp-like (.+)", line)[1])  # type: ignore[index]
        again = line.split("continue with: ratsnlp-like ")[1].split()
        assert again == [
            "train",
            "--output",
            str(tmp_path / "run"),
            "--resume",
        ]

        outcome = cli(*again, "--epochs", step // 6 + 2, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
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
