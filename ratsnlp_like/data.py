"""From a corpus to batches: encoding and its cache, splits, batches of like length, the one data module.

A cache folder is complete or absent: it is written beside its place under a lock and renamed. Its name is a
sha256 over all that could change its content, so nothing stale is ever read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytorch_lightning as pl
from filelock import FileLock

from .corpora.base import Corpus, default_root, open_corpus
from .errors import InputError, is_full
from .examples import Example, Place
from .lean import uncollected
from .tasks.base import Features, Statistics, Task

log = logging.getLogger("ratsnlp_like")

CACHE_VERSION = 5
"""Raise it when the layout of the cache or the meaning of a feature changes."""
_CHUNK = 4096
"""Rows of an Arrow record batch. All but the last have just so many: row i lies in chunk i // _CHUNK."""
_FORGOTTEN = 2**17
"""Rows after whose reading the pages of a file no longer count as this process's memory."""
_SLICE = 1024
"""Examples encoded at a time: enough for the tokenizer's threads, little enough for memory."""
_AHEAD = 2
"""Slices that are encoded at a time: one is tokenized while Python makes windows of another."""
_POOL = 64
"""Batches that are sorted by length together: more makes tighter batches and a less random order."""


def default_cache() -> Path:
    """$RATSNLP_LIKE_CACHE, else ~/.cache/ratsnlp_like."""
    return Path(os.environ.get("RATSNLP_LIKE_CACHE") or "~/.cache/ratsnlp_like").expanduser()


# Tables on disk ------------------------------------------------------------------------------------------------------


class Table:
    """Rows of numbers and ragged lists in a memory-mapped Arrow file; a row is a dict of numpy views."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            self._pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._reader = pa.ipc.open_file(pa.py_buffer(self._pages))
        self._looked_at = 0
        self._chunks: list[dict[str, Any] | None] = [None] * self._reader.num_record_batches
        last = self._reader.get_batch(len(self._chunks) - 1).num_rows if self._chunks else 0
        self._length = max(0, len(self._chunks) - 1) * _CHUNK + last

    def __reduce__(self) -> tuple[object, ...]:  # a worker process opens the file again
        return Table, (self._path,)

    def __len__(self) -> int:
        return self._length

    def _look(self, rows: int) -> None:
        """Count rows, and forget pages now and then: they are read again where they are needed."""
        self._looked_at += rows
        if self._looked_at >= _FORGOTTEN and hasattr(mmap, "MADV_DONTNEED"):
            self._looked_at = 0
            self._pages.madvise(mmap.MADV_DONTNEED)

    def __getitem__(self, row: int) -> dict[str, Any]:
        self._look(1)
        chunk, k = self._chunk(row // _CHUNK), row % _CHUNK
        return {
            name: column[k] if not isinstance(column, tuple) else column[0][column[1][k] : column[1][k + 1]]
            for name, column in chunk.items()
        }

    def cells(self, row: int, names: Sequence[str]) -> tuple[Any, ...]:
        """Some cells of a row: strings, numbers, None."""
        batch = self._reader.get_batch(row // _CHUNK)
        return tuple(batch.column(name)[row % _CHUNK].as_py() for name in names)

    def numbers(self, name: str) -> np.ndarray:
        """A whole column of numbers, or the lengths of a whole column of lists. Shape: (rows,)."""
        out = np.zeros(len(self), dtype=np.float32 if self._is_decimal(name) else np.int32)
        for i in range(len(self._chunks)):
            self._look(_CHUNK)
            column = self._chunk(i)[name]
            part = np.diff(column[1]) if isinstance(column, tuple) else column
            out[i * _CHUNK : i * _CHUNK + len(part)] = part
        return out

    def categories(self, name: str) -> tuple[np.ndarray, list[str]]:
        """A whole column of strings as numbers, shape (rows,), and the sorted strings that they stand for."""
        parts = [self._reader.get_batch(i).column(name) for i in range(len(self._chunks))]
        column = pa.chunked_array(parts, type=pa.large_string()).combine_chunks().dictionary_encode()
        names = column.dictionary.to_pylist()
        order = sorted(range(len(names)), key=names.__getitem__)
        numbers = np.argsort(order).astype(np.int32)
        return numbers[column.indices.to_numpy()], [names[i] for i in order]

    def all_cells(self, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The same of all rows."""
        for i in range(len(self._chunks)):
            self._look(_CHUNK)
            batch = self._reader.get_batch(i)
            # by way of numpy: `to_pylist` makes an object of Arrow's for each cell
            columns = (batch.column(name).to_numpy(zero_copy_only=False).tolist() for name in names)
            yield from zip(*columns, strict=True)

    def _is_decimal(self, name: str) -> bool:
        return bool(self._chunks) and pa.types.is_floating(self._reader.schema.field(name).type)

    def _chunk(self, i: int) -> dict[str, Any]:
        chunk = self._chunks[i]
        if chunk is None:
            batch = self._reader.get_batch(i)
            chunk = {
                field.name: _view(column)
                for field, column in zip(batch.schema, batch.columns, strict=True)
                if not pa.types.is_large_string(field.type)
            }
            self._chunks[i] = chunk
        return chunk


def _view(column: pa.Array) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Numbers as they lie in the file; lists as (flat values, borders)."""
    if pa.types.is_list(column.type):
        return column.values.to_numpy(), column.offsets.to_numpy()
    return column.to_numpy()


def _write_table(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows in chunks; returns how many there were."""
    iterator = iter(rows)
    count = 0
    with pa.OSFile(str(path), "wb") as sink:
        writer = None
        while chunk := list(islice(iterator, _CHUNK)):
            batch = pa.RecordBatch.from_pydict({name: _column([row[name] for row in chunk]) for name in chunk[0]})
            writer = writer or pa.ipc.new_file(sink, batch.schema)
            writer.write_batch(batch)
            count += len(chunk)
        (writer or pa.ipc.new_file(sink, pa.schema([]))).close()
    return count


def _column(cells: list[Any]) -> pa.Array:
    first = cells[0]
    if first is None or isinstance(first, str):
        return pa.array(cells, type=pa.large_string())
    if not isinstance(first, list):
        return pa.array(cells, type=pa.float32() if isinstance(first, float) else pa.int32())
    borders = np.zeros(len(cells) + 1, dtype=np.int32)
    np.cumsum([len(cell) for cell in cells], out=borders[1:])
    flat = np.array(list(chain.from_iterable(cells)))
    decimals = len(flat) and flat.dtype.kind == "f"
    return pa.ListArray.from_arrays(borders, flat.astype(np.float32 if decimals else np.int32))


def _cached(cache: Path, key: str, build: Callable[[Path], Mapping[str, Any]]) -> tuple[Path, dict[str, Any]]:
    """The folder of a key and its meta.json, built if it is not there; safe with many processes."""
    folder = cache / key
    meta = folder / "meta.json"
    if not meta.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{key}.lock"):
            if not meta.exists():
                partial = cache / f"{key}.partial"
                shutil.rmtree(partial, ignore_errors=True)  # left by a writer that was killed
                partial.mkdir()
                try:
                    with uncollected():  # looking for garbage among the rows took a fifth of the time
                        content = build(partial)
                    (partial / "meta.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
                    partial.rename(folder)
                except BaseException as error:
                    shutil.rmtree(partial, ignore_errors=True)
                    if not is_full(error):
                        raise
                    raise InputError(
                        f"the encoded corpus cannot be written: {error}",
                        place=cache,
                        fix="make room on that disk, or choose another folder with --cache_dir",
                    ) from error
    return folder, json.loads(meta.read_text(encoding="utf-8"))


def _key(name: str, *parts: object) -> str:
    digest = hashlib.sha256(json.dumps([CACHE_VERSION, *parts], ensure_ascii=False, default=repr).encode())
    return f"{name}-{digest.hexdigest()[:32]}"


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """A digest of all that a tokenizer does: its files as one JSON, or the vocabulary of a slow one."""
    if tokenizer.is_fast:
        described = json.loads(tokenizer.backend_tokenizer.to_str())
        content = json.dumps(described | {"truncation": None, "padding": None})  # an earlier call may have set these
    else:
        content = json.dumps([type(tokenizer).__qualname__, sorted(tokenizer.get_vocab().items())])
    extra = [sorted(tokenizer.special_tokens_map.items()), tokenizer.model_input_names]
    extra.append(getattr(tokenizer, "chat_template", None))
    return hashlib.sha256((content + repr(extra)).encode()).hexdigest()


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
                    raise InputError(
                        f"the row has no {example.missing}",
                        place=example.place or split,
                        expected=f"the {example.missing} of every row, to learn from",
                        fix=f"fill it in or take the row out; if another column holds it: --{example.missing}_column",
                    )
                for name in example.label_names:
                    labels[name] += 1
                counts["empty"] += example.is_empty
                counts["several"] |= isinstance(getattr(example, "label", None), tuple)
                yield example

        number = _write_table(folder / "examples.arrow", _rows(counted(), kind))
        return {"rows": number, "labels": dict(sorted(labels.items())), **counts}

    folder, meta = _cached(cache, _key("examples", source, kind.__name__), build)
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
        return {"windows": _write_table(folder / "windows.arrow", _windows(read, task, tokenizer, labels, max_length))}

    key = _key(
        "windows",
        read.fingerprint,
        task.name,
        {name: value for name, value in task.to_dict().items() if name not in task.asking | task.measuring},
        tokenizer_fingerprint(tokenizer),
        list(labels),
        max_length,
    )
    folder, _ = _cached(cache, key, build)
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
    examples = read.examples()
    parts = iter(lambda: list(islice(examples, _SLICE)), [])
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


# Batches -------------------------------------------------------------------------------------------------------------


class Batches:
    """Which windows make a batch: grouped by length, in a seeded order; the share of one of several processes.

    Training shuffles twice: which windows are sorted together, and in which order the batches come. Evaluation
    sorts all, longest first. All processes take the same number of batches; what that repeats is seen by its number.

    Args:
        lengths: tokens of each window.
        batch_size: windows of a batch over all processes together.
        shuffle: training or evaluation.
        seed: of the order.
        rank: of this process.
        world_size: the number of processes.
        batch_tokens: tokens of a batch, padding included, in place of `batch_size`. All windows are sorted then (at
            random among those of one length), so that every epoch has the same number of batches.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        batch_tokens: int | None = None,
    ) -> None:
        self.lengths, self.batch_size, self.shuffle, self.seed = lengths, batch_size, shuffle, seed
        self.batch_tokens = batch_tokens
        self.rank, self.world_size, self.epoch = rank, world_size, 0
        self.sampler = self  # Lightning calls set_epoch of `loader.batch_sampler.sampler`

    def set_epoch(self, epoch: int) -> None:
        """Lightning says which epoch begins."""
        self.epoch = epoch

    def noise(self, number: int) -> np.random.Generator:
        """Random numbers for a batch of this epoch: the same whenever and wherever the batch is made."""
        return np.random.default_rng((self.seed, self.epoch, number, self.rank))

    def __len__(self) -> int:
        if self.batch_tokens is not None:
            return len(self._borders) - 1
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[np.ndarray]:
        for batch in self._all():
            own = batch[self.rank :: self.world_size]
            yield own if len(own) else batch[:1]

    def _all(self) -> Iterator[np.ndarray]:
        size = self.batch_size
        if not self.shuffle:
            order = np.argsort(-self.lengths, kind="stable")
            return (order[i : i + size] for i in range(0, len(order), size))
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.permutation(len(self.lengths)).astype(np.int32)
        if self.batch_tokens is not None:
            order = order[np.argsort(self.lengths[order], kind="stable")]
            return (order[self._borders[i] : self._borders[i + 1]] for i in rng.permutation(len(self)))
        pools = [order[i : i + size * _POOL] for i in range(0, len(order), size * _POOL)]
        batches = [
            pool[i : i + size]
            for pool in (pool[np.argsort(self.lengths[pool], kind="stable")] for pool in pools)
            for i in range(0, len(pool), size)
        ]
        return (batches[i] for i in rng.permutation(len(batches)))

    @cached_property
    def _borders(self) -> list[int]:
        """Where batches begin among the windows sorted by length, the last border included."""
        lengths, borders = np.sort(self.lengths), [0]
        for end in range(1, len(lengths) + 1):
            if end == len(lengths) or (end + 1 - borders[-1]) * lengths[end] > (self.batch_tokens or 0):
                borders.append(end)
        return borders


ON_HOST = frozenset({"lengths", "counts"})
"""What a batch says of its tensors, as lists: the tokens of each text, and how many of them are asked for."""


class Loader:
    """Batches as tensors, with `index`, the numbers of their windows, and what is `ON_HOST` (no tensors).

    It knows where it stands in an epoch.

    Collation slices memory-mapped arrays and costs less than handing a batch from a worker process would.
    """

    def __init__(self, split: EncodedSplit, tokenizer: Any, batches: Batches) -> None:
        self.split, self.tokenizer, self.batch_sampler = split, tokenizer, batches
        self._given = 0
        self._skip = 0

    def __len__(self) -> int:
        return len(self.batch_sampler)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._given, self._skip = self._skip, 0
        for index in islice(self.batch_sampler, self._given, None):
            self._given += 1
            yield self.batch(index)

    def batch(self, index: np.ndarray) -> dict[str, Any]:
        """The windows of these numbers as one batch."""
        features = [self.split[k] for k in index]
        noise = self.batch_sampler.noise(self._given) if self.batch_sampler.shuffle else None
        batch: dict[str, Any] = self.split.task.collate(features, self.tokenizer, noise=noise)
        if "positions" in batch:
            texts = batch["positions"].numpy() // batch["input_ids"].shape[1]
            batch["counts"] = np.bincount(texts, minlength=len(features)).tolist()
        return batch | {"index": index, "lengths": [len(window["input_ids"]) for window in features]}

    def state_dict(self) -> dict[str, int]:
        """How many batches of the epoch were given."""
        return {"given": self._given % max(1, len(self))}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """The next epoch begins behind the batches that were given."""
        self._skip = state["given"]


# The data module -----------------------------------------------------------------------------------------------------


class TaskDataModule(pl.LightningDataModule):
    """Corpora of one task, encoded and in batches, for any Lightning trainer.

    After `setup`: `labels` (the names in the model's order), `task` (with what depends on the data filled in),
    and `train`, `validation`, `test` (an `EncodedSplit`, or None).

    Args:
        task: what to encode for.
        corpus: a corpus, or what names one. Its `train` split is learnt from; `validation` and `test` are taken
            from it where it has them.
        tokenizer: of the checkpoint.
        eval_corpus: validate on this corpus instead: on its validation, test or only split.
        labels: the labels of a trained model; found in the training split else.
        root: where registered corpora lie.
        cache: where encoded corpora lie.
        max_length: of a window, in tokens.
        batch_size: windows of an optimiser step over all devices.
        batch_tokens: tokens of an optimiser step over all devices, in place of `batch_size`.
        eval_batch_size: windows of a batch in evaluation; twice the batch size by default.
        validation_share: the share that is cut from `train` (seeded, stratified) where no validation split exists.
        seed: of the cut, the selection and the order.
        limit_train: learn from so many examples, chosen at random.
        limit_eval: evaluate on so many examples, chosen at random.
    """

    def __init__(
        self,
        task: Task[Any, Any],
        corpus: Corpus | str | Path,
        tokenizer: Any,
        *,
        eval_corpus: Corpus | str | Path | None = None,
        labels: Sequence[str] | None = None,
        root: Path | None = None,
        cache: Path | None = None,
        max_length: int = 128,
        batch_size: int = 32,
        batch_tokens: int | None = None,
        eval_batch_size: int | None = None,
        validation_share: float = 0.1,
        seed: int = 7,
        limit_train: int | None = None,
        limit_eval: int | None = None,
    ) -> None:
        super().__init__()
        self.task, self.tokenizer = task, tokenizer
        self.corpus = open_corpus(corpus, task.example, task.name)
        self.eval_corpus = None if eval_corpus is None else open_corpus(eval_corpus, task.example, task.name)
        self.labels = list(labels) if labels is not None else None
        self.root, self.cache = root or default_root(), cache or default_cache()
        self.max_length, self.batch_tokens, self.seed = max_length, batch_tokens, seed
        self.set_batch_size(batch_size, eval_batch_size)
        self.validation_share, self.limit_train, self.limit_eval = validation_share, limit_train, limit_eval
        self._loader: Loader | None = None
        self._place: dict[str, int] = {}
        self.train: EncodedSplit | None = None
        self.validation: EncodedSplit | None = None
        self.test: EncodedSplit | None = None

    def set_batch_size(self, batch_size: int, eval_batch_size: int | None = None) -> None:
        """Of the loaders that are made from now on; see the class."""
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size or 2 * batch_size

    def prepare_data(self) -> None:
        """Fill the cache (one process does)."""
        self.setup("fit")

    def setup(self, stage: str) -> None:
        """Open the encoded splits; builds them where they are not in the cache."""
        if self.train is not None:
            return
        splits = self.corpus.splits(self.root)
        if "train" not in splits and len(splits) > 1:
            raise InputError(
                f"there is nothing to train on: the corpus has {' and '.join(splits)} only",
                place=type(self.corpus).__name__,
                fix="bring its training file, or evaluate a trained model on it",
            )
        read = self._read(self.corpus, "train" if "train" in splits else splits[0])
        warn_of_empty_rows(read)
        declared = None if self.corpus.columns else self.corpus.labels(self.root)
        if self.labels is None:
            found = read.statistics.labels
            self.labels = list(declared) if declared is not None else self.task.order_labels(found)
        try:
            self.task = self.task.fit(read.statistics, self.labels, read.examples(), self.tokenizer)
        except InputError as error:
            first = read.example(0).place
            raise error.at(first.file if first else type(self.corpus).__name__) from None
        train = self._encode(read)
        if self.eval_corpus is not None:
            self.validation = self._encode(self._read(self.eval_corpus, best_split(self.eval_corpus, self.root)))
        elif "validation" in splits:
            self.validation = self._encode(self._read(self.corpus, "validation"))
        else:
            train, self.validation = self._cut(train)
        if "test" in splits and self.eval_corpus is None:
            self.test = self._encode(self._read(self.corpus, "test")).sample(self.limit_eval, self.seed)
        self.train = train.sample(self.limit_train, self.seed)
        self.validation = self.validation.sample(self.limit_eval, self.seed)
        self._check_selection(self.train)
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None:
                warn_of_truncation(split, self.max_length, name=name)

    def _check_selection(self, train: EncodedSplit) -> None:
        """A cut or a limit can leave one class of several, or lose one."""
        if len(train.read.statistics.labels) < 2:  # strata that are no classes: questions with and without an answer
            return
        stratum, names = train.read.table.categories("stratum")
        left = np.bincount(stratum[train.example_rows], minlength=len(names)).nonzero()[0]
        if len(names) > 1 and len(left) == 1:
            raise InputError(
                f"of {len(names)} classes only {names[left[0]]!r} is left in the {int(train.begins.sum())} rows to "
                "train on, after the cut for validation and --limit_train",
                expected="rows of at least two classes",
                fix="more rows, a higher --limit_train, or --eval_corpus",
            )
        kept = {label for i in left for label in names[i].split("\t")}
        if len(names) > 1 and (lost := [label for label in train.read.statistics.labels if label not in kept]):
            log.warning(
                "train: no row of the class %s is among the %s to train on, so that it will hardly be predicted; "
                "more rows, a higher --limit_train, or --eval_corpus would help.",
                " or ".join(map(repr, lost[:5])), f"{int(train.begins.sum()):,}",
            )  # fmt: skip

    def _read(self, corpus: Corpus, split: str) -> ReadSplit:
        return read_split(corpus, split, root=self.root, cache=self.cache)

    def _encode(self, read: ReadSplit) -> EncodedSplit:
        return encode_split(read, self.task, self.tokenizer, self.labels or [], self.max_length, cache=self.cache)

    def _cut(self, train: EncodedSplit) -> tuple[EncodedSplit, EncodedSplit]:
        if len(train.read) < 2:
            raise InputError(
                "one row cannot be cut into a part to train on and one to validate on", fix="give --eval_corpus"
            )
        share = max(self.validation_share, 1 / len(train.read))
        stratum, _ = train.read.table.categories("stratum")
        larger, smaller = cut(stratum, share, self.seed)
        if not len(larger):
            raise InputError(
                f"{self.validation_share} of {len(train.read)} rows leaves none to train on",
                place="--validation_share",
                fix="a smaller share, or --eval_corpus",
            )
        log.info("%s of %s training examples are kept for validation.", f"{len(smaller):,}", f"{len(train.read):,}")
        return train.select(larger), train.select(smaller)

    def on_before_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Pages that stay where they are go to a GPU while it computes."""
        if self.trainer is None or self.trainer.strategy.root_device.type != "cuda":
            return batch
        host = {"index", *ON_HOST}
        return {name: value if name in host else value.pin_memory() for name, value in batch.items()}

    def train_dataloader(self) -> Loader:
        """Shuffled batches; in a resumed epoch those that are left."""
        self._loader = self.loader(self.train, shuffle=True)
        if self._place:
            self._loader.load_state_dict(self._place)
        return self._loader

    def state_dict(self) -> dict[str, int]:
        """The place in the epoch; Lightning restores that of a loader only where nobody has asked for its length."""
        return self._loader.state_dict() if self._loader is not None else {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """See `state_dict`."""
        self._place = state_dict

    def val_dataloader(self) -> Loader:
        """All of the validation split, longest first."""
        return self.loader(self.validation)

    def test_dataloader(self) -> Loader:
        """All of the test split, longest first."""
        return self.loader(self.test)

    def loader(self, split: EncodedSplit | None, *, shuffle: bool = False) -> Loader:
        """Batches of a split, this process's share of them."""
        if split is None:
            raise RuntimeError("this split does not exist; call setup() first")
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)
        size = self.batch_size if shuffle else self.eval_batch_size
        tokens = self.batch_tokens if shuffle else None
        batches = Batches(
            split.lengths, size, shuffle=shuffle, seed=self.seed, rank=rank, world_size=world, batch_tokens=tokens
        )
        return Loader(split, self.tokenizer, batches)

    def summary(self) -> dict[str, dict[str, int]]:
        """Examples, windows and tokens of each split, and what truncation cuts away."""
        out = {}
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None:
                rows = {"examples": int(split.begins.sum()), "windows": len(split)}
                cut_away = int(split.lost[split.begins].sum())
                out[name] = rows | {"tokens": int(split.lengths.sum()), "tokens_cut_away": cut_away}
        return out


def best_split(corpus: Corpus, root: Path) -> str:
    """The split to validate on: validation, else test, else the only one."""
    splits = corpus.splits(root)
    return next((name for name in ("validation", "test") if name in splits), splits[0])
