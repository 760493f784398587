"""Corpora of one file per split, and a base class for each kind of example."""

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
from .remote import fetch_files, fetch_with_korpora


@dataclass(frozen=True)
class FilesCorpus(Corpus):
    """A corpus of one file per split, below the root."""

    paths: ClassVar[Mapping[str, tuple[str, ...]]]
    """Split -> places of its file below the root, the usual one first; wildcards are allowed."""
    reading: ClassVar[Options] = Options()
    """Reading options of its files."""
    folder: ClassVar[Path | None] = None
    """Folder of its files whatever the root is: a corpus that ships with the package."""
    korpora: ClassVar[str | None] = None
    """Name of the corpus in the package Korpora, which downloads it where `remote` is empty."""

    def splits(self, root: Path) -> Sequence[str]:
        """Return the names of the splits that exist; the files are downloaded if there are none and they can be."""
        if not (found := self._found(root)):
            self.fetch(root)
            found = self._found(root)
        if not found:
            first = root / next(iter(self.paths.values()))[0]
            raise InputError(
                f"the corpus is missing: no {first.name} in {first.parent}",
                place=type(self).__name__,
                expected="; ".join(f"{split}: {' or '.join(paths)}" for split, paths in self.paths.items()),
                fix="put its files there, or give their folder with --corpus_root FOLDER (now "
                f"{root}); or give the file itself: --corpus FILE",
            )
        return tuple(found)

    def fetch(self, root: Path) -> None:
        """Download the files to `root`, where a source is known.

        Raises:
            InputError: the download failed.
        """
        if self.remote:
            fetch_files(self.remote, root)
        elif self.korpora is not None:
            fetch_with_korpora(self.korpora, root)

    def path(self, root: Path, split: str) -> Path:
        """Return the file of a split."""
        splits = self.splits(root)
        if split not in splits:
            raise InputError(f"no split {split!r}", place=type(self).__name__, fix=did_you_mean(split, splits))
        return self._found(root)[split]

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        return read_rows(self.path(root, split), self.reading)

    def fingerprint(self, root: Path, split: str) -> str:
        """Return a digest of the bytes of the file and the arguments of the corpus."""
        return digest_file(self.path(root, split), type(self).__qualname__, self, self.reading)

    def location(self, root: Path) -> str:
        return "" if self.folder is not None else str(root)

    def _found(self, root: Path) -> dict[str, Path]:
        return {
            split: path
            for split, patterns in self.paths.items()
            if (path := next((p for pattern in patterns for p in sorted((self.folder or root).glob(pattern))), None))
        }


def digest_file(path: Path, *arguments: object) -> str:
    """Return the sha256 of the bytes of a file and of reading arguments."""
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
