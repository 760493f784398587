"""Read a split of a corpus once, check it, and keep its examples in a table on disk."""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import chain, compress
from pathlib import Path
from typing import Any

import numpy as np

from ..corpora.base import Corpus
from ..corpora.notices import collect_notices, log_again
from ..errors import InputError
from ..examples.base import Example, Place
from ..runtime.slices import slices
from ..tasks.base import ExampleCounts
from .cache import cache_key, cached_folder
from .table import CHUNK, Table, write_columns

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
    def _fields(self) -> tuple[str, ...]:
        return self.kind.columns()

    @cached_property
    def _columns(self) -> list[str]:
        return [*_EXTRA_COLUMNS, *_field_columns(self.kind)]

    def _from_cells(self, cells: Sequence[Any]) -> Example:
        as_json, file, line, unit, *values = cells
        if as_json is not None:
            return self.kind.from_json(as_json)
        example = object.__new__(self.kind)  # skips the checks of __init__, which ran when the corpus was read
        place = None if file is None else Place(file, line, unit)
        vars(example).update(zip(self._fields, values, strict=True), place=place)
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

        def complete() -> Iterator[Example]:
            for example in corpus.examples(root, split):
                if example.missing is not None:
                    raise corpus.missing_value(root, split, example)
                yield example

        def counted() -> Iterator[dict[str, Any]]:
            for examples in slices(complete(), CHUNK):
                labels.update(chain.from_iterable(example.label_names for example in examples))
                counts["several"] |= any(isinstance(getattr(example, "label", None), tuple) for example in examples)
                columns = _to_columns(examples, kind)
                counts["empty"] += sum(columns["empty"])
                yield columns

        with collect_notices() as notices:
            number = write_columns(folder / "examples.arrow", counted())
        logged.append(True)
        return {"rows": number, "labels": dict(sorted(labels.items())), "notices": notices, **counts}

    folder, meta = cached_folder(cache, cache_key("examples", source, kind.__name__, corpus.location(root)), build)
    notices = meta.pop("notices")
    if not logged:
        log_again(notices)
    if not meta["rows"]:
        raise InputError(f"the split {split!r} has no rows", place=type(corpus).__name__)
    return ReadSplit(split, kind, Table(folder / "examples.arrow"), ExampleCounts(**meta), source)


def _group_codes(groups: Sequence[str]) -> np.ndarray:
    """Return digests of 64 bits, each as two numbers of 32. Shape: (groups, 2)."""
    texts = (" ".join(unicodedata.normalize("NFC", group).split()) for group in groups)
    digests = (blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts)
    return np.frombuffer(b"".join(digests), dtype="<i4").reshape(-1, 2)


def _field_columns(kind: type[Example]) -> list[str]:
    """Return the columns of the fields, with a prefix since a field may be called `json`."""
    return [f"field.{name}" for name in kind.columns()]


def _to_columns(examples: Sequence[Example], kind: type[Example]) -> dict[str, Any]:
    """Return examples as columns of a table: fields as they are if all are texts, else the whole example as JSON."""
    values = [[getattr(example, name) for example in examples] for name in kind.columns()]
    as_json: list[str | None] = [None] * len(examples)
    places: list[tuple[Any, ...]] = [example.place or (None, 0, None) for example in examples]
    if not all(_TEXT_TYPES.issuperset(map(type, column)) for column in values):
        for k, example in enumerate(examples):
            if not _TEXT_TYPES.issuperset(type(column[k]) for column in values):
                as_json[k], places[k] = example.to_json(), (None, places[k][1], None)
                for column in values:
                    column[k] = None
    files, lines, units = zip(*places, strict=True)
    codes = _group_codes([example.group for example in examples])
    return {
        "json": as_json,
        "file": files,
        "line": lines,
        "unit": units,
        "stratum": [example.stratum for example in examples],
        "group_low": codes[:, 0],
        "group_high": codes[:, 1],
        "empty": [int(example.is_empty) for example in examples],
        **dict(zip(_field_columns(kind), values, strict=True)),
    }


def warn_of_empty_rows(read: ReadSplit) -> None:
    """Log the number of rows with an empty text; they are kept, since metrics count them."""
    if 0 < read.statistics.empty < len(read):
        first = next(example for example in read.examples() if example.is_empty)
        log.warning(
            "%s: %s of %s rows have an empty text, the first at %s",
            read.name, f"{read.statistics.empty:,}", f"{len(read):,}", first.place or "the beginning",
        )  # fmt: skip
