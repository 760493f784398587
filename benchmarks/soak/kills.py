"""Kills (SIGKILL) at random moments: what is saved opens, and the resumed run ends with the same bits."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor

from .report import LostWorkError, Report, until
from .trainings import Setup, reference, start


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Kill and resume trainings until the time is over."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        root = Path(name)
        right, length = reference(root / "reference", root / "cache")
        report.figures["uninterrupted run"] = f"{length:.1f} s"
        for rng in until(seconds, at_least, seed):
            setup = Setup(root / "killed")
            shutil.rmtree(setup.root, ignore_errors=True)
            setup.root.mkdir()
            cold = bool(rng.integers(0, 2))
            cache = setup.root / "cache" if cold else root / "cache"
            log = log_of(setup)
            for _ in range(rng.integers(1, 4)):
                with report.trial(f"kill, {'cold' if cold else 'warm'} cache", log, seconds=120):
                    _kill(setup, cache, length * rng.uniform(0.0, 1.1))
            with report.trial("resumed to the end", log, seconds=120):
                _check_end(setup, setup.finish(cache), right)


def log_of(setup: Setup) -> Callable[[], tuple[str, bytes]]:
    """Return a function that returns the log of a run, for `Report.trial`."""
    return lambda: ("log.txt", setup.log.read_bytes())


def _kill(setup: Setup, cache: Path, after: float) -> None:
    process = start(setup.arguments(cache), setup.log)
    process.join(after)
    if process.exitcode is None:
        process.kill()
    process.join()
    had_best = (setup.folder / "best").exists() or (setup.folder / "best.old").exists()
    if had_best:
        check_opens(setup.folder)
    _check_log(setup)


def check_opens(folder: Path) -> None:
    """Check that the best model of a run opens.

    Raises:
        LostWorkError: it does not.
    """
    try:
        Predictor.from_pretrained(folder, device="cpu")("배송이 빨라요")
    except InputError as error:
        raise LostWorkError(f"the best model does not open: {error}") from None


def _check_log(setup: Setup) -> None:
    log = setup.log.read_text(encoding="utf-8", errors="replace")
    if "Traceback" in log:
        raise RuntimeError(log[log.index("Traceback") :])


def _check_end(setup: Setup, code: int, right: dict[str, bytes]) -> None:
    _check_log(setup)
    if code != 0:
        raise LostWorkError(f"the resumed run ends with {code}: {setup.log.read_text()[-500:]}")
    found = setup.result()
    different = [name for name, content in right.items() if found[name] != content]
    if different:
        raise LostWorkError(f"differs from the uninterrupted run: {', '.join(different)}")
    left = [path.name for path in setup.folder.glob("*.partial")] + [path.name for path in setup.folder.glob("*.old")]
    if left:
        raise LostWorkError(f"left over: {', '.join(left)}")
