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


class FieldReader:
    """Reader of the fields of the rows of one pass over a split.

    Args:
        kind: the type of example.
        labels: reads the labels.
        notices: counts of corrections and of rows that are left out.
    """

    def __init__(self, kind: type[Example], labels: LabelReader, notices: Notices) -> None:
        self._labels, self._notices = labels, notices
        self._is_labelled = issubclass(kind, Labelled)  # once: there may be millions of rows
        self._has_entities = issubclass(kind, EntityExample)
        self._has_answers = issubclass(kind, QuestionExample)
        self._is_text = issubclass(kind, TextExample)

    def values(self, row: Row, found: Mapping[str, tuple[str, ...]]) -> dict[str, Any] | None:
        """Return the values of the fields of a row; None where the row is left out, which is counted.

        Args:
            row: the row.
            found: field -> its columns.

        Raises:
            InputError: a value cannot be read.
        """
        values: dict[str, Any] = {}
        for name, columns in found.items():
            if len(columns) > 1:
                values[name] = [column for column in columns if _is_set(row, column)]
            else:
                value = cell(row.values, columns[0])
                values[name] = None if type(value) is not str and is_missing(value) else value
        if self._is_labelled and "label" in values and len(found["label"]) == 1:
            value = values["label"]
            known = self._labels.known(value, row)
            if known is None and not self._labels.agreed(value, row):
                return None
            values["label"] = known or self._labels.read(value, row)
        if self._has_entities and values.get("entities") is not None:
            self._read_entities(values, row)
        if self._has_answers:
            values = normalise_answers(values, row.place, self._notices)
        if not MEANINGFUL.isdisjoint(row.values):
            self._read_meaningful(values, row, MEANINGFUL.intersection(row.values).difference(*found.values()))
        return values

    def _read_entities(self, values: dict[str, Any], row: Row) -> None:
        raw, text = values["entities"], values.get("text")
        trim = row.typed or isinstance(raw, str)
        try:
            values["entities"] = normalise_entities(
                raw, text if isinstance(text, str) else "", row.place, self._notices, trim=trim
            )
        except InputError as error:
            raise error.at(row.place) from None

    def _read_meaningful(self, values: dict[str, Any], row: Row, unread: frozenset[str]) -> None:
        """Mark the two entities of a relation in the text, and report the columns that stay unread."""
        if self._is_text and (marked := marked_text(values.get("text"), row.values, row.place)) is not None:
            values["text"] = marked
            unread -= RELATION.keys()
            self._notices.add(_MARKED, row.place)
        for name in sorted(unread):
            if not is_missing(row.values[name]) and row.values[name] not in ("", [], {}):
                self._notices.add(f"the column {name!r} changes the meaning of a row and is not read", row.place)


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
