"""The canonical examples: what every corpus yields and every task takes.

Every file format becomes one of these; nothing after the corpus knows the format. A task brings its
own example by subclassing `Example`: the names of its fields are the names of the columns, and
`aliases` says under which other names a column is found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

from .errors import InputError


class Place(NamedTuple):
    """Where a row stands, for messages."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


class Entity(NamedTuple):
    """A named entity in characters of the original text, `end` exclusive."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Example:
    """One row of a corpus. `place` is where it was read; it takes no part in comparison."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Other column names under which a field is found, lower-case, in order of preference."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that a row may lack (text to predict on has no label)."""

    place: Place | None = field(default=None, compare=False, kw_only=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the fields that are read from a row."""
        return tuple(f.name for f in fields(cls) if f.name != "place")

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Make an example from a row whose keys are field names.

        Raises:
            InputError: a value is not of the kind that the field takes.
        """
        return cls(**{name: row[name] for name in cls.columns() if name in row}, place=place)

    @classmethod
    def of(cls, value: Any) -> Self:
        """What a user hands over to be predicted: a string, a mapping, a tuple in the order of the columns."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = (value,)
        if isinstance(value, Mapping):
            unknown = [name for name in value if name not in cls.columns()]
            if unknown:
                raise InputError(f"no field {unknown[0]!r}", expected=f"fields {', '.join(cls.columns())}")
            return cls.from_row(value)
        required = [name for name in cls.columns() if name not in cls.optional]
        if not isinstance(value, (tuple, list)) or len(value) != len(required):
            raise InputError(
                f"cannot read {str(value)[:60]!r} as {cls.__name__}",
                expected=f"a string for the {required[0]}"
                if len(required) == 1
                else f"a tuple ({', '.join(required)}), or a mapping with these keys",
            )
        return cls.from_row(dict(zip(required, value, strict=True)))

    @property
    def missing(self) -> str | None:
        """The name of the first field that is to be predicted, None where the example is complete."""
        return next((name for name in self.columns() if getattr(self, name) is None), None)

    @property
    def stratum(self) -> str:
        """What a stratified cut keeps in balance: the label, where there is one."""
        return ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """The names of the labels that this example carries."""
        return ()

    def to_json(self) -> str:
        """One line of JSON, read back by `from_json`."""
        row = {name: getattr(self, name) for name in self.columns()}
        return json.dumps([row, self.place], ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The example that `to_json` wrote."""
        row, place = json.loads(text)
        return cls.from_row(row, Place(*place) if place else None)


def as_string(value: Any, name: str, place: Place | None) -> str:
    """A text, from whatever a file holds: nothing is an empty text, numbers are written out."""
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
    """A class name, from whatever a file holds: text, whole numbers and booleans have names, floats do not."""
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
    """A class name, or a tuple of them for a list."""
    if isinstance(value, (list, tuple)):
        return tuple(name for one in value if (name := as_label(one, place)) is not None)
    return as_label(value, place)


def _is_decimal(value: str) -> bool:
    """`0.5`, `1.0`, `1e-3`: numbers that no class is named after."""
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


class Labelled(Example):
    """What examples with a class share. A subclass has the field `label`: a class, a tuple of them, or None."""

    label: str | tuple[str, ...] | None

    @property
    def stratum(self) -> str:
        """The class, or the set of classes."""
        return "\t".join(self.label_names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes of this example."""
        if self.label is None:
            return ()
        return self.label if isinstance(self.label, tuple) else (self.label,)


_TEXT_NAMES = (
    "text", "document", "sentence", "review", "comments", "comment", "content", "title", "body", "utterance",
    "문장", "텍스트", "내용", "본문", "리뷰", "제목", "댓글", "발화",
)  # fmt: skip


@dataclass(frozen=True)
class RawExample(Example):
    """A text and nothing else, for language modelling."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {"text": _TEXT_NAMES}

    text: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`."""
        return cls(text=as_string(row.get("text"), "text", place), place=place)


@dataclass(frozen=True)
class TextExample(Labelled):
    """A text and its class, or its classes (`label` is a tuple then), or none where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _TEXT_NAMES,
        "label": (
            "label", "labels", "class", "category", "sentiment", "target", "y", "intent", "topic", "emotion",
            "라벨", "레이블", "분류", "감정", "감성", "카테고리", "정답",
        ),
    }  # fmt: skip
    optional: ClassVar[frozenset[str]] = frozenset({"label"})

    text: str = ""
    label: str | tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; a list of labels makes a multi-label example."""
        text = as_string(row.get("text"), "text", place)
        return cls(text=text, label=as_labels(row.get("label"), place), place=place)


@dataclass(frozen=True)
class EntityExample(Example):
    """A text and its named entities, sorted, in characters; None where they are to be predicted.

    Raises:
        InputError: an entity lies outside the text, is empty, or overlaps another.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": ("text", "sentence", "document", "content", "문장", "텍스트", "내용", "본문"),
        "entities": ("entities", "entity", "ner", "spans", "label", "labels", "ne", "개체명", "개체"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"entities"})

    text: str = ""
    entities: tuple[Entity, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """See `Example.from_row`; entities are [start, end, label] or {"start", "end", "label"[, "text"]}."""
        text = as_string(row.get("text"), "text", place)
        if (raw := row.get("entities")) is None:
            return cls(text=text, place=place)
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except ValueError:
                raw = raw or "''"
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

    @property
    def label_names(self) -> tuple[str, ...]:
        """The types of the entities in this text."""
        return tuple(entity.label for entity in self.entities or ())


def _entity(item: Any, text: str, place: Place | None) -> Entity:
    said = None
    try:
        if isinstance(item, Mapping):
            start, end = item["start"], item["end"]
            label, said = item.get("label", item.get("type")), item.get("text")
        else:
            start, end, label = item
        entity = Entity(int(start), int(end), str(label))
    except (KeyError, TypeError, ValueError):
        label = None
    if label is None:
        raise InputError(
            f"cannot read the entity {str(item)[:80]!r}",
            place=place,
            expected='{"start": 0, "end": 3, "label": "PS"} or [0, 3, "PS"], in characters, end exclusive',
        )
    if not 0 <= entity.start < entity.end <= len(text):
        raise InputError(
            f"the entity {tuple(entity)} lies outside its text of {len(text)} characters or is empty", place=place
        )
    found = text[entity.start : entity.end]
    if said is not None and said != found:
        where = text.find(str(said))
        raise InputError(
            f"the entity says {said!r}, but characters {entity.start}-{entity.end} of the text are {found!r}",
            place=place,
            fix=f"start {where}, end {where + len(str(said))}" if where >= 0 else "correct the offsets or the text",
        )
    return entity
