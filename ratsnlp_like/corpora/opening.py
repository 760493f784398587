"""corpora.opening."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from ..errors import InputError, did_you_mean
from ..examples.base import Example
from ..examples.entity import EntityExample
from ..examples.generation import GenerationExample
from ..examples.pair import PairExample, ScoredPairExample
from ..examples.question import QuestionExample
from ..examples.text import TextExample
from ..registry import CORPORA
from .base import CLASSES, Corpus, canonical_split
from .files import EntityCorpus, PairCorpus, QuestionCorpus, ScoredPairCorpus, TextCorpus, digest_file
from .formats import FORMATS, Options, Row, check_file, read_rows

log = logging.getLogger("ratsnlp_like")
_OWN_FILE_SUFFIXES = frozenset(
    {suffix.lstrip(".") for entry in FORMATS.values() for suffix in entry.suffixes if suffix} | {"gz", "xlsx", "xls"}
)


def _split_of(path: Path) -> str | None:
    """The split that a file is named after: `train`, `klue-nli_dev`, `test-00001`."""
    words = re.split(r"[^a-z]+", path.name.partition(".")[0].lower())
    found = {canonical_split(word) for word in words} & {"train", "validation", "test"}
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True)
class FileCorpus(Corpus):
    """A file of one's own, which has one split, `train`; or a folder of files.

    Files of a folder that are named after splits (`train.csv`, `dev.csv`, `test-01.csv`) make these splits, and others
    beside them are left alone. Where no file is, all of them in all subfolders are one training split.
    """

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "any"
    description: ClassVar[str] = "a CSV, TSV, JSON, JSONL, Parquet, CoNLL, KLUE-NER, book-NER or text file of one's own"

    file: Path = Path()
    options: Options = field(default_factory=Options)
    like: str | None = None
    """A registered corpus in whose layout the file is: its numbers for labels have the same names."""

    @property
    def readable_labels(self) -> Mapping[str, str]:
        """Those of the corpus that it is like."""
        return CORPORA[self.like].renamed_labels if self.like is not None and self.like in CORPORA else {}

    def splits(self, root: Path) -> Sequence[str]:
        """See `Corpus.splits`."""
        return tuple(self.files())

    def check(self, root: Path) -> None:
        """See `Corpus.check`."""
        for files in self.files().values():
            for file in files:
                check_file(file, parquet=self.options.format in (None, "parquet"))

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """See `Corpus.rows`."""
        for file in self.files()[split]:
            yield from read_rows(file, self.options)

    def fingerprint(self, root: Path, split: str) -> str:
        """See `Corpus.fingerprint`."""
        next(self.rows(root, split), None)  # a file that cannot be read says so before it is hashed
        how = self.example_type.__name__, self.columns, self.label_separator, self.options, self.readable_labels
        digests = [digest_file(file, *how) for file in self.files()[split]]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()

    def files(self) -> dict[str, list[Path]]:
        """The files of each split.

        Raises:
            InputError: a folder holds no file that could be read.
        """
        if not self.file.is_dir():
            return {"train": [self.file]}
        files = [
            path
            for path in sorted(self.file.rglob("*"))
            if path.is_file()
            and not any(part.startswith(".") for part in path.relative_to(self.file).parts)
            and path.name.lower().removesuffix(".gz").rpartition(".")[2] in _OWN_FILE_SUFFIXES
        ]
        if not files:
            inside = ", ".join(sorted(path.name for path in self.file.iterdir())[:8]) or "nothing"
            raise InputError(
                f"the folder holds no corpus file (it holds {inside})",
                place=self.file,
                expected="files with a known ending: .txt, .csv, .tsv, .jsonl, .parquet, ..., .gz behind it or not",
                fix="name the file itself, or give the files an ending",
            )
        named: dict[str, list[Path]] = {}
        for path in files:
            if (split := _split_of(path)) is not None:
                named.setdefault(split, []).append(path)
        if not named:
            return {"train": files}
        if left := [path.name for path in files if _split_of(path) is None]:
            log.info("%s: %s are not named after a split and are left alone.", self.file, ", ".join(left[:5]))
        return {split: named[split] for split in ("train", "validation", "test") if split in named}


def open_corpus(
    spec: str | Path | Corpus,
    kind: type[Example],
    task: str,
    *,
    columns: Mapping[str, str] | None = None,
    label_separator: str | None = None,
    subset: str | None = None,
    options: Options | None = None,
    like: str | None = None,
) -> Corpus:
    """A registered corpus, a file or a folder of files, or a data set of the Hugging Face hub.

    Args:
        spec: a registered name, a path, or a hub id (`owner/name`).
        kind: the example that the task takes.
        task: the name of the task.
        columns: field -> column, where they are not found by name.
        label_separator: what stands between several labels of one row.
        subset: the configuration of a hub data set.
        options: how to read a file.
        like: a registered corpus in whose layout a file may be (the official test file of a corpus, given by path).

    Raises:
        InputError: nothing of that name, or a corpus for another task.
    """
    own: dict[str, Any] = {"columns": dict(columns or {}), "label_separator": label_separator}
    if isinstance(spec, Corpus):
        return spec
    if not isinstance(spec, (str, Path)):
        raise InputError(
            f"the corpus is a {type(spec).__name__}",
            expected="a registered name, a path, a hub id, or a Corpus",
            fix="write a table to a file first: frame.to_csv('corpus.csv', index=False)",
        )
    name = str(spec)
    if name in CORPORA:
        corpus = CORPORA[name]
        if kind.columns() == ("text",) and "text" in corpus.example_type.columns():
            corpus = replace(corpus, kind=kind)
        if not issubclass(corpus.example_type, kind):
            of_text = kind.columns() == ("text",)
            fitting = [
                n
                for n, c in CORPORA.items()
                if issubclass(c.example_type, kind) or (of_text and "text" in c.example_type.columns())
            ]
            known = ", ".join(fitting) or "files of your own"
            raise InputError(
                f"the corpus {name!r} is for the task {corpus.task}, "
                + ("and has no column of bare text" if of_text else f"not for {task}"),
                fix=f"choose among {known}" if of_text else f"--task {corpus.task}, or one of {known}",
            )
        if subset or (options and options != Options()):
            log.warning("%s says itself how it is read: --format, --encoding and the like are for files.", name)
        return replace(corpus, **{k: v for k, v in own.items() if v})
    path = Path(name).expanduser()
    if path.exists() or _looks_like_path(name):
        return FileCorpus(file=path, kind=kind, options=options or Options(), like=like, **own)
    if name.count("/") == 1:
        from .hub import HubCorpus

        return HubCorpus(hub_id=name, subset=subset, kind=kind, **own)
    raise InputError(
        f"unknown corpus {name!r}: not registered, not a file, not a hub id (owner/name)",
        fix=did_you_mean(name, CORPORA),
    )


def guess_task(spec: str, options: Options, columns: Mapping[str, str | None] = MappingProxyType({})) -> str:
    """The task that a corpus is made for; of a file, what the columns of its first row are made for.

    Args:
        spec: as `open_corpus` takes it.
        options: how a file is read.
        columns: field -> the column that was named for it.
    """
    if spec in CORPORA:
        return CORPORA[spec].task
    path = Path(spec).expanduser()
    if path.exists():
        files = FileCorpus(file=path).files()
        row = next(iter(read_rows(next(iter(files.values()))[0], options)), None)
        return _task_of_row(row, {name for name, column in columns.items() if column}) if row else TextCorpus.task
    return TextCorpus.task


def _task_of_row(row: Row, named: Collection[str]) -> str:
    """The most special task for which a row has all columns, what is to be learnt among them."""
    header = {name.strip().lower(): value for name, value in row.values.items()}

    def column(kind: type[Example], name: str, *, but: frozenset[str] = frozenset()) -> str | None:
        if name in named:
            return name
        return next((a for a in (name, *kind.aliases.get(name, ())) if a in header and a not in but), None)

    if column(EntityExample, "entities", but=CLASSES):
        return EntityCorpus.task
    label = column(TextExample, "label")
    is_question = column(QuestionExample, "question") and column(QuestionExample, "context")
    if is_question and (column(QuestionExample, "answers", but=CLASSES) or label in {None, *CLASSES - {"label"}}):
        return QuestionCorpus.task
    if column(GenerationExample, "messages"):
        return "generation"
    if column(PairExample, "text") and column(PairExample, "text_pair"):
        score = column(ScoredPairExample, "score")
        is_number = isinstance(header.get(str(score)), Mapping) or "." in str(header.get(str(score)))
        return ScoredPairCorpus.task if is_number or score not in {None, *CLASSES} else PairCorpus.task
    if column(GenerationExample, "prompt") and column(GenerationExample, "completion"):
        return "generation"
    return TextCorpus.task if label else "masked-lm"


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or name.rpartition(".")[2].lower() in _OWN_FILE_SUFFIXES
