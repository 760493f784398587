"""Training in several processes: one that loses another ends in one message, not in a traceback or a hang."""

from __future__ import annotations

import logging
import os
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.strategies.launchers import _SubprocessScriptLauncher

from ..errors import TrainingError

log = logging.getLogger("ratsnlp_like")

_LOST = re.compile(
    r"Connection (closed|reset|refused)|Broken pipe|Socket (closed|Timeout)|Timed out waiting|NCCL|gloo|peer",
    re.IGNORECASE,
)
"""Messages of the backends of torch.distributed when another process is gone."""
_POLL, _PATIENCE = 0.1, 10.0
"""Seconds between two looks at the processes, and that this one may take to notice by itself that one is gone."""


@contextmanager
def peers_watched(trainer: pl.Trainer, folder: Path) -> Iterator[None]:
    """Turn the end of another process of the training into one error.

    Args:
        trainer: of the training.
        folder: the run folder, for the message.

    Raises:
        TrainingError: another process has ended.
    """
    if trainer.world_size == 1:
        yield
        return
    message = f"another process of it has ended; continue with: ratsnlp-like train --output {shlex.quote(str(folder))} "
    message += "--resume"
    launcher, parent = trainer.strategy.launcher, os.getppid()
    own = launcher if isinstance(launcher, _SubprocessScriptLauncher) else None
    watcher = _Watcher(own, message)
    watcher.start()
    try:
        yield
    except RuntimeError as error:  # what the backends raise has no common type
        if isinstance(error, TrainingError) or not _LOST.search(str(error)):
            raise
        if own is not None:
            own.procs.clear()  # Lightning's observer would kill this process before it ends
        if own is not None and not trainer.is_global_zero and os.getppid() == parent:
            raise SystemExit(1) from None  # the first process reports it
        raise TrainingError(message) from error
    finally:
        watcher.stopped.set()


class _Watcher(threading.Thread):
    """Ends this process when one that it started has failed and it waits for that one in vain.

    Lightning's own observer kills this process without a message; once the list of processes is empty it has nothing
    to observe.
    """

    def __init__(self, launcher: _SubprocessScriptLauncher | None, message: str) -> None:
        super().__init__(name="peer-watcher", daemon=True)
        self.stopped = threading.Event()
        self._launcher, self._message = launcher, message

    def run(self) -> None:
        """Look at the processes until one has failed, or the training is over."""
        while self._launcher is not None and not self.stopped.wait(_POLL):
            processes = list(self._launcher.procs)
            if any(process.poll() for process in processes):
                self._launcher.procs.clear()
                if not self.stopped.wait(_PATIENCE):
                    _end(processes, self._message)
                return


def _end(processes: list[subprocess.Popen[bytes]], message: str) -> None:
    log.error("training stopped: %s", message)
    for process in processes:  # they write no files, and would report that their connections are lost
        process.kill()
    for process in processes:
        process.wait()
    os._exit(1)
