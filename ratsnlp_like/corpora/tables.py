"""Tables in memory: pandas DataFrames, data sets of the library `datasets`, lists of dicts."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from ..errors import InputError, did_you_mean
from ..examples.base import Example, Place
from ..examples.text import TextExample
from .base import Corpus
from .formats import Row
from .splits import canonical_splits

_SAVED = ("dataset_dict.json", "state.json")


@dataclass(frozen=True)
class TablesCorpus(Corpus):
    """Base class of corpora whose splits are tables: `datasets.Dataset`, or lists of dicts."""

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "any"

    @abstractmethod
    def load(self) -> Mapping[str, Any]:
        """Return the tables by split.

        Raises:
            InputError: they cannot be loaded.
        """

    def splits(self, root: Path) -> Sequence[str]:
        return tuple(canonical_splits(self.load()))

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Yield the rows of a split; the line of a row is its number in the table."""
        table, name = self._table(split), f"{self.name} ({split})"
        yield from _dict_rows(table, name) if isinstance(table, Sequence) else table_rows(table, name)

    def fingerprint(self, root: Path, split: str) -> str:
        table = self._table(split)
        if not isinstance(table, Sequence):
            return repr((table._fingerprint, self._how()))
        digest = hashlib.sha256(repr(self._how()).encode())
        for row in table:
            digest.update(repr(row).encode())
        return digest.hexdigest()

    def _table(self, split: str) -> Any:
        tables = self.load()
        names = canonical_splits(tables)
        if split not in names:
            raise InputError(f"no split {split!r}", place=self.name, fix=did_you_mean(split, names))
        return tables[names[split]]


@dataclass(frozen=True)
class TableCorpus(TablesCorpus):
    """Tables in memory."""

    description: ClassVar[str] = "tables in memory"

    tables: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Split -> `datasets.Dataset`, or a list of dicts."""
    title: str = "table"
    """Name of the tables, for messages."""

    @property
    def name(self) -> str:
        return self.title

    def load(self) -> Mapping[str, Any]:
        return self.tables


def as_corpus(value: Any) -> TableCorpus | None:
    """Return the corpus of a DataFrame, a Dataset, a list of dicts, or a mapping of splits to such; None else."""
    tables = tables_of(value)
    return None if tables is None else TableCorpus(tables=tables, title=type(value).__name__)


def table_inputs(value: Any, kind: type[Example], columns: Mapping[str, str]) -> list[Example] | None:
    """Return the inputs in a DataFrame or a Dataset; None for a value of another type.

    Args:
        value: what a user gave to predict on.
        kind: the type of example of the task.
        columns: field -> column, as in training; columns that the table lacks are found by name.

    Raises:
        InputError: a required column is not found.
    """
    if type(value).__name__ not in {"DataFrame", "Dataset"} or (table := as_corpus(value)) is None:
        return None
    names = list(value.columns) if hasattr(value, "columns") else list(value.column_names)
    named = {field: column for field, column in columns.items() if column in names}
    return list(replace(table, kind=kind, columns=named).inputs(Path(), "train"))


def tables_of(value: Any) -> dict[str, Any] | None:
    """Return the tables of an object by split: of a DataFrame, a Dataset, a DatasetDict, a list of dicts; None else."""
    library, name = type(value).__module__.partition(".")[0], type(value).__name__
    if library == "pandas" and name == "DataFrame":
        return {"train": value.to_dict("records")}
    if library == "datasets" and name == "Dataset":
        return {"train": value}
    if isinstance(value, Mapping) and value:
        parts = {str(split): tables_of(table) for split, table in value.items()}
        found = {split: tables["train"] for split, tables in parts.items() if tables is not None}
        return found if len(found) == len(parts) else None
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], Mapping):
        return {"train": list(value)}
    return None


def is_saved(folder: Path) -> bool:
    """Return True for a folder that `save_to_disk` of `datasets` wrote."""
    return any((folder / name).is_file() for name in _SAVED)


def load_saved(folder: Path) -> dict[str, Any]:
    """Return the tables of a folder that `save_to_disk` of `datasets` wrote.

    Raises:
        InputError: the folder is damaged.
    """
    import datasets

    try:
        tables = tables_of(datasets.load_from_disk(str(folder)))
    except Exception as error:  # datasets raises a dozen unrelated types
        raise InputError(f"the saved data set cannot be loaded: {error}", place=folder, fix="save it again") from error
    return tables or {}


def _dict_rows(table: Sequence[Any], name: str) -> Iterator[Row]:
    for number, row in enumerate(table, start=1):
        place = Place(name, number, "row")
        if not isinstance(row, Mapping):
            raise InputError(f"not a dict: {str(row)[:60]!r}", place=place, expected='{"text": "...", ...}')
        yield Row({str(key): value for key, value in row.items()}, place, typed=True)


def table_rows(table: Any, name: str) -> Iterator[Row]:
    """Yield the rows of a `datasets.Dataset` with class numbers replaced by their names.

    A number below 0 means that there is no class: `-`, as SNLI writes it.
    """
    names = {column: _class_names(feature) for column, feature in table.features.items()}
    for number, row in enumerate(table, start=1):
        values = {column: _named(value, names[column]) for column, value in row.items()}
        yield Row(values, Place(name, number, "row"), typed=True)


def _class_names(feature: Any) -> Sequence[str] | None:
    inner = getattr(feature, "feature", feature)
    return getattr(inner, "names", None)


def _named(value: Any, names: Sequence[str] | None) -> Any:
    if names is None or value is None:
        return value
    if isinstance(value, list):
        return [names[v] for v in value]
    return names[value] if value >= 0 else "-"
