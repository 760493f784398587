"""Values of cells -> texts and class names."""

from __future__ import annotations

import ast
import json
import math
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..errors import InputError
from .base import Place

INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
"""Characters without width, which two labels can differ in."""
_REMOVED = dict.fromkeys(map(ord, INVISIBLE))


class ClassName(str):
    """A class name as written: it is not read as a number."""

    __slots__ = ()


@lru_cache(maxsize=4096)  # a corpus has few labels
def clean_label(text: str) -> str:
    """Return a label in NFC, without invisible characters and without white space at its edges."""
    return unicodedata.normalize("NFC", text.translate(_REMOVED)).strip()


def is_missing(value: Any) -> bool:
    """Return True for the missing values of JSON, Parquet and DataFrames: null, NaN, NA, NaT."""
    if isinstance(value, str):  # nearly all of them
        return False
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return type(value).__name__ in {"NAType", "NaTType"}


def parse_json(value: Any, place: Place | None) -> Any:
    """Return the value of a cell that holds a JSON array or object; any other value as it is.

    Raises:
        InputError: the JSON is nested too deeply.
    """
    if not isinstance(value, str) or value.lstrip()[:1] not in {"[", "{"}:
        return value
    try:
        return json.loads(value)
    except RecursionError:
        raise InputError("JSON that is nested too deeply", place=place, expected="a list") from None
    except ValueError:
        return value


_PARSERS: tuple[Callable[[str], Any], ...] = (json.loads, ast.literal_eval)


def parse_list(text: str) -> Any:
    """Return the list that a cell holds as JSON or as Python writes it (and pandas to CSV); any other cell as it is."""
    for parse in _PARSERS:
        try:
            value = parse(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(value, list):
            return value
    return text


def as_string(value: Any, name: str, place: Place | None) -> str:
    """Return a cell as text: an empty cell is an empty text, numbers are written out."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"the {name} is broken at character {error.start + 1}: half a character (a lone surrogate)",
                place=place,
                expected="whole Unicode text",
                fix="read it in its own encoding (CP949?), and write emoji whole",
            ) from None
        return value
    if is_missing(value):
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"the {name} is {type(value).__name__} {str(value)[:60]!r}", place=place, expected="a string")
    return str(value)


def as_label(value: Any, place: Place | None) -> str | None:
    """Return a cell as a class name: text, whole numbers and booleans are names, floats are not."""
    if is_missing(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    number = value
    if isinstance(value, str):
        exact, value = isinstance(value, ClassName), clean_label(value)
        if not value:
            return None
        if exact:
            return value
        if not _is_decimal(value):
            return value
        number = float(value)
    if isinstance(number, float):
        whole = number.is_integer()
        raise InputError(
            f"the label is the decimal number {value}",
            place=place,
            expected="a class name or a whole number",
            fix=f"write {int(number)} (a column with empty cells is often saved as decimals; fill or drop those rows); "
            "--label_type class, if it is the name of a class"
            if whole
            else "--label_type class, if it is the name of a class; else name the column of classes: --label_column",
        )
    return as_string(value, "label", place)


def as_labels(value: Any, place: Place | None) -> str | tuple[str, ...] | None:
    """Return a cell as a class name, or a list as a tuple of them."""
    if isinstance(value, (list, tuple)):
        return tuple(name for one in value if (name := as_label(one, place)) is not None)
    return as_label(value, place)


@lru_cache(maxsize=4096)  # a corpus has few labels
def _is_decimal(value: str) -> bool:
    """Return True for decimal numbers, which are no class names: `0.5`, `1.0`, `1e-3`."""
    digits = value.lstrip("+-")
    if not digits[:1].isdigit() and not digits.startswith("."):
        return False
    if digits.isdigit():
        return False
    try:
        float(value)
    except ValueError:
        return False
    return value.count(".") == 1 or "e" in value.lower()
