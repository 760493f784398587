"""Checks of a file before any reader opens it: missing, empty, compressed, or of another kind."""

from __future__ import annotations

import codecs
import gzip
import unicodedata
import zlib
from difflib import get_close_matches
from pathlib import Path
from typing import IO, cast

from ...errors import InputError

_GZIP = b"\x1f\x8b"
_HEAD_BYTES = 4096

_SHEET = "open it in the program that made it, save the table as CSV (UTF-8), and name that file"
_UNPACK = "unpack it and name the file inside"
_UNREADABLE = {  # first bytes -> the kind of file, and the fix
    b"PK\x03\x04": ("a ZIP archive, as .hwpx and .docx files are", f"{_SHEET}; if it is a plain archive, {_UNPACK}"),
    b"\xd0\xcf\x11\xe0": ("an old Office or HWP document (.xls, .doc, .hwp)", _SHEET),
    b"%PDF-": ("a PDF document", "copy its table into a sheet and save it as CSV (UTF-8)"),
    b"PAR1": ("a Parquet file", "do not compress it again, and leave --format out"),
    b"ARROW1": ("an Arrow file", "save it as Parquet"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV (UTF-8)"),
    b"BZh": ("bzip2 data", _UNPACK),
    b"\xfd7zXZ": ("xz data", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("Zstandard data", _UNPACK),
    b"7z\xbc\xaf": ("a 7z archive", _UNPACK),
    b"\x80\x04\x95": ("a pickle", "save the data as JSON lines, CSV or Parquet"),
    b"\x89PNG": ("a picture", "name a text file"),
    b"\xff\xd8\xff": ("a picture", "name a text file"),
    b"version https://git-lfs": ("a pointer of Git LFS, not the file itself", "fetch the file with `git lfs pull`"),
}


def check_file(path: Path, *, magic: tuple[bytes, ...] = ()) -> None:
    """Check that a file can be read, before a reader tries.

    Args:
        path: the file.
        magic: first bytes of a binary format that the file is to be read in; text is expected otherwise.

    Raises:
        InputError: the path is missing, a directory, empty, unreadable, or a file of another kind.
    """
    if path.is_dir():
        raise _directory(path)
    if not path.exists():
        raise _missing(path)
    head = first_bytes(path)
    if not head:
        raise InputError("the file is empty (0 bytes)", place=path, fix="download or write it again")
    if not (magic and head.startswith(magic)):
        _check_is_text(path, head)


def _check_is_text(path: Path, head: bytes) -> None:
    for magic, (kind, fix) in _UNREADABLE.items():
        if head.startswith(magic):
            raise InputError(f"this is {kind}", place=path, expected="a text file", fix=fix)
    if head[:1024].lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(
            "this is an HTML page", place=path, expected="data", fix="download it again: a server's error was saved"
        )


def first_bytes(path: Path, *, unpack: bool = True) -> bytes:
    """Return the first bytes of a file, uncompressed where it is gzip and `unpack` is set.

    Raises:
        InputError: it cannot be read, or its gzip data is damaged.
    """
    try:
        with open_bytes(path) if unpack else path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(path, error) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", place=path) from error


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file as bytes; gzip is recognised by its first bytes, not by its name, and decompressed.

    Raises:
        InputError: it is called `.gz` and is not gzip.
    """
    with path.open("rb") as raw:
        magic = raw.read(len(_GZIP))
    if magic == _GZIP:
        return cast(IO[bytes], gzip.open(path))
    if magic and path.suffix.lower() == ".gz":
        raise InputError("this is called .gz but is not gzip data", place=path, fix="drop .gz from its name")
    return path.open("rb")


def damaged_gzip(path: Path, error: Exception) -> InputError:
    """Return the error for gzip data that does not decompress."""
    return InputError(f"the gzip data is damaged or cut off ({error})", place=path, fix="download or compress it again")


def _directory(path: Path) -> InputError:
    names = sorted(child.name for child in path.iterdir() if child.is_file())
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return InputError(
        "this is a directory", place=path, expected="a file", fix=f"name one of its files: {shown or 'it has none'}"
    )


def _missing(path: Path) -> InputError:
    folder = path.parent
    if not folder.is_dir():
        return InputError("no such file", place=path, fix=f"correct the path: {folder} is not a directory")
    names = sorted(child.name for child in folder.iterdir())
    if any(_composed(name) == _composed(path.name) for name in names):
        # Looks the same in any message: an archive packed on a Mac, unpacked elsewhere.
        return InputError(
            "no such file, but one whose name has its Hangul in the other normal form (as macOS writes it)",
            place=path,
            fix=f"rename it: convmv -f utf-8 -t utf-8 --nfc --notest {folder}/*, or by hand",
        )
    close = get_close_matches(path.name, names, n=3, cutoff=0.5)
    fix = f"did you mean {' or '.join(close)}?" if close else f"{folder} has: {', '.join(names[:10]) or 'nothing'}"
    return InputError("no such file", place=path, fix=fix)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
