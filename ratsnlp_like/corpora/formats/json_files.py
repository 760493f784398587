"""JSON (an array of objects, or an object that holds one) and JSON lines (an object on each line)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten, unreadable
from .text_files import read_lines, read_text

_ARRAY_OF_OBJECTS = '[{"text": "...", "label": "..."}, ...]'
_JSON = re.compile(r"\s*(?:\[\s*\{|\{[ \t\r]*\n)")
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield the objects of the array, as they are; the place is the number of the object, from 1.

    An array can only be read whole. JSON lines is for what does not fit into memory.
    """
    text = read_text(path, options.encoding)
    if not text.strip():
        return
    file = str(path)
    check = _MAY_BE_SURROGATE.search(text) is not None
    for number, value in enumerate(_records(_parse(text, file), path), start=1):
        place = Place(file, number, "record")
        yield Row(_object(value, place, check_surrogates=check), place, typed=True)


def read_jsonl(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield the object of each line, as it is; blank lines are skipped."""
    file = str(path)
    for number, line in read_lines(path, options.encoding):
        if line and not line.isspace():
            place = Place(file, number)
            check = _MAY_BE_SURROGATE.search(line) is not None
            try:
                values = _object(_parse(line, file, number), place, check_surrogates=check)
            except InputError as error:
                yield unreadable(error, place, options)
                continue
            yield Row(values, place, typed=True)


def sniff_json(head: str) -> bool:
    """Return True for the beginning of an array of objects, or of an object that is spread over lines."""
    return _JSON.match(head) is not None


def sniff_jsonl(head: str) -> bool:
    """Return True if each of the first two lines is an object: one such line alone is a whole JSON file as well."""
    lines = [line for line in head.split("\n") if line.strip()][:2]
    return len(lines) == 2 and all(map(_is_object, lines))


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; `json` keeps the last of several values of one key."""
    made = dict(pairs)
    if len(made) < len(pairs):
        differing = [key for key, value in pairs if value != made[key]]
        if differing:
            raise ValueError(f"an object has the key {differing[0]!r} twice, with different values")
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _parse(text: str, file: str, first_line: int = 1) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        start = max(0, error.pos - 20)
        raise InputError(
            f"broken JSON at column {error.colno}: {error.msg}, at the end of {text[start : error.pos]!r}, "
            f"before {text[error.pos : error.pos + 20]!r}",
            place=Place(file, first_line + error.lineno - 1),
            expected="valid JSON",
            fix="correct it there; strings and keys are enclosed in double quotes, and nothing follows the last item",
        ) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
        raise InputError(f"JSON that cannot be read: {error}", place=Place(file, first_line)) from None


def _records(value: Any, path: Path) -> list[Any]:
    if isinstance(value, list):
        return value
    lists = _lists_of_objects(value)
    if len(lists) == 1:
        (records,) = lists.values()
        return records
    if not lists and isinstance(value, dict) and (records := _of_frame(value)):
        return records
    if lists:
        problem = f"an object with {len(lists)} arrays of objects: {', '.join(lists)}"
    elif isinstance(value, dict):
        problem = f"an object without an array of objects; its keys: {', '.join(value) or 'none'}"
    else:
        problem = f"JSON without objects: {shorten(json.dumps(value, ensure_ascii=False))}"
    raise InputError(
        problem,
        place=path,
        expected=f"an array of objects, {_ARRAY_OF_OBJECTS}, or an object that holds one",
        fix="write each array into a file of its own"
        if lists
        else "write the rows as an array, or one object a line with --format jsonl",
    )


def _lists_of_objects(value: Any) -> dict[str, list[Any]]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, list) and item and isinstance(item[0], dict)}


def _of_frame(value: dict[str, Any]) -> list[Any]:
    """Return the rows of what `DataFrame.to_json` writes, by columns or by index, or of lists of cells by column."""
    if value.keys() == {"columns", "index", "data"}:
        return [dict(zip(value["columns"], cells, strict=False)) for cells in value["data"] if isinstance(cells, list)]
    parts = list(value.values())
    if all(isinstance(part, dict) and part.keys() == parts[0].keys() for part in parts):
        if all(key.isdecimal() for key in value):
            return parts
        parts = [list(part.values()) for part in parts if all(key.isdecimal() for key in part)]
    if len(parts) < len(value) or not all(isinstance(part, list) and len(part) == len(parts[0]) for part in parts):
        return []
    return [dict(zip(value, cells, strict=True)) for cells in zip(*parts, strict=True)]


def _object(value: Any, place: Place, *, check_surrogates: bool) -> dict[str, Any]:
    match value:
        case [str(text), {"entities": list(entities)}]:  # spaCy's training data
            value = {"text": text, "entities": entities}
    if not isinstance(value, dict):
        raise InputError(
            f"JSON that is not an object: {shorten(json.dumps(value, ensure_ascii=False))}",
            place=place,
            expected='an object with named fields, {"text": "...", "label": "..."}',
            fix='write {"text": ...}; for bare texts take a file with one text a line',
        )
    if check_surrogates and (lone := _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False))):
        # Legal in JSON, and no character: a tokenizer would fail on it later, without a place.
        raise InputError(
            f"half an emoji: \\u{ord(lone[0]):04x} without its other half",
            place=place,
            expected="both halves, as in \\ud83d\\ude00",
            fix="delete it (the text was cut inside the emoji)",
        )
    return value


FORMATS.register(
    "json",
    Format(
        "json",
        (".json",),
        read_json,
        sniff_json,
        "an array of objects",
        found_in=("jsonl", "text"),
        precedence=60,
    ),
)
FORMATS.register(
    "jsonl",
    Format(
        "jsonl",
        (".jsonl", ".ndjson"),
        read_jsonl,
        sniff_jsonl,
        "an object on each line",
        found_in=("json", "text"),
        precedence=50,
    ),
)
