r"""From a path to lines of text: what every text format shares.

Lines end at `\n` or `\r\n` and nowhere else. Python's `str.splitlines`, and text files opened with the default
`newline`, also cut at U+2028, `\x85`, `\x0b`, `\x0c` or a lone `\r`; those occur inside reviews and are data.
"""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import IO, TextIO, cast

from ...errors import InputError
from ...examples.base import Place

logger = logging.getLogger("ratsnlp_like")

_CHUNK = 1 << 16  # characters
_HEAD = 1 << 16  # characters
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}

_SHEET = "open it in the program that made it, save the table as CSV (UTF-8), and name that file"
_UNPACK = "unpack it and name the file inside"
_BINARY = {  # first bytes -> what the file is, and the way out
    b"PK\x03\x04": ("a ZIP archive, as .xlsx and .hwpx files are", f"{_SHEET}; if it is a plain archive, {_UNPACK}"),
    b"\xd0\xcf\x11\xe0": ("an old Office or HWP document (.xls, .doc, .hwp)", _SHEET),
    b"%PDF-": ("a PDF document", "copy its table into a sheet and save it as CSV (UTF-8)"),
    _PARQUET: ("a Parquet file", "do not compress it again, and leave --format out"),
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


def check_file(path: Path, *, parquet: bool = False) -> None:
    """Refuse what no reader can read, before one tries.

    Args:
        path: the file.
        parquet: a Parquet file is welcome (every other reader wants text).

    Raises:
        InputError: the path is missing, a directory, empty, unreadable, or a file of another kind.
    """
    if path.is_dir():
        raise _directory(path)
    if not path.exists():
        raise _missing(path)
    head = _first_bytes(path)
    if not head:
        raise InputError("the file is empty (0 bytes)", place=path, fix="download or write it again")
    if not (parquet and head.startswith(_PARQUET)):
        _check_is_text(path, head)


def _check_is_text(path: Path, head: bytes) -> None:
    for magic, (kind, fix) in _BINARY.items():
        if head.startswith(magic):
            raise InputError(f"this is {kind}", place=path, expected="a text file", fix=fix)
    if head[:1024].lstrip(codecs.BOM_UTF8 + b" \t\r\n").lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(
            "this is an HTML page", place=path, expected="data", fix="download it again: a server's error was saved"
        )


def is_parquet(path: Path) -> bool:
    """Parquet tells itself by its first bytes, whatever the file is called."""
    with path.open("rb") as file:
        return file.read(len(_PARQUET)) == _PARQUET


def _directory(path: Path) -> InputError:
    names = sorted(child.name for child in path.iterdir() if child.is_file())
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return InputError(
        "this is a directory", place=path, expected="a file", fix=f"name one of its files: {shown or 'it has none'}"
    )


def _missing(path: Path) -> InputError:
    folder = path.parent
    if not folder.is_dir():
        return InputError("there is no such file", place=path, fix=f"correct the path: {folder} is not a directory")
    names = sorted(child.name for child in folder.iterdir())
    if any(_composed(name) == _composed(path.name) for name in names):
        # Looks the same in any message: an archive packed on a Mac, unpacked elsewhere.
        return InputError(
            "there is no such file, but one whose name has its Hangul composed the other way (as macOS writes it)",
            place=path,
            fix=f"rename it: convmv -f utf-8 -t utf-8 --nfc --notest {folder}/*, or by hand",
        )
    close = get_close_matches(path.name, names, n=3, cutoff=0.5)
    fix = f"did you mean {' or '.join(close)}?" if close else f"{folder} has: {', '.join(names[:10]) or 'nothing'}"
    return InputError("there is no such file", place=path, fix=fix)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def open_bytes(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is gzip, which its first bytes tell and not its name.

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


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """A file as text; nothing is done to its line ends.

    Raises:
        InputError: while it is read: the bytes are not of this encoding, or the gzip data is damaged.
    """
    try:
        with _open_text(path, encoding) as file:
            yield file
    except UnicodeError as error:
        raise _undecodable(path, encoding) from error


@contextmanager
def _open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    try:
        with open_bytes(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="\n") as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from error


def read_lines(path: Path, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    """The lines of a file with their numbers, from 1, without line ends and byte order mark."""
    with open_text(path, encoding or detect_encoding(path)) as file:
        for number, line in enumerate(file, start=1):
            text = line.removeprefix("\ufeff") if number == 1 else line
            yield number, text.removesuffix("\n").removesuffix("\r")


def read_text(path: Path, encoding: str | None = None) -> str:
    """The whole file, for the one format that cannot be read piece by piece."""
    with open_text(path, encoding or detect_encoding(path)) as file:
        return file.read().removeprefix("\ufeff")


def read_head(path: Path, encoding: str) -> str:
    """The first whole lines of a file, or the beginning of its first line where that is very long."""
    with open_text(path, encoding) as file:
        head = file.read(_HEAD).removeprefix("\ufeff")
    if len(head) < _HEAD - 1 or "\n" not in head:
        return head
    return head[: head.rindex("\n") + 1]


def resolve_encoding(path: Path, forced: str | None) -> str:
    """The encoding to read a file in; all of the file is known to decode in it.

    Raises:
        InputError: the forced encoding does not exist or does not fit, or none is found.
    """
    if forced is None:
        return detect_encoding(path)
    try:
        "".encode(forced)
    except LookupError:
        raise InputError(
            f"there is no character encoding {forced!r}", place="--encoding", expected="utf-8, cp949, utf-16, ..."
        ) from None
    if not _decodes(path, forced):
        raise _undecodable(path, forced)
    return forced


def detect_encoding(path: Path) -> str:
    """Find the encoding of a text file: by its byte order mark, else UTF-8, else CP949 (which includes EUC-KR).

    All of the file is decoded, for the first Korean character may stand anywhere. CP949 is logged, once per file.

    Raises:
        InputError: it is none of them.
    """
    head = _first_bytes(path)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            if not _decodes(path, encoding):
                raise _undecodable(path, encoding)
            return encoding
    if b"\0" in head:
        raise InputError(
            "there are zero bytes in it: it is not text, or it is UTF-16 without a byte order mark",
            place=path,
            expected="a text file",
            fix="save it as UTF-8, or say --encoding utf-16-le",
        )
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _decodes(path, "cp949"):
        _warn_of_cp949(path)
        return "cp949"
    raise _undecodable(path, None)


@cache  # once per file, however often it is read
def _warn_of_cp949(path: Path) -> None:
    logger.warning("%s: not UTF-8, read as CP949 (EUC-KR); say --encoding if the text looks wrong", path)


def _first_bytes(path: Path) -> bytes:
    try:
        with open_bytes(path) as file:
            return file.read(4096)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, error) from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", place=path) from error


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with _open_text(path, encoding) as file:
            while file.read(_CHUNK):
                pass
    except UnicodeError:
        return False
    return True


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"the gzip data is damaged or cut off ({error})", place=path, fix="download or compress it again")


def _undecodable(path: Path, encoding: str | None) -> InputError:
    """Say where a file stops being text. Only now are bytes counted: line by line, which is slow."""
    fix = "save it as UTF-8, mend that line, or say --encoding if you know its encoding"
    if encoding is None:
        line, offset, byte = _first_bad_byte(path, "utf-8")
        problem = f"neither UTF-8 nor CP949: byte {offset} (0x{byte:02x}) is not UTF-8"
        return InputError(problem, place=Place(str(path), line), expected="UTF-8 text", fix=fix)
    if "16" in encoding or "32" in encoding:  # a byte 0x0a is no line end there
        return InputError(f"the file is not {encoding}", place=path, expected=f"{encoding} text", fix=fix)
    line, offset, byte = _first_bad_byte(path, encoding)
    problem = f"byte {offset} (0x{byte:02x}) is not {encoding}"
    return InputError(problem, place=Place(str(path), line), expected=f"{encoding} text", fix=fix)


def _first_bad_byte(path: Path, encoding: str) -> tuple[int, int, int]:
    """Line (from 1), offset (from 0) and value of the first byte that does not decode."""
    offset = number = 0
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode(encoding)
            except UnicodeDecodeError as error:
                return number, offset + error.start, line[error.start]
            offset += len(line)
    return number, offset, 0
