"""data.module."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl

from ..corpora.base import Corpus
from ..corpora.opening import open_corpus
from ..errors import InputError
from ..runtime.places import default_cache, default_root
from ..tasks.base import Task
from .batches import ON_HOST, Batches, Loader
from .splits import (
    EncodedSplit,
    ReadSplit,
    best_split,
    cut,
    encode_split,
    read_split,
    warn_of_empty_rows,
    warn_of_truncation,
)

log = logging.getLogger("ratsnlp_like")


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
