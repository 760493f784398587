"""Sentences with a relation between two of their entities -> texts in which both are marked.

The marks are those of KLUE's baseline for relation extraction: `<subj>이슬비</subj>가 <obj>전주</obj>에서 왔다.`
Without them, a sentence has a label for each pair of its entities.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..examples.base import Place
from ..examples.values import parse_json

RELATION = {"subject_entity": "subj", "object_entity": "obj"}
"""Column of an entity -> name of its mark."""


def marked_text(text: Any, values: Mapping[str, Any], place: Place) -> str | None:
    """Return the text of a row with its two entities marked; None where the row does not locate both.

    Args:
        text: of the row.
        values: its columns. An entity has `start_idx` and `end_idx` (inclusive) in characters, and its `word`; the
            cell of a table holds it as JSON or as Python writes it.
        place: of the row.

    Raises:
        InputError: the characters of an entity are not its word.
    """
    entities = [_entity(values.get(column), place) for column in RELATION]
    if not isinstance(text, str) or None in entities:
        return None
    marks = []
    for entity, (column, name) in zip(entities, RELATION.items(), strict=True):
        assert entity is not None
        start, end = _span(entity, column, text, place)
        marks += [(start, 1, f"<{name}>"), (end, 0, f"</{name}>")]
    out = text
    for position, _, mark in sorted(marks, reverse=True):  # from the end; one entity closes before the next one opens
        out = out[:position] + mark + out[position:]
    return out


def _entity(cell: Any, place: Place) -> Mapping[str, Any] | None:
    value = parse_json(cell, place)
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return value if isinstance(value, Mapping) and {"start_idx", "end_idx"} <= value.keys() else None


def _span(entity: Mapping[str, Any], column: str, text: str, place: Place) -> tuple[int, int]:
    """Return start and end, the end exclusive."""
    start, last, word = entity["start_idx"], entity["end_idx"], entity.get("word")
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (start, last))
    if not whole or not 0 <= start <= last < len(text):
        raise InputError(
            f"the {column} is {dict(entity)}",
            place=place,
            expected=f"start_idx and end_idx (inclusive) within the {len(text)} characters of the text",
        )
    if isinstance(word, str) and text[start : last + 1] != word:
        at = text.find(word)
        raise InputError(
            f"the {column} is {word!r}, but characters {start}-{last} are {text[start : last + 1]!r}",
            place=place,
            fix=f'"start_idx": {at}, "end_idx": {at + len(word) - 1}' if at >= 0 else "correct the offsets or the word",
        )
    return start, last + 1
