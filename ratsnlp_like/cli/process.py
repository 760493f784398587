"""The process of a command: standard streams that are closed or full, and signals."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """The process got SIGTERM."""


def open_streams() -> None:
    """Replace standard streams that the parent process closed by the null device.

    Otherwise the next file that is opened gets the number of a stream, and what is printed is written into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a CP949 console cannot print emoji


def output_is_closed() -> bool:
    """Return True if the process was started without a standard output."""
    return sys.__stdout__ is None


def drop_output() -> None:
    """Send what is still buffered for standard output to the null device, so that the exit does not fail on it."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def drop_output_if_it_fails() -> None:
    """Do the same if standard output cannot be written, as on a full disk."""
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does: temporary files are deleted, and a message is printed."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
