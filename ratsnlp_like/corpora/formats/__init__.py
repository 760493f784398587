"""File readers: from a file of any known format to rows, and nothing about what the columns mean.

    for row in read_rows(Path("reviews.tsv")):
        row.values, row.place

A new format is a module with a reader, and an entry in `FORMATS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ...errors import InputError, did_you_mean
from .base import DEFAULTS, Format, Options, Row, never
from .book import read_book_ner, sniff_book_ner
from .conll import read_conll, sniff_conll
from .files import check_file, detect_encoding, is_parquet, read_head, resolve_encoding
from .json_files import read_json, read_jsonl, sniff_json, sniff_jsonl
from .klue import read_klue_ner, sniff_klue_ner
from .parquet import read_parquet
from .squad import read_squad, sniff_squad
from .tabular import read_csv, read_tsv, sniff_tsv
from .text import read_plain_text

__all__ = ["FORMATS", "Format", "Options", "Row", "check_file", "choose_format", "detect_encoding", "read_rows"]

_ENTITIES = ("book-ner", "klue-ner", "conll")

FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        entry.name: entry
        for entry in (
            Format("csv", (".csv",), read_csv, never, "a header and cells, with quoting"),
            Format("tsv", (".tsv", ".tab"), read_tsv, sniff_tsv, "a header and cells between tabs", _ENTITIES),
            Format("json", (".json",), read_json, sniff_json, "an array of objects", ("squad", "jsonl")),
            Format("squad", (), read_squad, sniff_squad, "SQuAD's and KorQuAD's articles, paragraphs and questions"),
            Format("jsonl", (".jsonl", ".ndjson"), read_jsonl, sniff_jsonl, "an object on each line", ("json",)),
            Format("parquet", (".parquet", ".pq"), read_parquet, never, "a Parquet table"),
            Format(
                "conll",
                (".conll", ".bio", ".iob", ".iob2"),
                read_conll,
                sniff_conll,
                "a word and its BIO tag on each line",
                ("klue-ner",),
            ),
            Format("klue-ner", (), read_klue_ner, sniff_klue_ner, "KLUE-NER: a character and its BIO tag on each line"),
            Format("book-ner", (), read_book_ner, sniff_book_ner, "sentence, U+241E, sentence with <entity:TAG>"),
            Format(
                "text",
                (".txt", ""),
                read_plain_text,
                never,
                "a text on each line",
                (*_ENTITIES, "jsonl", "json", "tsv"),
            ),
        )
    }
)
"""Every format by its name."""


def read_rows(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Check a file, choose its format, and stream its rows.

    What is wrong with the file as a whole is said at once, what is wrong with a row when it is reached.

    Raises:
        InputError: the file cannot be read, or it has no rows.
    """
    path = Path(path)
    check_file(path, parquet=options.format in (None, "parquet"))
    if _forced(path, options) != "parquet":
        # Once, here: readers pass over a file more than once, and this pass decodes all of it.
        options = replace(options, encoding=resolve_encoding(path, options.encoding))
    return _rows(path, choose_format(path, options), options)


def choose_format(path: Path, options: Options = DEFAULTS) -> Format:
    """The format that is asked for, else the one that the suffix and the first lines speak for.

    Raises:
        InputError: no format has the name that is asked for.
    """
    if (name := _forced(path, options)) is not None:
        if name not in FORMATS:
            raise InputError(f"there is no format {name!r}", place="--format", fix=did_you_mean(name, FORMATS))
        return FORMATS[name]
    by_suffix = next((entry for entry in FORMATS.values() if _suffix(path) in entry.suffixes), FORMATS["text"])
    if by_suffix.rivals:
        head = read_head(path, options.encoding or detect_encoding(path))
        return next((FORMATS[name] for name in by_suffix.rivals if FORMATS[name].sniff(head)), by_suffix)
    return by_suffix


def _forced(path: Path, options: Options) -> str | None:
    """The format that is asked for; Parquet asks for itself, and must not be looked into as text."""
    if options.format is None and (is_parquet(path) or _suffix(path) in FORMATS["parquet"].suffixes):
        return "parquet"
    return options.format


def _suffix(path: Path) -> str:
    """`.tsv` of both `a.tsv` and `a.tsv.gz`."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _rows(path: Path, chosen: Format, options: Options) -> Iterator[Row]:
    row = None
    for row in chosen.read(path, options):
        yield row
    if row is None:
        raise _no_rows(path, chosen, options)


def _no_rows(path: Path, chosen: Format, options: Options) -> InputError:
    if chosen.name != "parquet" and "\r" in (head := read_head(path, options.encoding or "utf-8")) and "\n" not in head:
        return InputError(
            "the file is one long line: its lines end with a lone carriage return (old Macintosh)",
            place=path,
            expected="lines that end with \\n or \\r\\n",
            fix="save it again, as CSV (UTF-8)",
        )
    return InputError(
        f"the file has no rows (it was read as {chosen.name})",
        place=path,
        expected="a header and at least one row" if chosen.name in ("csv", "tsv") else "at least one row",
        fix="fill the file, or name another one",
    )
