"""Read a split of a corpus once, check it, and keep its examples in a table on disk."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import compress
from pathlib import Path
from struct import unpack
from typing import Any

import numpy as np

from ..corpora.base import Corpus
from ..corpora.notices import collect_notices, log_again
from ..errors import InputError
from ..examples.base import Example, Place
from ..tasks.base import ExampleCounts
from .cache import cache_key, cached_folder
from .table import Table, write_table

log = logging.getLogger("ratsnlp_like")

_EXTRA_COLUMNS = "json", "file", "line", "unit"
"""Columns next to those of the fields: the whole example where a field is not a text, else its place."""
_TEXT_TYPES = frozenset({str, type(None)})


@dataclass(frozen=True)
class ReadSplit:
    """The examples of a split, read and checked."""

    name: str
    kind: type[Example]
    table: Table
    statistics: ExampleCounts
    fingerprint: str

    def __len__(self) -> int:
        return len(self.table)

    @property
    def variant(self) -> str:
        """Description of what distinguishes the examples from those of the corpus; empty if nothing does."""
        return ""

    def example(self, row: int) -> Example:
        """Return the example of a row."""
        return self._from_cells(self.table.cells(row, self._columns))

    def examples(self, rows: np.ndarray | None = None) -> Iterator[Example]:
        """Return the examples of some rows, all by default, in order."""
        cells = self.table.all_cells(self._columns)
        if rows is not None:
            chosen = np.zeros(len(self), dtype=bool)
            chosen[rows] = True
            cells = compress(cells, chosen)
        return map(self._from_cells, cells)

    @cached_property
    def groups(self) -> np.ndarray:
        """Code of the group of each row: equal for equal texts, up to spaces and Unicode form. Shape: (rows,)."""
        low, high = self.table.numbers("group_low"), self.table.numbers("group_high")
        return (high.astype(np.int64) << 32) | (low.astype(np.int64) & 0xFFFFFFFF)

    def not_empty(self) -> np.ndarray:
        """Return the rows that have a text, sorted. Shape: (rows,)."""
        return np.flatnonzero(self.table.numbers("empty") == 0)

    def counts_of(self, rows: np.ndarray) -> ExampleCounts:
        """Return the counts of some rows; `several` is that of all, since it determines the kind of the task."""
        if len(rows) == len(self):
            return self.statistics
        labels: Counter[str] = Counter()
        if self.statistics.labels:
            for example in self.examples(rows):
                labels.update(example.label_names)
        empty = int(self.table.numbers("empty")[rows].sum())
        return ExampleCounts(len(rows), empty, dict(sorted(labels.items())), self.statistics.several)

    @cached_property
    def _columns(self) -> list[str]:
        return [*_EXTRA_COLUMNS, *_field_columns(self.kind)]

    def _from_cells(self, cells: Sequence[Any]) -> Example:
        as_json, file, line, unit, *values = cells
        if as_json is not None:
            return self.kind.from_json(as_json)
        example = object.__new__(self.kind)  # skips the checks of __init__, which ran when the corpus was read
        place = None if file is None else Place(file, line, unit)
        vars(example).update(zip(self.kind.columns(), values, strict=True), place=place)
        return example


def read_split(corpus: Corpus, split: str, *, root: Path, cache: Path) -> ReadSplit:
    """Read a split of a corpus through the cache.

    Raises:
        InputError: a row cannot be read, or has no gold label.
    """
    kind = corpus.example_type
    source = corpus.fingerprint(root, split)

    logged: list[bool] = []  # by the pass over the rows, if there is one

    def build(folder: Path) -> dict[str, Any]:
        labels: Counter[str] = Counter()
        counts = {"empty": 0, "several": False}

        def counted() -> Iterator[Example]:
            for example in corpus.examples(root, split):
                if example.missing is not None:
                    raise corpus.missing_value(root, split, example)
                for name in example.label_names:
                    labels[name] += 1
                counts["empty"] += example.is_empty
                counts["several"] |= isinstance(getattr(example, "label", None), tuple)
                yield example

        with collect_notices() as notices:
            number = write_table(folder / "examples.arrow", _to_rows(counted(), kind))
        logged.append(True)
        return {"rows": number, "labels": dict(sorted(labels.items())), "notices": notices, **counts}

    folder, meta = cached_folder(cache, cache_key("examples", source, kind.__name__), build)
    notices = meta.pop("notices")
    if not logged:
        log_again(notices)
    if not meta["rows"]:
        raise InputError(f"the split {split!r} has no rows", place=type(corpus).__name__)
    return ReadSplit(split, kind, Table(folder / "examples.arrow"), ExampleCounts(**meta), source)


def _group_code(group: str) -> tuple[int, int]:
    """Return a digest of 64 bits as two numbers of 32."""
    text = " ".join(unicodedata.normalize("NFC", group).split())
    low, high = unpack("<ii", blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return low, high


def _field_columns(kind: type[Example]) -> list[str]:
    """Return the columns of the fields, with a prefix since a field may be called `json`."""
    return [f"field.{name}" for name in kind.columns()]


def _to_rows(examples: Iterable[Example], kind: type[Example]) -> Iterator[dict[str, Any]]:
    """Yield examples as rows of a table: fields in columns if all are texts, else the whole example as JSON."""
    fields, columns = kind.columns(), _field_columns(kind)
    for example in examples:
        values = [getattr(example, name) for name in fields]
        file, line, unit = example.place or (None, 0, None)
        as_json = None
        if not _TEXT_TYPES.issuperset(map(type, values)):
            as_json, values, file, unit = example.to_json(), [None] * len(values), None, None
        low, high = _group_code(example.group)
        row = {"json": as_json, "file": file, "line": line, "unit": unit, "stratum": example.stratum}
        row |= {"group_low": low, "group_high": high, "empty": int(example.is_empty)}
        row.update(zip(columns, values, strict=True))
        yield row


def warn_of_empty_rows(read: ReadSplit) -> None:
    """Log the number of rows with an empty text; they are kept, since metrics count them."""
    if 0 < read.statistics.empty < len(read):
        first = next(example for example in read.examples() if example.is_empty)
        log.warning(
            "%s: %s of %s rows have an empty text, the first at %s",
            read.name, f"{read.statistics.empty:,}", f"{len(read):,}", first.place or "the beginning",
        )  # fmt: skip
