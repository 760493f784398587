"""Python's garbage collector, disabled while millions of objects are created and no cycle of them is released."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_disabled() -> Iterator[None]:
    """Disable the garbage collector, for imports or for the rows of a corpus."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def gc_frozen() -> Iterator[None]:
    """Disable the garbage collector during imports, and exclude the modules from later collections.

    It saves 1.1 of 8.2 seconds of CPU time to the first step of a small training (mean of four interleaved runs).
    """
    with gc_disabled():
        yield
        gc.freeze()
