"""Cores that this process may use, and those that other processes use."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_QUOTA = Path("/sys/fs/cgroup/cpu.max")
_BUSY = (0, 1, 2, 5, 6)
"""Fields of a line of /proc/stat that count work: user, nice, system, irq, softirq."""


def assigned_cores() -> int:
    """Return the number of cores assigned to this process: by affinity, and by the quota of its container."""
    cores = len(_affinity())
    if _QUOTA.exists():
        quota, _, period = _QUOTA.read_text(encoding="ascii").partition(" ")
        if quota.isdecimal():
            cores = min(cores, -(-int(quota) // int(period)))
    return max(1, cores)


def _affinity() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


class OtherLoad:
    """Measures how many of the cores of this process other processes use.

    It reads /proc/stat; on systems without it the load is always 0.

    Args:
        children: the work of children that were waited for counts as that of this process.
    """

    def __init__(self, *, children: bool = False) -> None:
        self._children = children
        self._last = self._read()

    def measure(self) -> float:
        """Return the cores used by other processes since the last call, on average."""
        (then, busy_then, own_then), self._last = self._last, self._read()
        now, busy, own = self._last
        seconds = now - then
        if seconds <= 0:
            return 0.0
        return max(0.0, (busy - busy_then - (own - own_then)) / seconds)

    def _read(self) -> tuple[float, float, float]:
        """Return the time, the busy seconds of all cores of this process, and the processor time of this process."""
        now, own = time.perf_counter(), time.process_time()
        if self._children:
            own += sum(os.times()[2:4])
        try:
            lines = _STAT.read_text(encoding="ascii").splitlines()
        except OSError:
            return now, own, own
        names = {f"cpu{number}" for number in _affinity()}
        rows = [line.split() for line in lines]
        ticks = sum(int(row[1 + field]) for row in rows if row and row[0] in names for field in _BUSY)
        return now, ticks / os.sysconf("SC_CLK_TCK"), own
