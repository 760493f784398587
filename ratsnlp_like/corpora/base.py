"""The base class of corpora."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ..errors import InputError
from ..examples.base import Example
from .cells import FieldReader
from .columns import find_columns, missing_column, named_cell
from .formats import OnError, Row
from .formats.base import SKIP
from .labels import LabelReader, LabelType
from .layouts import adapt_rows
from .notices import Notices
from .remote import RemoteFile
from .splits import SPLITS

_PROBE = 100  # rows that show whether a split has labels


class InputRow(NamedTuple):
    """One row of a file to predict on."""

    example: Example | InputError
    columns: Mapping[str, Any]
    """All columns of the row, in the order of the file."""
    fields: Mapping[str, str]
    """Column -> the field of the example that was read from it."""


@dataclass(frozen=True)
class Corpus(ABC):
    """A source of examples. Subclasses state facts; reading is done here and in `formats`.

    Attributes (facts, stated by a subclass):
        example: the type of its examples.
        task: the task that it was made for.
        description: one line for `list corpora`: content, size, licence.
        column_names: field -> column, where columns are not found by their own names.
        renamed_labels: readable names for labels that a file writes as numbers.
        sample: a few raw lines per split, fixture and documentation in one.
        remote: its published files, with address, licence and digest.
    """

    example: ClassVar[type[Example]]
    task: ClassVar[str]
    description: ClassVar[str] = ""
    column_names: ClassVar[Mapping[str, str]] = {}
    renamed_labels: ClassVar[Mapping[str, str]] = {}
    sample: ClassVar[Mapping[str, str]] = {}
    remote: ClassVar[tuple[RemoteFile, ...]] = ()

    kind: type[Example] | None = None
    """Type of example to yield instead of `example`: a task on bare text reads any corpus that has texts."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns named by the user: field -> column. `a,b,c` as the label's column: 0/1 columns, one per class."""
    label_separator: str | None = None
    """Separator of the labels of one row, where a row can have several."""
    label_type: LabelType = "auto"
    """`class`: numbers are names of classes. `auto`: decimal numbers are refused as labels."""
    group_column: str | None = None
    """Column whose equal values a cut keeps on one side; by default equal texts, paragraphs or premises."""
    on_error: OnError = "raise"
    """`skip`: rows that cannot be read are left out, counted and logged."""

    @abstractmethod
    def splits(self, root: Path) -> Sequence[str]:
        """Return the names of the splits that can be read.

        Raises:
            InputError: the corpus is missing.
        """

    @abstractmethod
    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Yield the raw rows of a split, in order."""

    @abstractmethod
    def fingerprint(self, root: Path, split: str) -> str:
        """Return a digest that changes with the content of the split and with the way it is read."""

    def location(self, root: Path) -> str:
        """Return where the rows are read from, which their places state; empty if it is always the same."""
        return ""

    def check(self, root: Path) -> None:
        """Check the corpus as a whole, without reading it.

        Raises:
            InputError: it is missing, or its files are of a kind that is not read.
        """
        self.splits(root)

    def training_split(self, root: Path) -> str:
        """Return the split to train on: `train`, or the only one if it is not named after another use.

        Raises:
            InputError: there are only splits for validation and test.
        """
        splits = self.splits(root)
        if "train" in splits:
            return "train"
        if len(splits) == 1 and splits[0] not in SPLITS:
            return splits[0]
        raise InputError(
            f"no split to train on: the corpus has {' and '.join(splits)} only",
            place=self.name,
            expected="a split named train",
            fix="add its training file, or evaluate a trained model on it",
        )

    def is_labelled(self, root: Path, split: str) -> bool:
        """Return False if none of the first rows of a split has a value to train on or to evaluate with."""
        return any(example.missing is None for example in islice(self.examples(root, split), _PROBE))

    def labels(self, root: Path) -> Sequence[str] | None:
        """Return the labels that the corpus declares; None where they are found by reading."""
        return None

    def examples(self, root: Path, split: str) -> Iterator[Example]:
        """Yield the examples of a split, in order, empty ones and duplicates included.

        Raises:
            InputError: a row cannot be read; the message names file and line.
        """
        return self._examples(root, split, frozenset())

    def inputs(self, root: Path, split: str) -> Iterator[Example]:
        """Yield the examples of a split as inputs to predict on: columns of labels are not read."""
        return (example.as_input() for example in self._examples(root, split, self.example_type.predicted_fields()))

    def input_rows(self, root: Path, split: str) -> Iterator[InputRow]:
        """Yield the rows of a split as inputs to predict on, with all their columns.

        A row that cannot be read has an error in place of its example, unless such rows are skipped.
        """
        for row, found, example in self._readings(root, split, self.example_type.predicted_fields()):
            fields = {columns[0]: name for name, columns in found.items() if len(columns) == 1}
            yield InputRow(example if isinstance(example, InputError) else example.as_input(), row.values, fields)

    def missing_value(self, root: Path, split: str, example: Example) -> InputError:
        """Return the error for an example that lacks a value to train on: its column is missing, or its cell is."""
        name = example.missing or "label"
        row = next(iter(self.rows(root, split)), None)
        if row is not None:
            rows = adapt_rows(iter([row]), self.example_type, Notices(""), labelled=False)
            for adapted in rows:
                found = find_columns(adapted, self.example_type, {**self.column_names, **self.columns})
                if name not in found:
                    return missing_column(adapted, self.example_type, name)
        return InputError(
            f"the row has no {name}",
            place=example.place or split,
            expected=f"the {name} of every row",
            fix=f"fill it in or delete the row; if another column holds it: --{name}_column",
        )

    def _examples(self, root: Path, split: str, left_out: frozenset[str]) -> Iterator[Example]:
        for row, _, example in self._readings(root, split, left_out):
            if isinstance(example, InputError):
                raise example.or_else(SKIP)
            if self.group_column is not None:
                object.__setattr__(example, "group_name", named_cell(row, self.group_column, "--group_column"))
            yield example

    def _readings(
        self, root: Path, split: str, left_out: frozenset[str]
    ) -> Iterator[tuple[Row, dict[str, tuple[str, ...]], Example | InputError]]:
        """Yield each row with the columns of its fields, and its example or the error that makes it unreadable."""
        kind, notices = self.example_type, Notices(f"{self.name} ({split})")
        labels = LabelReader(kind, self.readable_labels, self.label_separator, self.label_type, notices)
        fields = FieldReader(kind, labels, notices)
        for row, found in self._rows_with_columns(root, split, left_out, notices):
            try:
                if row.error is not None:
                    raise row.error
                values = fields.values(row, found)
                example = None if values is None else kind.from_row(values, row.place)
            except InputError as error:
                if self.on_error == "skip":
                    notices.skip(error)
                else:
                    yield row, found, error
                continue
            if example is not None:
                yield row, found, example
        notices.log()

    def _rows_with_columns(
        self, root: Path, split: str, left_out: frozenset[str], notices: Notices
    ) -> Iterator[tuple[Row, dict[str, tuple[str, ...]]]]:
        """Yield each row with the columns of its fields; every file has columns of its own."""
        found: dict[str, tuple[str, ...]] = {}
        file, named = None, {**self.column_names, **self.columns}
        for row in adapt_rows(self.rows(root, split), self.example_type, notices, labelled=not left_out):
            if row.error is None and row.place.file != file:
                found, file = find_columns(row, self.example_type, named, left_out), row.place.file
            yield row, found

    def _how(self) -> tuple[object, ...]:
        """Return the options that change the examples of the same rows, for fingerprints."""
        own = (self.example_type.__name__, self.columns, self.label_separator, self.label_type, self.on_error)
        return own if self.group_column is None else (*own, self.group_column)

    @property
    def name(self) -> str:
        """Name of the corpus, for messages."""
        return type(self).__name__

    @property
    def example_type(self) -> type[Example]:
        """Type of the examples that it yields."""
        return self.kind or self.example

    @property
    def readable_labels(self) -> Mapping[str, str]:
        """Label as written in the source -> its readable name."""
        return self.renamed_labels


CLASSES = frozenset({"label", "labels", "정답", "답변"})
"""Columns that hold classes in most files, though other tasks use the names too."""


NLI_LABELS = ("entailment", "contradiction", "neutral")
"""In the order of KLUE."""
