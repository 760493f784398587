"""Outcomes of trials, and their table."""

from __future__ import annotations

import os
import signal
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from ratsnlp_like.errors import InputError

Outcome = Literal["held", "refused", "traceback", "silent", "lost", "slow"]
OUTCOMES: tuple[Outcome, ...] = ("held", "refused", "traceback", "silent", "lost", "slow")
FAILURES = frozenset({"traceback", "silent", "lost", "slow"})
_KEPT = 5
"""Failures of one kind that are kept as files."""


class WrongResultError(AssertionError):
    """The result differs from the right one, and no message states it."""


class LostWorkError(AssertionError):
    """Saved work is gone or damaged."""


@dataclass
class Report:
    """Counts of outcomes by kind of trial, and the inputs of failures.

    Args:
        folder: where the inputs of failures are written.
        seconds: longest time of a trial.
    """

    folder: Path
    seconds: float = 10.0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    figures: dict[str, str] = field(default_factory=dict)
    """Measured figures to show below the table."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def trial(
        self, kind: str, describe: Callable[[], tuple[str, bytes]], *, seconds: float | None = None
    ) -> Iterator[None]:
        """Count one trial by how the block ends.

        Args:
            kind: row of the table.
            describe: returns a file name and the input, called for failures only.
            seconds: longest time; by default that of all trials.
        """
        start, reason = time.monotonic(), ""
        outcome: Outcome = "held"
        try:
            with _at_most(6 * (seconds or self.seconds)):
                yield
        except InputError:
            outcome = "refused"
        except WrongResultError as error:
            outcome, reason = "silent", str(error)
        except LostWorkError as error:
            outcome, reason = "lost", str(error)
        except Exception:
            outcome, reason = "traceback", traceback.format_exc()
        if outcome not in FAILURES and time.monotonic() - start > (seconds or self.seconds):
            outcome, reason = "slow", f"{time.monotonic() - start:.1f} seconds"
        self.count(kind, outcome, reason, describe)

    def count(self, kind: str, outcome: Outcome, reason: str, describe: Callable[[], tuple[str, bytes]]) -> None:
        """Count an outcome, and keep the input of a failure."""
        with self._lock:  # clients of the load count in threads
            self.counts[kind][outcome] += 1
            number = self.counts[kind][outcome]
        if outcome in FAILURES and number <= _KEPT:
            name, content = describe()
            place = self.folder / f"{kind.replace(' ', '-').replace('/', '-')}-{outcome}-{number}"
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
            (place / "reason.txt").write_text(reason + "\n", encoding="utf-8")
            print(
                f"  {outcome}: {kind}: {place}: {reason.strip().splitlines()[-1][:150] if reason else ''}", flush=True
            )

    @property
    def failures(self) -> int:
        """Number of trials that failed."""
        return sum(counts[outcome] for counts in self.counts.values() for outcome in FAILURES)

    def table(self) -> str:
        """Return the table in Markdown."""
        rows = [["kind", "tried", *OUTCOMES]]
        for kind, counts in self.counts.items():
            rows.append([kind, str(counts.total()), *(str(counts[name]) for name in OUTCOMES)])
        total = sum(self.counts.values(), Counter())
        rows.append(["all", str(total.total()), *(str(total[name]) for name in OUTCOMES)])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        lines = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
        ]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        return "\n".join([*lines, "", *(f"{name}: {value}" for name, value in self.figures.items())])


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End a block that computes without end, by an exception, after a time of the processor."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError(f"not over after {seconds:g} seconds of the processor")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def memory_folder() -> str | None:
    """Return a folder for thousands of small files: in memory where the system has one, else the default (None)."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def until(seconds: float, at_least: int, seed: int) -> Iterator[np.random.Generator]:
    """Yield a generator of random numbers for each trial, until the time is over and the number is reached."""
    end, number = time.monotonic() + seconds, 0
    while number < at_least or time.monotonic() < end:
        yield np.random.default_rng([seed, number])
        number += 1
