"""runtime.files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InputError, is_full


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` at the end; it is whole or not there.

    Raises:
        InputError: the disk is full; what was there before stays.
    """
    partial, old = folder.with_name(folder.name + ".partial"), folder.with_name(folder.name + ".old")
    recover(folder)
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        mode = partial.stat().st_mode & 0o666  # what the umask leaves to a new file
        for file in partial.rglob("*"):
            if file.is_file():
                file.chmod(mode)  # safetensors makes files that only their owner can read
        if folder.exists():
            folder.rename(old)
        partial.rename(folder)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        recover(folder)
        if not is_full(error):
            raise
        raise InputError(
            f"the model cannot be written: {error}",
            place=folder,
            fix="make room on the disk, or choose another --output; what was there before is whole",
        ) from error
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """A process killed between two renames left the older folder under another name: put it back."""
    old = folder.with_name(folder.name + ".old")
    if old.exists():
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.rename(folder)


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON in UTF-8."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
