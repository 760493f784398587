"""Processes that lose another one: one message that names --resume."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import COMMAND, environment, flags

from ratsnlp_like.errors import TrainingError
from ratsnlp_like.training.processes import peers_watched


def trainer(world_size: int) -> Any:
    return SimpleNamespace(world_size=world_size, is_global_zero=True, strategy=SimpleNamespace(launcher=None))


@pytest.mark.parametrize(
    "message",
    [
        "[../third_party/gloo/gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:40221",
        "Connection reset by peer",
        "NCCL error in: ProcessGroupNCCL.cpp:1970, remote process exited or there was a network error",
    ],
)
def test_errors_of_the_backends(message: str) -> None:
    with (
        pytest.raises(TrainingError, match="continue with: ratsnlp-like train --output 'my runs/a' --resume"),
        peers_watched(trainer(2), Path("my runs/a")),
    ):
        raise RuntimeError(message)


def test_other_errors_are_left() -> None:
    for error in (RuntimeError("out of memory"), TrainingError("the loss is NaN; peer")):
        with pytest.raises(RuntimeError) as caught, peers_watched(trainer(2), Path("a")):
            raise error
        assert caught.value is error
    with pytest.raises(RuntimeError, match="closed by peer"), peers_watched(trainer(1), Path("a")):
        raise RuntimeError("Connection closed by peer")


@pytest.mark.exhaustive(first=False)
@pytest.mark.slow
@pytest.mark.parametrize(("devices", "rank"), [(2, 0), (2, 1), (3, 1)])
def test_a_killed_process(devices: int, rank: int, tmp_path: Path) -> None:
    psutil = pytest.importorskip("psutil")
    own = {"devices": devices, "strategy": "ddp", "epochs": 2000, "save_steps": 2, "eval_steps": 200}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*COMMAND, *flags(tmp_path, **own)], env=environment(MASTER_ADDR="127.0.0.1"), stderr=log
        )
        begun = time.monotonic()
        while not (tmp_path / "run" / "resume.ckpt").exists() and time.monotonic() < begun + 120:
            time.sleep(0.1)
        others = psutil.Process(process.pid).children()
        os.kill(others[rank - 1].pid if rank else process.pid, signal.SIGKILL)
        code = process.wait(60)
        assert not psutil.wait_procs(others, 60)[1]
    assert code == (1 if rank else -signal.SIGKILL)
    text = (tmp_path / "log").read_text()
    assert text.count("training stopped: another process of it has ended") == 1
    assert f"--output {tmp_path}/run --resume" in text
    assert not any(unexpected in text for unexpected in ("Traceback", "frame #", "interrupted"))
