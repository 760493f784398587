"""The canonical examples: what every corpus yields and every task takes.

Every file format becomes one of these; nothing after the corpus knows the format. A task brings its
own example by subclassing `Example`: the names of its fields are the names of the columns, and
`aliases` says under which other names a column is found.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError


class Place(NamedTuple):
    """Where a row stands, for messages."""

    file: str
    line: int
    """Its number, from 1."""
    unit: str = "line"
    """What is counted: lines, or the records of a file that has none."""

    def __str__(self) -> str:
        return f"{self.file}, {self.unit} {self.line}"


@dataclass(frozen=True)
class Example:
    """One row of a corpus. `place` is where it was read; it takes no part in comparison."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Other column names under which a field is found, lower-case, in order of preference."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that a row may lack (text to predict on has no label)."""
    alternatives: ClassVar[tuple[str, ...]] = ()
    """Fields of which a row has one: the one whose column is named, else the first that is found."""
    predicted: ClassVar[frozenset[str] | None] = None
    """Fields that are predicted, and not looked at for that; those that are optional where nothing else is said."""

    place: Place | None = field(default=None, compare=False, kw_only=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The names of the fields that are read from a row."""
        return _columns(cls)  # type: ignore[arg-type]

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
        required = cls.required()
        if isinstance(value, Mapping):
            unknown = [name for name in value if name not in cls.columns()]
            if unknown:
                raise InputError(f"no field {unknown[0]!r}", expected=f"fields {', '.join(cls.columns())}")
            return cls.from_row(_complete(value, required))
        if not isinstance(value, (tuple, list)) or len(value) != len(required):
            raise InputError(
                f"cannot read {str(value)[:60]!r} as {cls.__name__}",
                expected=f"a string for the {required[0]}"
                if len(required) == 1
                else f"a tuple ({', '.join(required)}), or a mapping with these keys",
            )
        return cls.from_row(_complete(dict(zip(required, value, strict=True)), required))

    @classmethod
    def required(cls) -> list[str]:
        """The fields that every row has."""
        return [name for name in cls.columns() if name not in cls.optional]

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """Whether a user hands over one input and not several; a tuple is one where an input has several texts."""
        if isinstance(value, tuple):
            return len(cls.required()) > 1
        return isinstance(value, (str, Mapping, Example)) or not isinstance(value, Iterable)

    def as_input(self) -> Self:
        """This example as an input: the same, where nothing reads otherwise when it is not to be learnt."""
        return self

    def __str__(self) -> str:
        """What was given, for a line that shows an input."""
        return "\t".join(str(value) for value in self.inputs().values() if value)

    def inputs(self) -> dict[str, Any]:
        """What was given, as JSON, for a row that shows an input."""
        return {name: value for name in self.given() if (value := getattr(self, name)) is not None}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to learn from: the first column is blank."""
        return not str(getattr(self, type(self).columns()[0])).strip()

    @property
    def missing(self) -> str | None:
        """The name of the first field that is to be predicted, None where the example is complete."""
        for name in self.columns():
            if getattr(self, name) is None:
                return name
        return None

    @classmethod
    def predicted_fields(cls) -> frozenset[str]:
        """The fields that are predicted: labels are not looked at then."""
        return cls.optional if cls.predicted is None else cls.predicted

    @classmethod
    def given(cls) -> tuple[str, ...]:
        """The fields that an input consists of: all but the predicted ones."""
        return tuple(name for name in cls.columns() if name not in cls.predicted_fields())

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
        return _to_json([row, self.place])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The example that `to_json` wrote."""
        row, place = json.loads(text)
        return cls.from_row(row, Place(*place) if place else None)


def _complete(row: Mapping[str, Any], required: Sequence[str]) -> Mapping[str, Any]:
    """A row as it is.

    Raises:
        InputError: it lacks a field that every row has.
    """
    for name in required:
        if row.get(name) is None:
            raise InputError(
                f"no {name} in {str(dict(row))[:80]}", expected=f"the fields {', '.join(required)}, none of them None"
            )
    return row


@cache
def _columns(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name != "place")


_to_json = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` makes an encoder anew for each row


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
