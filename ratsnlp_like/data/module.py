"""TaskDataModule: the splits of a corpus, encoded for a task, as loaders for any Lightning trainer."""

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
from ..tasks.base import AnyTask
from .batches import ON_HOST, Batches, Loader
from .encoding import EncodedSplit, encode_split, warn_of_truncation
from .reading import ReadSplit, read_split, warn_of_empty_rows
from .splits import best_split, cut

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
        seed: seed of the cut, of samples and of the order.
        limit_train: train on this many examples, chosen at random.
        limit_eval: evaluate on this many examples, chosen at random.
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
        self._fit_task(read)
        train = self._encode(read)
        if self.eval_corpus is not None:
            self.validation = self._encode(self._read(self.eval_corpus, best_split(self.eval_corpus, self.root)))
        elif "validation" in splits:
            self.validation = self._encode(self._read(self.corpus, "validation"))
        else:
            train, self.validation = self._cut(train)
        if "test" in splits and self.eval_corpus is None and self._is_labelled("test"):
            self.test = self._encode(self._read(self.corpus, "test")).sample(self.limit_eval, self.seed)
        self.train = train.sample(self.limit_train, self.seed)
        self.validation = self.validation.sample(self.limit_eval, self.seed)
        self._check_classes(self.train)
        for name in ("train", "validation", "test"):
            if (split := getattr(self, name)) is not None:
                warn_of_truncation(split, self.max_length, name=name)

    def _is_labelled(self, split: str) -> bool:
        labelled = self.corpus.is_labelled(self.root, split)
        if not labelled:
            log.warning("%s: the split %s has no labels, and is not evaluated on.", self.corpus.name, split)
        return labelled

    def _fit_task(self, read: ReadSplit) -> None:
        """Find the labels, and fill in the fields of the task that depend on the training data."""
        declared = None if self.corpus.columns else self.corpus.labels(self.root)
        if self.labels is None:
            found = read.statistics.labels
            self.labels = list(declared) if declared is not None else self.task.order_labels(found)
        try:
            self.task = self.task.fit(read.statistics, self.labels, read.examples(), self.tokenizer)
        except InputError as error:
            first = read.example(0).place
            raise error.at(first.file if first else type(self.corpus).__name__) from None

    def _check_classes(self, train: EncodedSplit) -> None:
        """Check that the cut and the limit leave several classes, and warn of a class that they lose."""
        if len(train.read.statistics.labels) < 2:  # strata that are not classes: questions with and without an answer
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
                "train: no row of the class %s is among the %s to train on, so it will hardly be predicted; "
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
        log.info("%s of %s training examples are held out for validation.", f"{len(smaller):,}", f"{len(train.read):,}")
        return train.select(larger), train.select(smaller)

    def on_before_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> dict[str, Any]:
        """Pin the tensors, so that they are copied to a GPU while it computes."""
        if self.trainer is None or self.trainer.strategy.root_device.type != "cuda":
            return batch
        host = {"index", *ON_HOST}
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
