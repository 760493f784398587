"""Texts with named entities."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError
from .base import Example, Place
from .edited import TextEdit
from .values import as_string, clean_label, parse_json

_TAG = re.compile(r"[BIESLU]-.+")


class Entity(NamedTuple):
    """A named entity in characters of the original text, `end` exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class EntityExample(Example):
    """A text and its named entities, sorted, in characters; None where they are to be predicted.

    Raises:
        InputError: an entity is outside the text, is empty, or overlaps another.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "document", "content", "문장", "텍스트", "내용", "본문"),
        "entities": (
            "entities",
            "entity",
            "ner",
            "spans",
            "label",
            "labels",
            "ne",
            "annotations",
            "annotation",
            "result",
            "개체명",
            "개체",
        ),
    }  # fmt: skip
    optional: ClassVar[frozenset[str]] = frozenset({"entities"})

    text: str = ""
    entities: tuple[Entity, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row; entities are [start, end, label] or {"start", "end", "label"[, "text"]}."""
        text = as_string(row.get("text"), "text", place)
        if (raw := row.get("entities")) is None:
            return cls(text=text, place=place)
        raw = parse_json(raw, place)
        if isinstance(raw, str) and not raw.strip():
            raw = ()
        if not isinstance(raw, (list, tuple)):
            raise InputError(
                f"the entities are {str(raw)[:60]!r}",
                place=place,
                expected='a list like [{"start": 0, "end": 3, "label": "PS"}]',
            )
        entities = sorted(_entity(item, text, place) for item in raw)
        for left, right in pairwise(entities):
            if right.start < left.end:
                raise InputError(
                    f"the entities {text[left.start : left.end]!r} ({left.label}, {left.start}-{left.end}) and "
                    f"{text[right.start : right.end]!r} ({right.label}, {right.start}-{right.end}) overlap",
                    place=place,
                    expected="entities that do not overlap: a token has one label",
                    fix="keep the outer or the inner one of each pair",
                )
        return cls(text=text, entities=tuple(entities), place=place)

    def edited(self, edit: TextEdit) -> Self:
        edited = edit(self.text)
        if self.entities is None:
            return replace(self, text=edited.text)
        entities = tuple(Entity(*edited.span(e.start, e.end), e.label) for e in self.entities)
        return replace(self, text=edited.text, entities=entities)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Types of the entities in this text."""
        return tuple(entity.label for entity in self.entities or ())


def _entity(item: Any, text: str, place: Place | None) -> Entity:
    start: Any
    end: Any
    quoted = None
    if isinstance(item, Mapping):
        start, end, quoted = item.get("start"), item.get("end"), item.get("text")
        label = item.get("label", item.get("type"))
    else:
        start, end, label = item if isinstance(item, (list, tuple)) and len(item) == 3 else (None, None, None)
    if not (_is_offset(start) and _is_offset(end) and isinstance(label, str) and label.strip()):
        raise InputError(
            f"cannot read the entity {str(item)[:80]!r}",
            place=place,
            expected='{"start": 0, "end": 3, "label": "PS"} or [0, 3, "PS"], in characters, end exclusive',
        )
    if _TAG.fullmatch(label):
        raise InputError(
            f"the label of the entity is the tag {label!r}",
            place=place,
            expected="the type of the entity, without the prefix of a tag",
            fix=f"write {label[2:]!r}",
        )
    entity = Entity(start, end, clean_label(label))
    if not 0 <= entity.start < entity.end <= len(text):
        raise InputError(
            f"the entity {tuple(entity)} is outside its text of {len(text)} characters or is empty", place=place
        )
    found = text[entity.start : entity.end]
    if quoted is not None and quoted != found:
        where = text.find(str(quoted))
        raise InputError(
            f"the entity has the text {quoted!r}, but characters {entity.start}-{entity.end} are {found!r}",
            place=place,
            fix=f"start {where}, end {where + len(str(quoted))}" if where >= 0 else "correct the offsets or the text",
        )
    return entity


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
