"""Pipes, standard input and process substitutions, copied to a temporary file: readers pass over a file twice."""

from __future__ import annotations

import os
import select
import stat
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import IO

from ..errors import InputError

_WAIT = 10.0
"""Seconds to wait for a process that writes to a pipe."""
_BLOCK = 1 << 20  # bytes


def is_stream(path: Path) -> bool:
    """Return True for a pipe, a socket or a character device."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


def spooled(path: Path) -> Path:
    """Return a regular file with the content of a stream, which is read once per process.

    Raises:
        InputError: it is a terminal or a device, or no process writes to it.
    """
    mode = path.stat().st_mode
    if stat.S_ISCHR(mode) or stat.S_ISSOCK(mode):
        raise InputError("this is a terminal or a device", place=path, expected="a file or a pipe")
    return _spooled(path, path.stat().st_ino)


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


@cache  # a stream can be read once only
def _spooled(path: Path, inode: int) -> Path:
    holder = tempfile.TemporaryDirectory(prefix="corpus-")
    _HOLDERS.append(holder)
    target = Path(holder.name) / (path.name if path.suffix else f"pipe-{path.name}")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with target.open("wb") as file:
            _copy(descriptor, file, path)
    finally:
        os.close(descriptor)
    return target


def _copy(descriptor: int, file: IO[bytes], path: Path) -> None:
    """Copy until the writers have closed the stream; without a writer there is nothing to wait for."""
    deadline, written = time.monotonic() + _WAIT, False
    while True:
        try:
            block = os.read(descriptor, _BLOCK)
        except BlockingIOError:  # a writer is there, and has not written yet
            written = True
            select.select([descriptor], [], [])
            continue
        if block:
            written = True
            file.write(block)
        elif written:
            return
        elif time.monotonic() > deadline:
            raise InputError(
                f"no process writes to this pipe (waited {_WAIT:.0f} seconds)", place=path, fix="name a file"
            )
        else:
            time.sleep(0.05)
