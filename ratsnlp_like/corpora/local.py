"""A file of the user's own, or a folder of files."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from ..examples.base import Example
from ..examples.text import TextExample
from ..registry import CORPORA
from .archives import is_archive, unpacked
from .base import Corpus, InputRow
from .files import digest_file
from .formats import Options, Row, check_corpus_file, known_suffixes, read_rows
from .formats.brat import text_of
from .splits import SPLITS, split_of
from .spooling import is_stream, spooled

log = logging.getLogger("ratsnlp_like")


@dataclass(frozen=True)
class FileCorpus(Corpus):
    """A file of the user's own, whose only split is `train`; or a folder or a ZIP archive of files.

    Files that are named after splits, or are in folders that are (`train.csv`, `Validation/a.json`, `검증.csv`), make
    these splits, and the others are ignored. Where no file is, all of them are one training split.
    """

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "any"
    description: ClassVar[str] = "a CSV, TSV, JSON, JSONL, Parquet, CoNLL, KLUE-NER, book-NER or text file of your own"

    file: Path = Path()
    options: Options = field(default_factory=Options)
    given: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Files that the user named for a split, relative to the folder: (split, names)."""
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

    def input_rows(self, root: Path, split: str) -> Iterator[InputRow]:
        """Yield the rows as inputs; one that the format cannot read has an error too, and the others are read."""
        tolerant = replace(self, options=replace(self.options, on_error="skip"))
        return super(FileCorpus, tolerant).input_rows(root, split)

    def fingerprint(self, root: Path, split: str) -> str:
        next(self.rows(root, split), None)  # a file that cannot be read is an error before it is hashed
        how = self._how(), self.options, self.readable_labels
        digests = [digest_file(file, *how) for file in self.files()[split]]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def location(self, root: Path) -> str:
        return self.name

    def files(self) -> dict[str, list[Path]]:
        """Return the files of each split.

        Raises:
            InputError: a folder holds no file of a known format, or a named file is missing.
        """
        source = self.source
        if self.given:
            return {split: _matching(source, split, names) for split, names in self.given}
        if not source.is_dir():
            return {"train": [source]}
        files = self._readable(source)
        named: dict[str, list[Path]] = {}
        for path in files:
            if (split := split_of(path.relative_to(source))) is not None:
                named.setdefault(split, []).append(path)
        if not named:
            return {"train": files}
        if left := [path.name for path in files if split_of(path.relative_to(source)) is None]:
            _report_ignored(self.file, ", ".join(left[:5]))
        return {split: named[split] for split in SPLITS if split in named}

    @property
    def source(self) -> Path:
        """The file or folder; of a ZIP archive what it holds, of a pipe a copy."""
        if is_stream(self.file):
            return spooled(self.file)
        return unpacked(self.file) if is_archive(self.file) else self.file

    def training_split(self, root: Path) -> str:
        try:
            return super().training_split(root)
        except InputError as error:
            found = "; ".join(
                f"{split}: {', '.join(path.name for path in files[:3])}{', ...' * (len(files) > 3)}"
                for split, files in self.files().items()
            )
            raise InputError(
                error.problem,
                place=self.file,
                expected=f"a file or folder named after train (found: {found})",
                fix="name the files: --train_files train.csv --validation_files dev.csv --test_files test.csv",
            ) from None

    def _readable(self, folder: Path) -> list[Path]:
        """Return the files of known formats in a folder; texts next to annotations are read with those."""
        suffixes = own_file_suffixes()
        files = [
            path
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(folder).parts)
            and path.name.lower().removesuffix(".gz").rpartition(".")[2] in suffixes
        ]
        annotated = {text_of(path) for path in files if path.suffix == ".ann"}
        files = [path for path in files if path not in annotated]
        if not files:
            inside = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
            raise InputError(
                f"the folder holds no corpus file (it holds {inside})",
                place=self.file,
                expected="files with a known ending: .txt, .csv, .tsv, .jsonl, .parquet, ..., compressed (.gz) or not",
                fix="name the file itself, or give the files an ending",
            )
        return files


@cache  # once per folder
def _report_ignored(folder: Path, names: str) -> None:
    log.info("%s: ignored, for they are not named after a split: %s.", folder, names)


def _matching(folder: Path, split: str, patterns: Sequence[str]) -> list[Path]:
    """Return the files of a split that the user named, relative to the folder of the corpus; wildcards are allowed."""
    out: list[Path] = []
    for pattern in patterns:
        direct = Path(pattern).expanduser()
        base = folder if folder.is_dir() else folder.parent
        found = [direct] if direct.is_absolute() else sorted(base.glob(pattern))
        if not found or not found[0].exists():
            raise InputError(f"no file {pattern!r} in {base}", place=f"--{split}_files", fix="correct the name")
        out += found
    return out


def own_file_suffixes() -> frozenset[str]:
    """Return the suffixes, without their dots, of what is taken for a file of the user's own."""
    return known_suffixes() | {"gz", "xls", "zip"}
