"""From a corpus to batches: encoding and its cache, splits, batches of like length, the one data module.

A cache folder is complete or absent: it is written beside its place under a lock and renamed. Its name is a
sha256 over all that could change its content, so nothing stale is ever read.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from ..corpora.base import Corpus
from ..errors import InputError
from ..examples.base import Example, Place
from ..runtime.slices import slices
from ..tasks.base import Features, Statistics, Task
from .cache import cache_key, cached_folder, tokenizer_fingerprint
from .table import Table, write_table

log = logging.getLogger("ratsnlp_like")
_AHEAD = 2
"""Slices that are encoded at a time: one is tokenized while Python makes windows of another."""


# Splits --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ReadSplit:
    """The examples of a split, read once and checked."""

    name: str
    kind: type[Example]
    table: Table
    statistics: Statistics
    fingerprint: str

    def __len__(self) -> int:
        return len(self.table)

    def example(self, row: int) -> Example:
        """An example by its row."""
        return self._made(self.table.cells(row, self._names))

    def examples(self) -> Iterator[Example]:
        """All of them, in order."""
        return map(self._made, self.table.all_cells(self._names))

    @cached_property
    def _names(self) -> list[str]:
        return [*_BESIDE, *_columns(self.kind)]

    def _made(self, cells: Sequence[Any]) -> Example:
        as_json, file, line, unit, *values = cells
        if as_json is not None:
            return self.kind.from_json(as_json)
        made = object.__new__(self.kind)  # it was checked when it was read, and nothing in it is to be converted
        place = None if file is None else Place(file, line, unit)
        vars(made).update(zip(self.kind.columns(), values, strict=True), place=place)
        return made


_BESIDE = "json", "file", "line", "unit"
"""Columns beside those of the fields: the whole example where a field is no text, and its place where all are."""
_TEXTS = frozenset({str, type(None)})


def _columns(kind: type[Example]) -> list[str]:
    """The columns of the fields, one of which may be called `json`."""
    return [f"field.{name}" for name in kind.columns()]


def _rows(examples: Iterable[Example], kind: type[Example]) -> Iterator[dict[str, Any]]:
    """Examples in columns, read back by `ReadSplit`: texts as they are, whatever else as JSON."""
    fields, columns = kind.columns(), _columns(kind)
    for example in examples:
        values = [getattr(example, name) for name in fields]
        file, line, unit = example.place or (None, 0, None)
        as_json = None
        if not _TEXTS.issuperset(map(type, values)):
            as_json, values, file, unit = example.to_json(), [None] * len(values), None, None
        row = {"json": as_json, "file": file, "line": line, "unit": unit, "stratum": example.stratum}
        row.update(zip(columns, values, strict=True))
        yield row


def read_split(corpus: Corpus, split: str, *, root: Path, cache: Path) -> ReadSplit:
    """Read a split of a corpus through the cache.

    Raises:
        InputError: a row cannot be read, or lacks what is to be learnt from it.
    """
    kind = corpus.example_type
    source = corpus.fingerprint(root, split)

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

        number = write_table(folder / "examples.arrow", _rows(counted(), kind))
        return {"rows": number, "labels": dict(sorted(labels.items())), **counts}

    folder, meta = cached_folder(cache, cache_key("examples", source, kind.__name__), build)
    if not meta["rows"]:
        raise InputError(f"the split {split!r} has no rows", place=type(corpus).__name__)
    return ReadSplit(split, kind, Table(folder / "examples.arrow"), Statistics(**meta), source)


@dataclass(frozen=True)
class EncodedSplit:
    """Examples and their windows, all or a selection of them."""

    task: Task[Any, Any]
    read: ReadSplit
    table: Table
    rows: np.ndarray
    """The windows of this selection: their rows in the table."""

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, k: int) -> dict[str, Any]:
        return self.table[int(self.rows[k])]

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each window. Shape: (windows,)."""
        return self.table.numbers("input_ids")[self.rows]

    @cached_property
    def example_rows(self) -> np.ndarray:
        """The example of each window. Shape: (windows,)."""
        return self.table.numbers("example")[self.rows]

    @cached_property
    def begins(self) -> np.ndarray:
        """Whether a window is the first of its example. Shape: (windows,)."""
        return np.diff(self.example_rows, prepend=-1) != 0

    @cached_property
    def lost(self) -> np.ndarray:
        """Tokens of the text that are in no window, noted at each window of it. Shape: (windows,)."""
        return self.table.numbers("lost")[self.rows]

    def select(self, examples: np.ndarray) -> EncodedSplit:
        """The windows of some examples, given by their rows."""
        chosen = np.zeros(len(self.read), dtype=bool)
        chosen[examples] = True
        return EncodedSplit(self.task, self.read, self.table, self.rows[chosen[self.example_rows]])

    def examples(self) -> Iterator[Any]:
        """The examples that have windows here, in order."""
        return (self.read.example(int(row)) for row in self.example_rows[self.begins])

    def sample(self, number: int | None, seed: int) -> EncodedSplit:
        """So many of its examples, chosen at random; all of them for None."""
        if number is None or number >= len(self):
            return self
        examples = np.unique(self.example_rows)
        if number >= len(examples):
            return self
        return self.select(np.random.default_rng(seed).permutation(examples)[:number])


def encode_split(
    read: ReadSplit, task: Task[Any, Any], tokenizer: Any, labels: Sequence[str], max_length: int, *, cache: Path
) -> EncodedSplit:
    """Encode a split through the cache.

    Raises:
        InputError: an example carries a label that is not among `labels`.
    """

    def build(folder: Path) -> dict[str, Any]:
        return {"windows": write_table(folder / "windows.arrow", _windows(read, task, tokenizer, labels, max_length))}

    key = cache_key(
        "windows",
        read.fingerprint,
        task.name,
        {
            name: value
            for name, value in task.to_dict().items()
            if name not in task.inference_options | task.evaluation_options
        },
        tokenizer_fingerprint(tokenizer),
        list(labels),
        max_length,
    )
    folder, _ = cached_folder(cache, key, build)
    table = Table(folder / "windows.arrow")
    return EncodedSplit(task, read, table, np.arange(len(table), dtype=np.int32))


def warn_of_empty_rows(read: ReadSplit) -> None:
    """Say how many rows have nothing to learn from; they are left in, for a corpus may count them."""
    if 0 < read.statistics.empty < len(read):
        first = next(example for example in read.examples() if example.is_empty)
        log.warning(
            "%s: %s of %s rows have an empty text, the first at %s",
            read.name, f"{read.statistics.empty:,}", f"{len(read):,}", first.place or "the beginning",
        )  # fmt: skip


def warn_of_truncation(split: EncodedSplit, max_length: int, *, name: str | None = None) -> None:
    """Say what of a split no window holds; it may have been cut from a split of another name."""
    lost = split.lost[split.begins]
    if lost.any():
        share = lost.sum() / (lost.sum() + split.lengths.sum())
        log.warning(
            "%s: %s of %s %s; %.2f%% of all tokens are cut away.",
            name or split.read.name, f"{np.count_nonzero(lost):,}", f"{len(lost):,}",
            split.task.too_long(max_length), 100 * share,
        )  # fmt: skip


def _windows(
    read: ReadSplit,
    task: Task[Any, Any],
    tokenizer: Any,
    labels: Sequence[str],
    max_length: int,
) -> Iterator[Features]:
    parts = slices(read.examples())
    done = 0
    with ThreadPoolExecutor(_AHEAD) as ahead:  # tokenizing lets go of the interpreter: the rest is done meanwhile

        def encode(part: list[Example]) -> Future[tuple[int, list[Features]]]:
            return ahead.submit(lambda: (len(part), task.encode(part, tokenizer, labels, max_length)))

        waiting = deque(map(encode, islice(parts, _AHEAD + 1)))
        while waiting:
            size, encoded = waiting.popleft().result()
            waiting.extend(map(encode, islice(parts, 1)))
            for features in encoded:
                features["example"] += done
                yield features
            done += size


def cut(stratum: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A seeded cut in two that keeps the balance of the strata.

    Args:
        stratum: the number of each row's stratum. Shape: (rows,).
        share: of the smaller part.
        seed: of the choice.

    Returns:
        Rows of the larger and of the smaller part, each in order.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(stratum)).astype(np.int32)  # and in place below: of millions of rows each copy counts
    order = order[np.argsort(stratum[order], kind="stable")]  # stratum by stratum, random within
    # Every 1/share-th row goes to the smaller part, counted on through the strata: small ones get their share too.
    ticks = np.arange(len(order) + 1, dtype=np.float64)
    ticks *= share
    ticks += 1e-9
    np.floor(ticks, out=ticks)
    taken = ticks[1:] > ticks[:-1]
    return np.sort(order[~taken]), np.sort(order[taken])


def best_split(corpus: Corpus, root: Path) -> str:
    """The split to validate on: validation, else test, else the only one."""
    splits = corpus.splits(root)
    return next((name for name in ("validation", "test") if name in splits), splits[0])
