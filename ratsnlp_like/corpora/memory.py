"""Corpora of examples in memory."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from ..errors import InputError, did_you_mean
from ..examples.base import Example, Place
from .base import Corpus
from .formats import Row


@dataclass(frozen=True)
class MemoryCorpus(Corpus):
    """Examples by split: `MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "긍정"), ...]})`."""

    example: ClassVar[type[Example]] = Example
    task: ClassVar[str] = "any"
    description: ClassVar[str] = "examples in memory"

    given: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Split -> its examples, all of the kind `kind`."""

    def splits(self, root: Path) -> tuple[str, ...]:
        return tuple(self.given)

    def examples(self, root: Path, split: str) -> Iterator[Example]:
        if split not in self.given:
            raise InputError(f"no split {split!r}", place=type(self).__name__, fix=did_you_mean(split, self.given))
        return iter(self.given[split])

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        for number, example in enumerate(self.examples(root, split), start=1):
            values = {name: getattr(example, name) for name in example.columns()}
            yield Row(values, example.place or Place(split, number, "example"))

    def fingerprint(self, root: Path, split: str) -> str:
        digest = hashlib.sha256(self.example_type.__qualname__.encode())
        for example in self.examples(root, split):
            digest.update(example.to_json().encode())
        return digest.hexdigest()
