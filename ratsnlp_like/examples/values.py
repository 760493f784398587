"""Values of cells -> texts and class names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..errors import InputError
from .base import Place


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
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)):
        raise InputError(f"the {name} is {type(value).__name__} {str(value)[:60]!r}", place=place, expected="a string")
    return str(value)


def as_label(value: Any, place: Place | None) -> str | None:
    """Return a cell as a class name: text, whole numbers and booleans are names, floats are not."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    number = value
    if isinstance(value, str):
        value = value.strip()
        if not value:
            return None
        if not _is_decimal(value):
            return value
        number = float(value)
    if isinstance(number, float):
        whole = number.is_integer()
        raise InputError(
            f"the label is the decimal number {value}",
            place=place,
            expected="a class name or a whole number",
            fix=f"write {int(number)} (a column with empty cells is often saved as decimals; fill or drop those rows)"
            if whole
            else "name the column of classes with --label_column, or give each range of scores a class name",
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
