"""A disk that is full: no file can grow beyond a random size. One message, nothing saved is lost, the run continues."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from .kills import check_opens, log_of
from .report import LostWorkError, Report, until
from .trainings import Setup, reference, start


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Train with files of limited size, then without, until the time is over."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        root = Path(name)
        right, _ = reference(root / "reference", root / "cache")
        for rng in until(seconds, at_least, seed):
            setup = Setup(root / "full")
            shutil.rmtree(setup.root, ignore_errors=True)
            setup.root.mkdir()
            cache = setup.root / "cache" if rng.integers(0, 2) else root / "cache"
            largest = int(2 ** rng.uniform(14, 22))
            with report.trial("disk full", log_of(setup), seconds=120):
                _train(setup, cache, largest)
            with report.trial("continued with room", log_of(setup), seconds=120):
                code = setup.finish(cache)
                if code != 0 or setup.result() != right:
                    raise LostWorkError(f"exit code {code}, or another result than without the interruption")


def _train(setup: Setup, cache: Path, largest: int) -> None:
    process = start(setup.arguments(cache), setup.log, largest_file=largest)
    process.join(120)
    log = setup.log.read_text(encoding="utf-8")
    if "Traceback" in log or process.exitcode not in (0, 2):
        raise RuntimeError(f"exit code {process.exitcode}, file size {largest}: {log[-3000:]}")
    if process.exitcode == 2 and not log.strip().splitlines()[-1].startswith(("error:", "  ")):
        raise RuntimeError(f"the last line is no message: {log[-300:]}")
    if (setup.folder / "best").exists():
        check_opens(setup.folder)
