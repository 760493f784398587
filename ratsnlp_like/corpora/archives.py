"""ZIP archives of corpus files, unpacked into a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path

from ..errors import InputError
from .formats.xlsx import is_workbook

_MAGIC = b"PK\x03\x04"


def is_archive(path: Path) -> bool:
    """Return True for a ZIP archive that is not a workbook or a document."""
    if path.suffix.lower() not in {".zip", ""} or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC and not is_workbook(path)


def unpacked(path: Path) -> Path:
    """Return the folder of the files of an archive, or its only file.

    Raises:
        InputError: the archive is damaged, encrypted, or larger than the disk.
    """
    stat = path.stat()
    return _unpacked(path, stat.st_mtime_ns, stat.st_size)


@cache  # once per process; the folder is removed when the process ends
def _unpacked(path: Path, modified: int, size: int) -> Path:
    holder = tempfile.TemporaryDirectory(prefix="corpus-")
    _HOLDERS.append(holder)
    folder = Path(holder.name)
    try:
        with zipfile.ZipFile(path, metadata_encoding=_name_encoding(path)) as archive:
            needed = sum(member.file_size for member in archive.infolist())
            if needed > shutil.disk_usage(folder).free:
                raise InputError(f"its files take {needed:,} bytes, more than is free in {folder}", place=path)
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, UnicodeDecodeError, RuntimeError, OSError, EOFError) as error:
        raise InputError(
            f"the archive cannot be unpacked: {error}", place=path, fix="unpack it and name the file inside"
        ) from error
    files = [
        file
        for file in folder.rglob("*")
        if file.is_file() and not file.relative_to(folder).as_posix().startswith("__")
    ]
    return files[0] if len(files) == 1 else folder


_HOLDERS: list[tempfile.TemporaryDirectory[str]] = []


def _name_encoding(path: Path) -> str | None:
    """Return cp949 where the names of the files are in it, as Windows writes them."""
    with zipfile.ZipFile(path) as archive:
        names = [member.filename for member in archive.infolist() if not member.flag_bits & 0x800]
    try:
        for name in names:
            name.encode("cp437").decode("cp949")
    except UnicodeError:
        return None
    return "cp949"
