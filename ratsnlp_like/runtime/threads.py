"""As many threads of torch as cores that other processes leave free."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from .cores import OtherLoad, assigned_cores

log = logging.getLogger("ratsnlp_like")

_SECONDS = 0.5
"""Time over which the load is measured."""
_TOLERATED = 0.3
"""Load of other processes, in cores, that does not cost a thread."""
_PATIENCE = 6
"""Measurements in a row with a free core after which a thread is added."""


class ThreadControl:
    """Lowers the number of torch's threads while other processes use the cores, and raises it again.

    The threads of OpenMP wait for each other in a loop. Where one of them has no core, all others spin until it gets
    one: beside one busy process, two threads on two cores reach a fraction of the speed of one.

    Args:
        work: name of the work in the message that reports a change.
        fix: option or variable that fixes the number, for the same message.
    """

    def __init__(self, *, work: str, fix: str) -> None:
        self._work, self._fix = work, fix
        self._load = OtherLoad()
        self._before = torch.get_num_threads()
        self._most = self._threads = self._fewest = min(self._before, assigned_cores())
        self._measured, self._free = time.perf_counter(), 0
        torch.set_num_threads(self._threads)

    def adapt(self) -> None:
        """Adapt the number; call it between batches."""
        if self._most < 2 or time.perf_counter() - self._measured < _SECONDS:
            return
        wanted = self._wanted()
        self._free = self._free + 1 if wanted > self._threads else 0
        if wanted < self._threads or self._free == _PATIENCE:
            self._set(wanted)

    def restore(self) -> None:
        """Set the number of before; later calls of `adapt` change nothing."""
        self._most = 1
        torch.set_num_threads(self._before)

    def _wanted(self) -> int:
        self._measured = time.perf_counter()
        return max(1, int(self._most - self._load.measure() + _TOLERATED))

    def _set(self, number: int) -> None:
        if number < self._fewest:
            log.warning(
                "other processes use %d of %d cores: %s continues with %d thread%s until they are free, and is not "
                "equal to another run bit for bit (%s fixes the number).",
                self._most - number, self._most, self._work, number, "s" * (number != 1), self._fix,
            )  # fmt: skip
            self._fewest = number
        self._threads, self._free = number, 0
        torch.set_num_threads(number)


@contextmanager
def adapted_threads(device: torch.device | str, *, work: str) -> Iterator[Callable[[], None]]:
    """Adapt the number of threads within the block, and restore it.

    Nothing changes on a GPU, and where OMP_NUM_THREADS states the number.

    Args:
        device: device of the model.
        work: as for `ThreadControl`.

    Yields:
        A function to call between batches.
    """
    if torch.device(device).type != "cpu" or "OMP_NUM_THREADS" in os.environ:
        yield _nothing
        return
    control = ThreadControl(work=work, fix="OMP_NUM_THREADS")
    try:
        yield control.adapt
    finally:
        control.restore()


def _nothing() -> None:
    """Adapt nothing."""
