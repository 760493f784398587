"""Cells of a row -> values of the fields of an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..examples.base import Example, Labelled
from ..examples.entity import EntityExample
from ..examples.question import QuestionExample
from ..examples.text import TextExample
from ..examples.values import is_missing
from .annotations import normalise_entities
from .answers import normalise_answers
from .formats import Row
from .labels import LabelReader
from .notices import Notices
from .relations import RELATION, marked_text

MEANINGFUL = frozenset({*RELATION, "system", "history", "aspect", "aspect_term", "aspect_category"})
"""Columns that change the meaning of a row: reported where they are not read."""
_MARKED = "sentences whose two entities are marked: <subj>...</subj>, <obj>...</obj>"


def field_values(
    row: Row, found: Mapping[str, tuple[str, ...]], kind: type[Example], labels: LabelReader, notices: Notices
) -> dict[str, Any] | None:
    """Return the values of the fields of a row; None where the row is left out, which is counted.

    Args:
        row: the row.
        found: field -> its columns.
        kind: the type of example.
        labels: reads the labels.
        notices: counts of corrections and of rows that are left out.

    Raises:
        InputError: a value cannot be read.
    """
    values: dict[str, Any] = {}
    for name, columns in found.items():
        if len(columns) > 1:
            values[name] = [column for column in columns if _is_set(row, column)]
        else:
            value = cell(row.values, columns[0])
            values[name] = None if is_missing(value) else value
    if "label" in values and issubclass(kind, Labelled) and len(found["label"]) == 1:
        if not labels.agreed(values["label"], row, kind):
            return None
        values["label"] = labels.read(values["label"], row)
    if issubclass(kind, EntityExample) and values.get("entities") is not None:
        text = values.get("text")
        raw, trim = values["entities"], row.typed or isinstance(values["entities"], str)
        try:
            values["entities"] = normalise_entities(
                raw, text if isinstance(text, str) else "", row.place, notices, trim=trim
            )
        except InputError as error:
            raise error.at(row.place) from None
    if issubclass(kind, QuestionExample):
        values = normalise_answers(values, row.place, notices)
    if unread := MEANINGFUL.intersection(row.values):
        _read_meaningful(values, row, unread.difference(*found.values()), kind, notices)
    return values


def _read_meaningful(
    values: dict[str, Any], row: Row, unread: frozenset[str], kind: type[Example], notices: Notices
) -> None:
    """Mark the two entities of a relation in the text, and report the columns that stay unread."""
    if issubclass(kind, TextExample) and (marked := marked_text(values.get("text"), row.values, row.place)) is not None:
        values["text"] = marked
        unread -= RELATION.keys()
        notices.add(_MARKED, row.place)
    for name in sorted(unread):
        if not is_missing(row.values[name]) and row.values[name] not in ("", [], {}):
            notices.add(f"the column {name!r} changes the meaning of a row and is not read", row.place)


def cell(values: Mapping[str, Any], column: str) -> Any:
    """Return the value of a column; `talk.content` is the `content` within `talk`, `a.0` the first of a list."""
    if column in values or "." not in column:
        return values.get(column)
    value: Any = values
    for part in column.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, (list, tuple)) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def has_column(values: Mapping[str, Any], column: str) -> bool:
    """Return True if a row has a column, or the path of one into nested values."""
    return column in values or (
        "." in column and column.partition(".")[0] in values and cell(values, column) is not None
    )


def _is_set(row: Row, column: str) -> bool:
    value = str(cell(row.values, column)).strip().lower()
    if value in {"1", "1.0", "true"}:
        return True
    if value in {"0", "0.0", "false", "none", ""}:
        return False
    raise InputError(f"the column {column!r} holds {value!r}", place=row.place, expected="0 or 1 in a class column")
