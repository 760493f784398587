r"""Lines of text files: encodings, gzip, line ends.

Lines end at `\n` or `\r\n` and nowhere else. Python's `str.splitlines`, and text files opened with the default
`newline`, also split at U+2028, `\x85`, `\x0b`, `\x0c` or a lone `\r`; those occur inside reviews and are data.
"""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TextIO

from ...errors import InputError
from ...examples.base import Place
from .checks import damaged_gzip, first_bytes, open_bytes

log = logging.getLogger("ratsnlp_like")

_CHUNK = 1 << 16  # characters
_HEAD = 1 << 16  # characters
_MARKS = {  # UTF-32's begins with UTF-16's
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NO_FILE_ENCODINGS = frozenset({"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"})
_MANY_NULS = 0.05  # share of the characters; UTF-16 without a byte order mark has one in each space and line end


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a file as text, with its line ends as they are.

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
        raise damaged_gzip(path, error) from error


def read_lines(path: Path, encoding: str | None = None) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers, from 1, without line ends and byte order mark."""
    with open_text(path, encoding or detect_encoding(path)) as file:
        for number, line in enumerate(file, start=1):
            text = line.removeprefix("\ufeff") if number == 1 else line
            yield number, text.removesuffix("\n").removesuffix("\r")


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return the whole file, for a format that cannot be read piece by piece."""
    with open_text(path, encoding or detect_encoding(path)) as file:
        return file.read().removeprefix("\ufeff")


def read_head(path: Path, encoding: str) -> str:
    """Return the first whole lines of a file, or the beginning of its first line where that is very long."""
    with open_text(path, encoding) as file:
        head = file.read(_HEAD).removeprefix("\ufeff")
    if len(head) < _HEAD - 1 or "\n" not in head:
        return head
    return head[: head.rindex("\n") + 1]


def resolve_encoding(path: Path, requested: str | None) -> str:
    """Return the encoding to read a file in; all of the file has been decoded in it.

    Raises:
        InputError: the requested encoding does not exist or does not fit, or none is found.
    """
    if requested is None:
        return detect_encoding(path)
    try:
        if codecs.lookup(requested).name in _NO_FILE_ENCODINGS:
            raise LookupError
        if "가a".encode(requested).decode(requested) != "가a":
            raise LookupError
    except UnicodeEncodeError:
        pass  # an encoding without Hangul (latin-1) can hold the file even so
    except (LookupError, UnicodeError):
        raise InputError(
            f"{requested!r} is not a character encoding that a file can have",
            place="--encoding",
            expected="utf-8, cp949, utf-16, ...",
        ) from None
    if not _decodes(path, requested):
        raise _undecodable(path, requested)
    return requested


def detect_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its byte order mark, else UTF-8, else CP949 (which includes EUC-KR).

    All of the file is decoded, for the first Korean character may be anywhere. CP949 is logged, once per file.

    Raises:
        InputError: it is none of them, or it holds NUL characters.
    """
    head = first_bytes(path)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            if not _decodes(path, encoding):
                raise _undecodable(path, encoding)
            return encoding
    if head.count(b"\0") > _MANY_NULS * len(head):
        raise _utf16_without_mark(path)
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _decodes(path, "cp949"):
        _warn_of_cp949(path)
        return "cp949"
    raise _undecodable(path, None)


@cache  # once per file, however often it is read
def _warn_of_cp949(path: Path) -> None:
    log.warning("%s: not UTF-8, read as CP949 (EUC-KR); give --encoding if the text looks wrong.", path)


def _decodes(path: Path, encoding: str) -> bool:
    """Decode all of a file; return False if it is not of this encoding.

    Raises:
        InputError: it is, and holds a NUL character.
    """
    nul_at_line, line = 0, 1
    try:
        with _open_text(path, encoding) as file:
            while chunk := file.read(_CHUNK):
                if not nul_at_line and "\0" in chunk:
                    nul_at_line = line + chunk[: chunk.index("\0")].count("\n")
                line += chunk.count("\n")
    except UnicodeError:
        return False
    if nul_at_line:
        raise InputError(
            "a NUL character (byte 0)",
            place=Place(str(path), nul_at_line),
            expected="text",
            fix=f"delete it, on all lines: tr -d '\\000' < {path.name} > clean{path.suffix}",
        )
    return True


def _utf16_without_mark(path: Path) -> InputError:
    return InputError(
        "there are NUL characters (zero bytes) all over it: it is not text, or it is UTF-16 without a byte order mark",
        place=path,
        expected="a text file",
        fix="save it as UTF-8, or give --encoding utf-16-le",
    )


def _undecodable(path: Path, encoding: str | None) -> InputError:
    """Return an error with the first undecodable byte. Only here are bytes counted line by line, which is slow."""
    fix = "save it as UTF-8, fix that line, or give --encoding if you know its encoding"
    if encoding is None:
        line, offset, byte = _first_bad_byte(path, "utf-8")
        problem = f"neither UTF-8 nor CP949: byte {offset} (0x{byte:02x}) is not UTF-8"
        return InputError(problem, place=Place(str(path), line), expected="UTF-8 text", fix=fix)
    if "16" in encoding or "32" in encoding:  # a byte 0x0a is not always a line end there
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
