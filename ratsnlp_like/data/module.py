"""TaskDataModule: the splits of a corpus, encoded for a task, as loaders for any Lightning trainer."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl

from ..corpora.base import Corpus
from ..corpora.opening import open_corpus
from ..errors import InputError, did_you_mean
from ..examples.text import TextExample, has_marks
from ..runtime.places import default_cache, default_root
from ..tasks.base import AnyTask
from ..text.perturbations import perturbation_names
from .augmentation import AugmentedSplit, check_augmentation
from .batches import ON_HOST, Batches, Loader
from .encoding import EncodedSplit, encode_split, warn_of_truncation, warn_of_unknown
from .reading import ReadSplit, read_split, warn_of_empty_rows
from .splits import best_split, cut, sample_rows, warn_of_copies

log = logging.getLogger("ratsnlp_like")


class TaskDataModule(pl.LightningDataModule):
    """Corpora of one task, encoded and in batches, for any Lightning trainer.

    After `setup`: `labels` (in the order of the model's outputs), `task` (with the fields that depend on the data
    filled in), and `train`, `validation`, `test` (an `EncodedSplit`, or None).

    Args:
        task: the task to encode for.
        corpus: a corpus, or its name, file or hub id. Its `train` split is trained on; `validation` and `test` are used
            where it has them.
        tokenizer: tokenizer of the checkpoint.
        eval_corpus: validate on this corpus instead: on its validation, test or only split.
        labels: labels of a trained model; by default those of the training split.
        root: folder of the registered corpora.
        cache: folder of the encoded corpora.
        max_length: of a window, in tokens.
        batch_size: windows per training batch, over all devices.
        batch_tokens: tokens per training batch over all devices, in place of `batch_size`.
        eval_batch_size: windows per batch in evaluation; twice the batch size by default.
        validation_share: share of `train` that is cut off (seeded, stratified) if there is no validation split.
        seed: seed of the order, and of the cut and of samples.
        split_seed: seed of the cut and of samples, if another one.
        limit_train: train on this many examples, chosen at random.
        limit_eval: evaluate on this many examples, chosen at random.
        use_test: read the test split, where the corpus has one.
        group_column: column of groups that the cut keeps on one side; equal texts, paragraphs or premises by default.
        augment: noise in half of the training rows, by names of `text.perturbations.PERTURBATIONS`.
        columns: names of columns where they are not found by themselves, such as `text_column="본문"`.
    """

    def __init__(
        self,
        task: AnyTask,
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
        split_seed: int | None = None,
        limit_train: int | None = None,
        limit_eval: int | None = None,
        use_test: bool = True,
        group_column: str | None = None,
        augment: Sequence[str] = (),
        **columns: str,
    ) -> None:
        super().__init__()
        self.task, self.tokenizer = task, tokenizer
        own: Any = {"columns": _fields_of(columns, task), "group_column": group_column}
        self.corpus = open_corpus(corpus, task.example, task.name, **own)
        self.eval_corpus = None if eval_corpus is None else open_corpus(eval_corpus, task.example, task.name, **own)
        self.labels = list(labels) if labels is not None else None
        self.root, self.cache = root or default_root(), cache or default_cache()
        self.max_length, self.batch_tokens, self.seed = max_length, batch_tokens, seed
        self.split_seed = seed if split_seed is None else split_seed
        self.set_batch_size(batch_size, eval_batch_size)
        self.validation_share, self.limit_train, self.limit_eval = validation_share, limit_train, limit_eval
        self.augment = perturbation_names(augment) if augment else ()
        self.use_test = use_test
        self._loader: Loader | None = None
        self._position: dict[str, int] = {}
        self.train: EncodedSplit | None = None
        self.validation: EncodedSplit | None = None
        self.test: EncodedSplit | None = None

    def set_batch_size(self, batch_size: int, eval_batch_size: int | None = None) -> None:
        """Set the batch sizes of the loaders made from now on; see the class."""
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size or 2 * batch_size

    def prepare_data(self) -> None:
        """Fill the cache, in one process."""
        self.setup("fit")

    def setup(self, stage: str) -> None:
        """Open the encoded splits, building those that are not in the cache."""
        if self.train is not None:
            return
        splits = self.corpus.splits(self.root)
        read = self._read(self.corpus, self.corpus.training_split(self.root))
        warn_of_empty_rows(read)
        self._check_data(read)
        has_validation = self.eval_corpus is not None or "validation" in splits
        rows, held_out = (np.arange(len(read), dtype=np.int32), None) if has_validation else self._cut(read)
        rows = self._limit(read, rows)
        self._fit_task(read, rows)
        train = self._encode(read)
        if held_out is not None:
            self.validation = train.select(held_out)
        elif self.eval_corpus is not None:
            self.validation = self._encode(self._read(self.eval_corpus, best_split(self.eval_corpus, self.root)))
        else:
            self.validation = self._encode(self._read(self.corpus, "validation"))
        if self.use_test and "test" in splits and self.eval_corpus is None and self._is_labelled("test"):
            self.test = self._encode(self._read(self.corpus, "test")).sample(self.limit_eval, self.split_seed)
        if self.augment:
            check_augmentation(self.task)
            train = self._encode(AugmentedSplit.of(read, self.augment, self.seed))
        self.train = train if len(rows) == len(read) else train.select(rows)
        self.validation = self.validation.sample(self.limit_eval, self.split_seed)
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None:
                warn_of_truncation(split, self.max_length, name=name)
                if name != "train" and split.read is not read:
                    warn_of_copies(split.read, name, read, rows)
        self._warn_of_unknown()

    def _warn_of_unknown(self) -> None:
        """Report the share of unknown tokens once: of the first split where it is high."""
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None and warn_of_unknown(split, self.tokenizer, name=name):
                return

    def _is_labelled(self, split: str) -> bool:
        labelled = self.corpus.is_labelled(self.root, split)
        if not labelled:
            log.warning("%s: the split %s has no labels, and is not evaluated on.", self.corpus.name, split)
        return labelled

    def _limit(self, read: ReadSplit, rows: np.ndarray) -> np.ndarray:
        """Return at most `limit_train` rows, chosen at random among those that can be trained on."""
        if self.limit_train is None:
            return rows
        if self.task.skips_empty:
            rows = np.intersect1d(rows, read.not_empty(), assume_unique=True)
        return sample_rows(rows, self.limit_train, self.split_seed)

    def _check_data(self, read: ReadSplit) -> None:
        """Find the labels, and check the training split as a whole, before rows are held out."""
        declared = None if self.corpus.columns else self.corpus.labels(self.root)
        if self.labels is None:
            found = read.statistics.labels
            self.labels = list(declared) if declared is not None else self.task.order_labels(found)
        with self._place_of(read):
            self.task.check_data(read.statistics, self.labels)

    def _fit_task(self, read: ReadSplit, rows: np.ndarray) -> None:
        """Fill in the fields of the task that depend on the rows that are trained on."""
        with self._place_of(read):
            self._check_classes(read, rows)
            self.task = self.task.fit(read.counts_of(rows), self.labels or [], read.examples(rows), self.tokenizer)

    @contextmanager
    def _place_of(self, read: ReadSplit) -> Iterator[None]:
        """Add the file of a split to errors without a place."""
        try:
            yield
        except InputError as error:
            first = read.example(0).place
            raise error.at(first.file if first else type(self.corpus).__name__) from None

    @staticmethod
    def _check_classes(read: ReadSplit, rows: np.ndarray) -> None:
        """Check that the cut and the limit leave several classes, and warn of a class that they lose."""
        if len(read.statistics.labels) < 2:  # strata that are not classes: questions with and without an answer
            return
        stratum, names = read.table.categories("stratum")
        left = np.bincount(stratum[rows], minlength=len(names)).nonzero()[0]
        if len(names) > 1 and len(left) == 1:
            raise InputError(
                f"of {len(names)} classes only {names[left[0]]!r} is left in the {len(rows)} rows to "
                "train on, after the cut for validation and --limit_train",
                expected="rows of at least two classes",
                fix="more rows, a higher --limit_train, or --eval_corpus",
            )
        kept = {label for i in left for label in names[i].split("\t")}
        if len(names) > 1 and (lost := [label for label in read.statistics.labels if label not in kept]):
            log.warning(
                "train: no row of the class %s is among the %s to train on, so it will hardly be predicted; "
                "more rows, a higher --limit_train, or --eval_corpus would help.",
                " or ".join(map(repr, lost[:5])), f"{len(rows):,}",
            )  # fmt: skip

    def _read(self, corpus: Corpus, split: str) -> ReadSplit:
        return read_split(corpus, split, root=self.root, cache=self.cache)

    def _encode(self, read: ReadSplit) -> EncodedSplit:
        return encode_split(read, self.task, self.tokenizer, self.labels or [], self.max_length, cache=self.cache)

    def _cut(self, read: ReadSplit) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and those that are held out for validation."""
        if len(read) < 2:
            raise InputError(
                "one row cannot be cut into a part to train on and one to validate on", fix="give --eval_corpus"
            )
        share = max(self.validation_share, 1 / len(read))
        stratum, _ = read.table.categories("stratum")
        larger, smaller = cut(stratum, share, self.split_seed, read.groups)
        if not len(smaller):
            raise InputError(
                "all rows are of one group, so that none can be held out for validation",
                expected="rows with different texts",
                fix="give --eval_corpus, or another --group_column",
            )
        if not len(larger):
            raise InputError(
                f"{self.validation_share} of {len(read)} rows leaves none to train on",
                place="--validation_share",
                fix="a smaller share, or --eval_corpus",
            )
        log.info("%s of %s training examples are held out for validation.", f"{len(smaller):,}", f"{len(read):,}")
        return larger, smaller

    def on_before_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Pin the tensors, so that they are copied to a GPU while it computes."""
        if self.trainer is None or self.trainer.strategy.root_device.type != "cuda":
            return batch
        host = {"index", "repeated", *ON_HOST}
        return {name: value if name in host else value.pin_memory() for name, value in batch.items()}

    def train_dataloader(self) -> Loader:
        """Return shuffled batches; in a resumed epoch those that are left."""
        self._loader = self.loader(self.train, shuffle=True)
        if self._position:
            self._loader.load_state_dict(self._position)
        return self._loader

    def state_dict(self) -> dict[str, int]:
        """Return the position in the epoch; Lightning restores that of a loader only if `len` was never called."""
        return self._loader.state_dict() if self._loader is not None else {}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Restore the position in the epoch."""
        self._position = state_dict

    def val_dataloader(self) -> Loader:
        """Return the batches of the validation split, longest first."""
        return self.loader(self.validation)

    def test_dataloader(self) -> Loader:
        """Return the batches of the test split, longest first."""
        return self.loader(self.test)

    def loader(self, split: EncodedSplit | None, *, shuffle: bool = False) -> Loader:
        """Return the batches of a split that this process takes."""
        if split is None:
            raise RuntimeError("this split does not exist; call setup() first")
        trainer = self.trainer
        rank, world = (trainer.global_rank, trainer.world_size) if trainer is not None else (0, 1)
        size = self.batch_size if shuffle else self.eval_batch_size
        tokens = self.batch_tokens if shuffle else None
        batches = Batches(
            split.unit_lengths, size, shuffle=shuffle, seed=self.seed, rank=rank, world_size=world, batch_tokens=tokens
        )
        return Loader(split, self.tokenizer, batches)

    def summary(self) -> dict[str, dict[str, int]]:
        """Return the numbers of examples, windows, tokens and truncated tokens of each split."""
        out = {}
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None:
                rows = {"examples": int(split.begins.sum()), "windows": len(split)}
                truncated = int(split.lost[split.begins].sum())
                out[name] = rows | {"tokens": int(split.lengths.sum()), "truncated_tokens": truncated}
        return out

    def provenance(self) -> dict[str, Any]:
        """Return the fingerprints of the splits, and whether texts of training have marks of a relation."""
        splits = {name: getattr(self, name) for name in ("train", "validation", "test")}
        first = [] if self.train is None else list(islice(self.train.examples(), 100))
        return {
            "fingerprints": {name: split.read.fingerprint for name, split in splits.items() if split is not None},
            "relations": bool(first) and all(isinstance(e, TextExample) and has_marks(e.text) for e in first),
        }

    def description(self) -> dict[str, Any]:
        """Return the labels, and the source and the rows of each split, for splits.json of a run folder."""
        splits = {}
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is None:
                continue
            rows = split.example_rows[split.begins]
            own = name == "validation" and self.eval_corpus is not None
            splits[name] = {
                "source": "eval_corpus" if own else "corpus",
                "split": split.read.name,
                "fingerprint": split.read.fingerprint,
                "rows": None if len(rows) == len(split.read) else rows.tolist(),
            }
        return {"labels": self.labels or [], "splits": splits}


def _fields_of(columns: dict[str, str], task: AnyTask) -> dict[str, str]:
    """Return field -> column for keywords such as `text_column`."""
    known = {f"{name}_column": name for name in task.example.columns()}
    for name in columns:
        if name not in known:
            raise InputError(f"unknown option {name!r}", fix=did_you_mean(name, known))
    return {known[name]: column for name, column in columns.items()}
