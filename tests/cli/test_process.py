"""The process of a command: closed and full standard streams, and signals at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers import COMMAND, command, environment, flags, write


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which $RUN is the command."""
    run = " ".join(COMMAND)
    return subprocess.run(
        ["sh", "-c", line], env=environment(RUN=run), capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow
def test_a_closed_standard_output() -> None:
    done = shell("$RUN predict ko-tiny-gpt 오늘 >&-")
    assert (done.returncode, done.stderr) == (
        2,
        "error: standard output is closed\n  fix: --output FILE.jsonl\n",
    )
    assert shell("$RUN list tasks >&-").returncode == 0
    assert shell("$RUN list tasks <&- >&- 2>&-").returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output(unbuffered: str) -> None:
    done = shell(f"PYTHONUNBUFFERED={unbuffered} $RUN list tasks > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "error: No space left on device: standard output, or a log file\n"


@pytest.mark.slow
def test_a_result_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "배송이 빨라요\n")
    (tmp_path / "out.jsonl.partial").mkdir()
    done = command(["predict", "ko-tiny-bert", "--input", path, "--output", tmp_path / "out.jsonl"])
    assert done.returncode == 2
    assert f"{tmp_path}/out.jsonl" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.exhaustive(first=False)
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_before_and_while_a_corpus_is_encoded(number: signal.Signals, tmp_path: Path) -> None:
    rows = "".join(f"{i}번 손님은 국물이 시원하다고 했다\t{i % 2}\n" for i in range(200_000))
    corpus = write(tmp_path / "a.tsv", "text\tlabel\n" + rows)
    source = random.Random(int(number))
    for _ in range(3):
        process = subprocess.Popen(
            [*COMMAND, *flags(tmp_path, corpus=corpus, limit_train=None)], env=environment(), stderr=subprocess.PIPE
        )
        begun = time.monotonic()
        while not any((tmp_path / "cache").glob("*.partial")) and time.monotonic() < begun + 60:
            time.sleep(0.05)
        time.sleep(source.uniform(0, 1))
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode in ({130} if number == signal.SIGINT else {143}), err.decode()
        assert b"Traceback" not in err
        assert not any((tmp_path / "cache").glob("*.partial"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_at_the_start() -> None:
    for delay in (0.04, 0.08, 0.12, 0.2):
        process = subprocess.Popen(
            [*COMMAND, "train", "--help"], env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(delay)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert b"/ratsnlp_like/" not in err, err.decode()  # no traceback through this package
        assert process.returncode in {0, 1, 130, -signal.SIGINT}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_training_next_to_packages_that_cannot_be_imported(tmp_path: Path) -> None:
    """As images of Colab had them: installed, for another version of torch."""
    site = tmp_path / "site"
    for name in ("torch_xla", "tensorflow"):
        write(site / name / "__init__.py", 'raise ImportError("_XLAC.so: undefined symbol")\n')
        write(site / f"{name}-2.9.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.9.0\n")
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    done = command(flags(tmp_path, accelerator="auto"), env=environment(PYTHONPATH=path))
    assert done.returncode == 0, done.stderr
