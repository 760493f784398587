"""Atomic writers of files and folders: the new content is complete and on the disk before it takes its name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from ..errors import InputError, is_full

MAKE_ROOM = "make room on the disk"
_ELSEWHERE_FILE = f"{MAKE_ROOM}, or name another file"


@contextmanager
def atomic_folder(
    folder: Path, *, content: str = "the folder", fix: str = f"{MAKE_ROOM}, or choose another --output"
) -> Iterator[Path]:
    """Yield an empty folder that replaces `folder` at the end; after an error, the former content remains.

    Files get the permissions that the umask leaves to new ones.

    Args:
        folder: the destination; a killed process leaves it complete, absent, or recoverable with `recover`.
        content: noun phrase for what is written, used in the message.
        fix: remedy for a full disk.

    Raises:
        InputError: the disk is full.
    """
    partial = _partial(folder)
    recover(folder)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        mode = partial.stat().st_mode & 0o666  # what the umask leaves to a new file
        for file in partial.rglob("*"):
            if file.is_file():
                file.chmod(mode)  # safetensors creates files that only their owner can read
        move_into_place(partial, folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        recover(folder)
        if not is_full(error):
            raise
        reason = error.__cause__ if isinstance(error, InputError) else error
        raise InputError(f"{content} cannot be written: {reason}", place=folder, fix=fix) from error


@contextmanager
def atomic_file(path: Path, *, encoding: str = "utf-8", newline: str | None = "\n") -> Iterator[IO[str]]:
    """Yield a text file that replaces `path` at the end; after an error, the former file remains.

    A symbolic link keeps pointing to the file, and devices such as /dev/stdout are written directly.

    Raises:
        InputError: the file cannot be written.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding=encoding, newline=newline) as file:
            yield file
        return
    path = path.resolve()
    partial = _partial(path)
    try:
        with partial.open("w", encoding=encoding, newline=newline) as file:
            yield file
        move_into_place(partial, path)
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename not in (None, str(partial)):
            raise
        raise InputError(f"cannot be written: {error.strerror or error}", place=path, fix=_ELSEWHERE_FILE) from error
    finally:
        partial.unlink(missing_ok=True)


def make_folder(folder: Path, *, fix: str) -> None:
    """Create a folder that files can be written to, with its parents; it may exist.

    Raises:
        InputError: it cannot be created, or not be written to; `fix` states which option names another one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"the folder cannot be created: {error.strerror}", place=folder, fix=fix) from None
    if not os.access(folder, os.W_OK):
        raise InputError("no permission to write to the folder", place=folder, fix=fix)


def move_into_place(partial: Path, target: Path) -> None:
    """Sync a finished file or folder to the disk, and rename it to `target` in place of what is there."""
    for path in [*partial.rglob("*"), partial] if partial.is_dir() else [partial]:
        _sync(path)
    if target.is_symlink() and partial.is_dir():  # the link is replaced; what it points to belongs to someone else
        target.unlink()
    if not target.is_dir():
        partial.replace(target)
        _sync(target.parent)
        return
    old = _old(target)
    target.rename(old)
    try:
        partial.rename(target)
    except OSError:  # a reader has restored the former folder in between: see `recover`
        delete(target)
        partial.rename(target)
    _sync(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Restore a folder whose writer was killed between the two renames of `move_into_place`."""
    old = _old(folder)
    if old.is_symlink() or old.exists():
        if folder.exists():
            delete(old)
        else:
            with suppress(OSError):  # its writer lives, and has put the new folder there
                old.rename(folder)


def delete(path: Path) -> None:
    """Delete a file, a folder with its content, or a symbolic link but not what it points to; it may be missing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def file_digest(path: Path) -> str:
    """Return a digest of a file that finds damage, not forgery: xxHash, which is faster than a disk."""
    from xxhash import xxh3_128

    with path.open("rb") as file:
        return hashlib.file_digest(file, xxh3_128).hexdigest()


def to_json(content: Any) -> str:
    """Return indented JSON with Hangul unescaped."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON in UTF-8, atomically."""
    write_text(path, to_json(content))


def write_text(path: Path, content: str) -> None:
    """Write text in UTF-8, atomically."""
    with atomic_file(path) as file:
        file.write(content)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _old(path: Path) -> Path:
    return path.with_name(path.name + ".old")


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
