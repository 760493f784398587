"""The base class of examples, and the place of a row in its file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError
from .edited import TextEdit


class Place(NamedTuple):
    """Place of a row in a file, for messages."""

    file: str
    line: int
    """Its number, from 1."""
    unit: str = "line"
    """The unit of the number: lines, or records of a file that has none."""

    def __str__(self) -> str:
        return f"{self.file}, {self.unit} {self.line}"


@dataclass(frozen=True)
class Example:
    """One row of a corpus. `place` is where it was read, and is ignored in comparisons."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Other column names under which a field is found, lower-case, in order of preference."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Fields that a row may lack (text to predict on has no label)."""
    alternatives: ClassVar[tuple[str, ...]] = ()
    """Fields of which a row has one: the one whose column the user named, else the first that is found."""
    dependent: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Field -> the alternatives that it is read with, and without which it is not."""
    predicted: ClassVar[frozenset[str] | None] = None
    """Fields that are predicted, and not read from inputs; by default the optional ones."""

    group_field: ClassVar[str] = ""
    """Field by which examples are grouped in a cut; the first one by default."""
    group_name: ClassVar[str | None] = None
    """Value of the column --group_column, set on the example where the user named one."""

    place: Place | None = field(default=None, compare=False, kw_only=True)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the names of the fields that are read from a row."""
        return _columns(cls)  # type: ignore[arg-type]

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row whose keys are field names.

        Raises:
            InputError: a value is not of the type of its field.
        """
        return cls(**{name: row[name] for name in cls.columns() if name in row}, place=place)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the example of an input to predict on: a string, a mapping, or a tuple in the order of the columns."""
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
        """Return the fields that every row has."""
        return [name for name in cls.columns() if name not in cls.optional]

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """Return True for one input, False for several; a tuple is one input where inputs have several texts."""
        if isinstance(value, tuple):
            return len(cls.required()) > 1
        if isinstance(value, (str, Mapping, Example)):
            return True
        is_table = hasattr(value, "columns") or hasattr(value, "column_names")  # a DataFrame or a data set
        return not is_table and not isinstance(value, Iterable)

    def as_input(self) -> Self:
        """Return this example as an input to predict on; by default it is the same."""
        return self

    def __str__(self) -> str:
        """Return the input as one line of text."""
        values = (" ".join(value) if isinstance(value, tuple) else str(value) for value in self.inputs().values())
        return "\t".join(filter(None, values))

    def inputs(self) -> dict[str, Any]:
        """Return the input as JSON values: field -> value."""
        return {name: value for name in self.given() if (value := getattr(self, name)) is not None}

    def edited(self, edit: TextEdit) -> Self:
        """Return this example with its texts edited; spans are those of the same words in the edited text."""
        texts: dict[str, Any] = {
            name: edit(value).text for name, value in self.inputs().items() if isinstance(value, str)
        }
        return replace(self, **texts)

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to train on: the first column is blank."""
        value = getattr(self, type(self).columns()[0])
        return not value if isinstance(value, tuple) else not str(value).strip()

    @property
    def missing(self) -> str | None:
        """Name of the first field without a value; None where the example is complete."""
        for name in self.columns():
            if getattr(self, name) is None:
                return name
        return None

    @classmethod
    def predicted_fields(cls) -> frozenset[str]:
        """Return the fields that are predicted: they are not read from inputs."""
        return cls.optional if cls.predicted is None else cls.predicted

    @classmethod
    def given(cls) -> tuple[str, ...]:
        """Return the fields of an input: all but the predicted ones."""
        return tuple(name for name in cls.columns() if name not in cls.predicted_fields())

    @property
    def stratum(self) -> str:
        """Stratum of this example in a stratified split: its label, where it has one."""
        return ""

    @property
    def group(self) -> str:
        """Group of this example, which a cut keeps on one side: a text, a paragraph, a premise."""
        if self.group_name is not None:
            return self.group_name
        return str(getattr(self, self.group_field or self.columns()[0]))

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels of this example."""
        return ()

    def to_json(self) -> str:
        """Return one line of JSON, which `from_json` reads; fields that are None are left out."""
        row = {name: value for name in self.columns() if (value := getattr(self, name)) is not None}
        return _to_json([row, self.place])

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the example that `to_json` wrote."""
        row, place = json.loads(text)
        return cls.from_row(row, Place(*place) if place else None)


def _complete(row: Mapping[str, Any], required: Sequence[str]) -> Mapping[str, Any]:
    """Return a row as it is.

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


_to_json = json.JSONEncoder(ensure_ascii=False).encode  # `dumps` creates an encoder for each row


class Labelled(Example):
    """Base class of examples with a class: the field `label` is a class, a tuple of them, or None."""

    label: str | tuple[str, ...] | None

    @property
    def stratum(self) -> str:
        """The class, or the set of classes."""
        return "\t".join(self.label_names)

    @property
    def label_names(self) -> tuple[str, ...]:
        """Classes of this example."""
        if self.label is None:
            return ()
        return self.label if isinstance(self.label, tuple) else (self.label,)
