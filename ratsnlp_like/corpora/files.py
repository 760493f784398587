"""corpora.files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import InputError, did_you_mean
from ..examples.base import Example
from ..examples.entity import EntityExample
from ..examples.pair import PairExample, ScoredPairExample
from ..examples.question import QuestionExample
from ..examples.text import TextExample
from .base import Corpus
from .formats import Options, Row, read_rows


@dataclass(frozen=True)
class FilesCorpus(Corpus):
    """A corpus of one file per split, below the root."""

    paths: ClassVar[Mapping[str, tuple[str, ...]]]
    """split -> where its file may lie below the root, the usual place first; wildcards are allowed."""
    reading: ClassVar[Options] = Options()
    """How its files are read."""
    folder: ClassVar[Path | None] = None
    """Where its files lie whatever the root is: a corpus that ships with the package."""

    def splits(self, root: Path) -> Sequence[str]:
        """See `Corpus.splits`; the files are fetched where that is possible."""
        if not (found := self._found(root)):
            self.fetch(root)
            found = self._found(root)
        if not found:
            first = root / next(iter(self.paths.values()))[0]
            raise InputError(
                f"the corpus is not there: no {first.name} in {first.parent}",
                place=type(self).__name__,
                expected="; ".join(f"{split}: {' or '.join(paths)}" for split, paths in self.paths.items()),
                fix="put its files there, or say where they are with --corpus_root FOLDER (now "
                f"{root}); or give the file itself: --corpus FILE",
            )
        return tuple(found)

    def fetch(self, root: Path) -> None:
        """Bring the files to `root`, where the corpus knows how to."""

    def path(self, root: Path, split: str) -> Path:
        """The file of a split."""
        splits = self.splits(root)
        if split not in splits:
            raise InputError(f"no split {split!r}", place=type(self).__name__, fix=did_you_mean(split, splits))
        return self._found(root)[split]

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """See `Corpus.rows`."""
        return read_rows(self.path(root, split), self.reading)

    def fingerprint(self, root: Path, split: str) -> str:
        """See `Corpus.fingerprint`: the bytes of the file and the arguments of the corpus."""
        return digest_file(self.path(root, split), type(self).__qualname__, self, self.reading)

    def _found(self, root: Path) -> dict[str, Path]:
        return {
            split: path
            for split, patterns in self.paths.items()
            if (path := next((p for pattern in patterns for p in sorted((self.folder or root).glob(pattern))), None))
        }


def digest_file(path: Path, *arguments: object) -> str:
    """sha256 over the bytes of a file and how it is read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(arguments).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class TextCorpus(FilesCorpus):
    """Files of texts with a class."""

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "classification"


@dataclass(frozen=True)
class PairCorpus(FilesCorpus):
    """Files of two texts with a class."""

    example: ClassVar[type[Example]] = PairExample
    task: ClassVar[str] = "pair"


@dataclass(frozen=True)
class ScoredPairCorpus(FilesCorpus):
    """Files of two texts with a score."""

    example: ClassVar[type[Example]] = ScoredPairExample
    task: ClassVar[str] = "similarity"


@dataclass(frozen=True)
class QuestionCorpus(FilesCorpus):
    """Files of questions on texts."""

    example: ClassVar[type[Example]] = QuestionExample
    task: ClassVar[str] = "question-answering"
    reading: ClassVar[Options] = Options(format="squad")


@dataclass(frozen=True)
class EntityCorpus(FilesCorpus):
    """Files of texts with named entities."""

    example: ClassVar[type[Example]] = EntityExample
    task: ClassVar[str] = "ner"
