"""A file of the user's own, or a folder of files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from ..examples.base import Example
from ..examples.text import TextExample
from ..registry import CORPORA
from .base import Corpus
from .files import digest_file
from .formats import Options, Row, check_corpus_file, known_suffixes, read_rows
from .splits import SPLITS, split_of

log = logging.getLogger("ratsnlp_like")


@dataclass(frozen=True)
class FileCorpus(Corpus):
    """A file of the user's own, whose only split is `train`; or a folder of files.

    Files of a folder that are named after splits (`train.csv`, `dev.csv`, `test-01.csv`) make these splits, and the
    others are ignored. Where no file is, all of them in all subfolders are one training split.
    """

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "any"
    description: ClassVar[str] = "a CSV, TSV, JSON, JSONL, Parquet, CoNLL, KLUE-NER, book-NER or text file of your own"

    file: Path = Path()
    options: Options = field(default_factory=Options)
    like: str | None = None
    """A registered corpus with the layout of the file: its numbers for labels have the same names."""

    @property
    def name(self) -> str:
        return str(self.file)

    @property
    def readable_labels(self) -> Mapping[str, str]:
        return CORPORA[self.like].renamed_labels if self.like is not None and self.like in CORPORA else {}

    def splits(self, root: Path) -> Sequence[str]:
        return tuple(self.files())

    def check(self, root: Path) -> None:
        for files in self.files().values():
            for file in files:
                check_corpus_file(file, self.options)

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        for file in self.files()[split]:
            yield from read_rows(file, self.options)

    def fingerprint(self, root: Path, split: str) -> str:
        next(self.rows(root, split), None)  # a file that cannot be read is an error before it is hashed
        how = self._how(), self.options, self.readable_labels
        digests = [digest_file(file, *how) for file in self.files()[split]]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def files(self) -> dict[str, list[Path]]:
        """Return the files of each split.

        Raises:
            InputError: a folder holds no file of a known format.
        """
        if not self.file.is_dir():
            return {"train": [self.file]}
        suffixes = own_file_suffixes()
        files = [
            path
            for path in sorted(self.file.rglob("*"))
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.file).parts)
            and path.name.lower().removesuffix(".gz").rpartition(".")[2] in suffixes
        ]
        if not files:
            inside = ", ".join(sorted(path.name for path in self.file.iterdir())[:8]) or "nothing"
            raise InputError(
                f"the folder holds no corpus file (it holds {inside})",
                place=self.file,
                expected="files with a known ending: .txt, .csv, .tsv, .jsonl, .parquet, ..., compressed (.gz) or not",
                fix="name the file itself, or give the files an ending",
            )
        named: dict[str, list[Path]] = {}
        for path in files:
            if (split := split_of(path)) is not None:
                named.setdefault(split, []).append(path)
        if not named:
            return {"train": files}
        if left := [path.name for path in files if split_of(path) is None]:
            log.info("%s: %s are not named after a split and are ignored.", self.file, ", ".join(left[:5]))
        return {split: named[split] for split in SPLITS if split in named}


def own_file_suffixes() -> frozenset[str]:
    """Return the suffixes, without their dots, of what is taken for a file of the user's own."""
    return known_suffixes() | {"gz", "xls"}
