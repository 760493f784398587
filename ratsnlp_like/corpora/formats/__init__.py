"""File readers: from a file of any known format to rows, whose columns are not interpreted yet.

    for row in read_rows(Path("reviews.tsv")):
        row.values, row.place

A new format is one module that registers itself in `FORMATS` (see `formats.base`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...errors import InputError
from .base import DEFAULTS, FORMATS, Format, OnError, Options, Row
from .checks import check_file, first_bytes
from .text_files import detect_encoding, read_head, resolve_encoding

__all__ = [
    "FORMATS", "Format", "OnError", "Options", "Row", "check_corpus_file", "choose_format", "detect_encoding",
    "known_suffixes", "read_rows",
]  # fmt: skip


def read_rows(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Check a file, choose its format, and return an iterator over its rows.

    Faults of the file as a whole are raised at once, faults of a row when it is reached.

    Raises:
        InputError: the file cannot be read, or it has no rows.
    """
    path = Path(path)
    binary = check_corpus_file(path, options)
    if binary is None:
        # Once, here: readers pass over a file more than once, and this pass decodes all of it.
        options = replace(options, encoding=resolve_encoding(path, options.encoding))
        _check_line_ends(path, options)
    return _rows(path, binary or choose_format(path, options), options)


def check_corpus_file(path: Path, options: Options = DEFAULTS) -> Format | None:
    """Check that a file can be read at all; return its format where that is a binary one.

    Raises:
        InputError: the path is missing, a directory, empty, or a file of a kind that is not read.
    """
    binary = _binary_format(path, options) if path.is_file() else None
    check_file(path, magic=binary.magic if binary else ())
    return binary


def choose_format(path: Path, options: Options = DEFAULTS) -> Format:
    """Return the format that is requested, else the one of the suffix and the first lines.

    Raises:
        InputError: the requested format does not exist.
    """
    if (binary := _binary_format(path, options)) is not None:
        return binary
    if options.format is not None:
        return _requested(options.format)
    suffix = _suffix(path)
    if options.columns and suffix in FORMATS["text"].suffixes:
        head = read_head(path, options.encoding or detect_encoding(path))
        return FORMATS["tsv" if "\t" in head.partition("\n")[0] else "csv"]
    by_suffix = next((entry for _, entry in FORMATS.items() if suffix in entry.suffixes), FORMATS["text"])
    candidates = [entry for _, entry in FORMATS.items() if by_suffix.name in entry.found_in]
    if candidates:
        head = read_head(path, options.encoding or detect_encoding(path))
        candidates.sort(key=lambda entry: entry.precedence)
        return next((entry for entry in candidates if entry.sniff(head)), by_suffix)
    return by_suffix


def known_suffixes() -> frozenset[str]:
    """Suffixes of files that can be read, without their dots."""
    return frozenset(suffix.lstrip(".") for _, entry in FORMATS.items() for suffix in entry.suffixes if suffix)


def _requested(name: str) -> Format:
    try:
        return FORMATS[name]
    except InputError as error:
        raise error.at("--format") from None


def _binary_format(path: Path, options: Options) -> Format | None:
    """The binary format of a file: the requested one, the one of its first bytes, or the one of its suffix."""
    if options.format is not None:
        requested = _requested(options.format)
        return requested if requested.binary else None
    head = first_bytes(path, unpack=False)
    by_content = [
        entry
        for _, entry in FORMATS.items()
        if entry.binary and head.startswith(entry.magic) and (entry.detect is None or entry.detect(path))
    ]
    if by_content:
        return by_content[0]
    suffix = _suffix(path)
    return next((entry for _, entry in FORMATS.items() if entry.binary and suffix in entry.suffixes), None)


def _suffix(path: Path) -> str:
    """`.tsv` of both `a.tsv` and `a.tsv.gz`."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _rows(path: Path, chosen: Format, options: Options) -> Iterator[Row]:
    row = None
    for row in chosen.read(path, options):
        yield row
    if row is None:
        raise _no_rows(path, chosen)


def _check_line_ends(path: Path, options: Options) -> None:
    """Refuse a file of several lines that end with a lone carriage return: it would be one line."""
    head = read_head(path, options.encoding or "utf-8")
    if "\n" not in head and head.count("\r") > 1:
        raise InputError(
            "the file is one long line: its lines end with a lone carriage return (old Macintosh)",
            place=path,
            expected="lines that end with \\n or \\r\\n",
            fix="save it again, as CSV (UTF-8)",
        )


def _no_rows(path: Path, chosen: Format) -> InputError:
    return InputError(
        f"the file has no rows (it was read as {chosen.name})",
        place=path,
        expected="a header and at least one row" if chosen.name in ("csv", "tsv") else "at least one row",
        fix="fill the file, or name another one",
    )
