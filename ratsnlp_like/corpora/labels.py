"""Labels as files write them -> class names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import InputError
from ..examples.base import Example
from ..examples.pair import PairExample
from ..examples.values import ClassName, clean_label, parse_list
from .formats import Row
from .notices import Notices

LabelType = Literal["auto", "class"]

_EDGES = "labels with invisible characters or decomposed Hangul, read as the class without them"
_DISAGREEMENT = "no gold label (annotators did not agree): left out"


@dataclass
class LabelReader:
    """Reader of the labels of one pass over a split.

    Args:
        kind: the type of example.
        renamed: label as written in the source -> its readable name.
        separator: between the labels of one cell.
        label_type: `class` takes numbers for names of classes.
        notices: counts of labels that are corrected, and of rows that are left out.
    """

    kind: type[Example]
    renamed: Mapping[str, str]
    separator: str | None
    label_type: LabelType
    notices: Notices
    _shapes: dict[str, Row] = field(default_factory=dict)
    _known: dict[tuple[str, bool], str] = field(default_factory=dict)
    """Cell that was read as one class without a notice, and whether its row is typed -> the class."""

    def known(self, value: Any, row: Row) -> str | None:
        """Return the class of a cell that was read before, without a notice; None for any other cell."""
        return self._known.get((value, row.typed)) if type(value) is str else None

    def agreed(self, value: Any, row: Row) -> bool:
        """Return False for the marks of rows without a gold label: `-` in SNLI, and -1 among the numbers of pairs."""
        if isinstance(value, str):
            value = value.strip()
        numbers = issubclass(self.kind, PairExample) and not isinstance(value, (bool, list, tuple, Mapping))
        if value == "-" or (numbers and value in (-1, "-1")):
            self.notices.add(_DISAGREEMENT, row.place)
            return False
        return True

    def read(self, value: Any, row: Row) -> Any:
        """Return a label, or a list of them. A list of one, where no separator is given, is one label.

        Raises:
            InputError: some rows have one label and others a list.
        """
        if known := self.known(value, row):
            return known
        if isinstance(value, Mapping) and isinstance(value.get("choices"), list):  # Label Studio
            value = value["choices"]
        if isinstance(value, str) and value.lstrip().startswith("["):
            value = parse_list(value)
        if self.separator and isinstance(value, str):
            return [self._one(part, row) for part in map(str.strip, value.split(self.separator)) if part]
        if not isinstance(value, (list, tuple)):
            self._check_shape("one class", value, row)
            return self._one(value, row, is_one=True)
        if nested := [one for one in value if isinstance(one, (list, tuple, Mapping))]:
            raise InputError(
                f"the label has {str(nested[0])[:40]!r} among its classes",
                place=row.place,
                expected='a class name, or a list such as ["a", "b"]',
            )
        names = [self._one(one, row) for one in value]
        if len(names) == 1:
            return names[0]
        self._check_shape("a list of classes", value, row)
        return names

    def _check_shape(self, shape: str, value: Any, row: Row) -> None:
        if value is None or shape in self._shapes:
            return
        for other, first in self._shapes.items():
            raise InputError(
                f"the label is {shape} ({str(value)[:40]}), and in other rows {other} (first: {first.place})",
                place=row.place,
                expected="one class in every row, or a list in every row",
                fix="correct the row; for several labels write a list in every row, [] where there is none",
            )
        self._shapes[shape] = row

    def _one(self, value: Any, row: Row, *, is_one: bool = False) -> Any:
        """Return a class; `is_one`: it is the only one of its row."""
        if isinstance(value, str):
            cleaned = clean_label(value)
            if changed := cleaned != value.strip():
                self.notices.add(_EDGES, row.place)
            is_first_form = self.notices.see_label(cleaned, row.place)
            renamed = self.renamed.get(cleaned)
            exact = renamed is not None or row.typed or self.label_type == "class"
            name = ClassName(renamed or cleaned) if exact else cleaned
            if is_one and is_first_form and not changed:
                self._known[value, row.typed] = name
            return name
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            if (renamed := self.renamed.get(str(value))) is not None:
                return ClassName(renamed)
            return ClassName(str(value)) if self.label_type == "class" else value
        return value
