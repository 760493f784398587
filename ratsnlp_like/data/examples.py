"""Examples of a corpus by its name, for notebooks and scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..corpora.opening import open_corpus
from ..examples.base import Example
from ..registry import TASKS
from ..runtime.places import default_root


def read_examples(corpus: Any, task: str, split: str = "train", *, root: Path | None = None) -> Iterator[Example]:
    """Read the examples of a split of a corpus.

    Args:
        corpus: as `fine_tune` takes it: a registered name, a path, a hub id, a table, or a `Corpus`.
        task: name of the task that the examples are for.
        split: train, validation or test.
        root: folder of downloaded corpora; default: the default folder of `--corpus_root`.

    Raises:
        InputError: there is no such corpus or split, or a row cannot be read.
    """
    return open_corpus(corpus, TASKS[task].example, task).examples(root or default_root(), split)
