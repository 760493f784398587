"""Datasets of the book: a corpus of the book's protocol, encoded by a task of `ratsnlp_like`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from torch.utils.data import Dataset

from ..corpora.formats import Options
from ..corpora.local import FileCorpus
from ..corpora.memory import MemoryCorpus
from ..data.encoding import EncodedSplit, encode_split, warn_of_truncation
from ..data.reading import read_split
from ..errors import InputError
from ..examples.base import Example
from ..runtime.places import default_cache
from ..tasks.base import AnyTask

log = logging.getLogger("ratsnlp")

Convert = Callable[..., Sequence[Any]]
MODES = ("train", "val", "test")


class BookDataset(Dataset[Any]):
    """Features of a split of a corpus.

    Args:
        args: training arguments.
        tokenizer: tokenizer of the checkpoint.
        corpus: object with `get_examples(dir, mode)`, and `get_labels()` if the task has labels.
        mode: train, val or test.
        convert_examples_to_features_fn: the reader's own encoding: called with the examples, the tokenizer, the
            arguments and, if the task has labels, `label_list`.

    Raises:
        InputError: the mode is unknown or the corpus cannot be read.
    """

    with_labels: ClassVar[bool] = True
    """True if the corpus has labels."""

    def __init__(
        self,
        args: Any,
        tokenizer: Any,
        corpus: Any,
        mode: str = "train",
        convert_examples_to_features_fn: Convert | None = None,
    ) -> None:
        if corpus is None:
            raise InputError("corpus is None", expected="an object with get_examples(dir, mode)")
        if mode not in MODES:
            raise InputError(f"{mode!r}", place="mode", expected=" or ".join(MODES))
        self.args, self.tokenizer, self.corpus, self.mode = args, tokenizer, corpus, mode
        folder = Path(args.downstream_corpus_root_dir).expanduser() / (args.downstream_corpus_name or "")
        examples = corpus.get_examples(str(folder), mode)
        if not examples:
            raise InputError(f"the corpus has no examples for the mode {mode!r}", place=folder)
        self.labels: list[str] = [str(name) for name in corpus.get_labels()] if self.with_labels else []
        self.split: EncodedSplit | None = None
        """The encoded split; None if the reader's own function encoded the examples."""
        if convert_examples_to_features_fn is not None:
            own = {"label_list": corpus.get_labels()} if self.with_labels else {}
            self.features: Sequence[Any] = convert_examples_to_features_fn(examples, tokenizer, args, **own)
        else:
            self.split = self._encode(examples)
            self.features = Features(self.split, self.to_features)

    def task_for(self, examples: Sequence[Any]) -> AnyTask:
        """Return the task that encodes and scores these examples."""
        raise NotImplementedError

    def to_core_example(self, example: Any) -> Example:
        """Convert an example of the book to one of `ratsnlp_like`."""
        raise NotImplementedError

    def to_features(self, window: dict[str, Any]) -> Any:
        """Convert a window of `ratsnlp_like` to features of the book."""
        raise NotImplementedError

    def core_labels(self) -> list[str]:
        """Return the labels as the task of `ratsnlp_like` takes them."""
        return self.labels

    def _encode(self, examples: Sequence[Any]) -> EncodedSplit:
        converted = [self.to_core_example(example) for example in examples]
        corpus = MemoryCorpus(kind=type(converted[0]), given={self.mode: converted})
        read = read_split(corpus, self.mode, root=Path(), cache=default_cache())
        task, length = self.task_for(examples), self.args.max_seq_length
        split = encode_split(read, task, self.tokenizer, self.core_labels(), length, cache=default_cache())
        warn_of_truncation(split, length)
        log.info("%s: %s examples, %s windows", self.mode, f"{len(read):,}", f"{len(split):,}")
        return split

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, i: int) -> Any:
        return self.features[i]

    def get_labels(self) -> Any:
        """Return the labels of the corpus."""
        return self.corpus.get_labels()


class Features(Sequence[Any]):
    """Windows of a split as features of the book, converted on access."""

    def __init__(self, split: EncodedSplit, make: Callable[[dict[str, Any]], Any]) -> None:
        self._split, self._make = split, make

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(len(self)))]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        window = self._split[i % len(self)]
        return self._make({name: value.tolist() for name, value in window.items()})


def find_file(folder: str | Path, *names: str) -> Path:
    """Return the first existing file of a folder among names (wildcards are allowed).

    Raises:
        InputError: none of them exists.
    """
    if path := next(chain.from_iterable(sorted(Path(folder).glob(name)) for name in names), None):
        return path
    raise InputError(
        f"no {' or '.join(names)} in {folder}",
        fix="download it first (Korpora.fetch, nlpbook.download_downstream_dataset(args)), or correct "
        "downstream_corpus_root_dir and downstream_corpus_name",
    )


def read_examples(path: Path, kind: type[Example], options: Options | None = None) -> list[Any]:
    """Read the examples of a file with the readers of `ratsnlp_like`."""
    log.info("loading %s", path)
    return list(FileCorpus(file=path, kind=kind, options=options or Options()).examples(path.parent, "train"))
