"""What a corpus is, and how a name, a file or a hub id becomes one."""

from __future__ import annotations

import hashlib
import logging
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from ..errors import InputError, did_you_mean
from ..examples import (
    EntityExample,
    Example,
    GenerationExample,
    PairExample,
    QuestionExample,
    ScoredPairExample,
    TextExample,
)
from ..registry import CORPORA
from .formats import FORMATS, Options, Row, check_file, read_rows

log = logging.getLogger("ratsnlp_like")

_SPLIT_NAMES = {"valid": "validation", "val": "validation", "dev": "validation", "eval": "validation"}
_OWN_FILE_SUFFIXES = frozenset(
    {suffix.lstrip(".") for entry in FORMATS.values() for suffix in entry.suffixes if suffix} | {"gz", "xlsx", "xls"}
)


def canonical_split(name: str) -> str:
    """`dev`, `val` and `valid` are `validation`."""
    return _SPLIT_NAMES.get(name, name)


def default_root() -> Path:
    """Where corpora lie: $RATSNLP_LIKE_CORPORA, else Korpora's own folder."""
    return Path(os.environ.get("RATSNLP_LIKE_CORPORA") or "~/Korpora").expanduser()


@dataclass(frozen=True)
class Corpus(ABC):
    """Where examples come from. Subclasses state facts; reading is done once, here and in `formats`.

    Attributes (facts, stated by a subclass):
        example: the kind of example it yields.
        task: the task it is made for.
        description: one line for `list corpora`: content, size, licence.
        column_names: its columns where they are not found by their own names.
        renamed_labels: readable names for labels that a file writes as numbers.
        sample: a few raw lines per split, fixture and documentation in one.
    """

    example: ClassVar[type[Example]]
    task: ClassVar[str]
    description: ClassVar[str] = ""
    column_names: ClassVar[Mapping[str, str]] = {}
    renamed_labels: ClassVar[Mapping[str, str]] = {}
    sample: ClassVar[Mapping[str, str]] = {}

    kind: type[Example] | None = None
    """The kind of example to yield instead of `example`: a task that wants bare text reads any corpus with texts."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns named by the user: field -> column. `a,b,c` as the label's column: 0/1 columns, one for a class."""
    label_separator: str | None = None
    """What stands between the labels of one row, where a row can have several."""

    @abstractmethod
    def splits(self, root: Path) -> Sequence[str]:
        """The names of the splits that can be read.

        Raises:
            InputError: the corpus is not there.
        """

    @abstractmethod
    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Raw rows of a split, in order."""

    @abstractmethod
    def fingerprint(self, root: Path, split: str) -> str:
        """A digest that changes when the content of the split does, or how it is read."""

    def check(self, root: Path) -> None:
        """Tell what is wrong with the corpus as a whole, without reading it.

        Raises:
            InputError: it is not there, or what is there is no corpus.
        """
        self.splits(root)

    def labels(self, root: Path) -> Sequence[str] | None:
        """The labels that the corpus declares; None where they are found by reading."""
        return None

    def examples(self, root: Path, split: str) -> Iterator[Example]:
        """The examples of a split, in order, empty ones and duplicates included.

        Raises:
            InputError: a row cannot be read; the message names file and line.
        """
        return self._examples(root, split, frozenset())

    def inputs(self, root: Path, split: str) -> Iterator[Example]:
        """As `examples`, without what is to be predicted: labels are not looked at."""
        return (example.asked() for example in self._examples(root, split, self.example_type.left_out()))

    def beside(self, root: Path, split: str) -> Iterator[dict[str, Any]]:
        """What stands in each row beside its `inputs`: numbers, dates, labels, as they are in the file."""
        for row, found in self._rows_with_columns(root, split, self.example_type.left_out()):
            used = {column for columns in found.values() for column in columns}
            yield {name: value for name, value in row.values.items() if name not in used}

    def _examples(self, root: Path, split: str, left_out: frozenset[str]) -> Iterator[Example]:
        kind = self.example_type
        for row, found in self._rows_with_columns(root, split, left_out):
            yield kind.from_row(self._values(row, found), row.place)

    def _rows_with_columns(
        self, root: Path, split: str, left_out: frozenset[str]
    ) -> Iterator[tuple[Row, dict[str, tuple[str, ...]]]]:
        """Each row, and which of its columns hold which fields; every file has columns of its own."""
        found: dict[str, tuple[str, ...]] = {}
        file, named = None, {**self.column_names, **self.columns}
        for row in self.rows(root, split):
            if row.place.file != file:
                found, file = find_columns(row, self.example_type, named, left_out), row.place.file
            yield row, found

    @property
    def example_type(self) -> type[Example]:
        """The kind of example that it yields."""
        return self.kind or self.example

    @property
    def readable_labels(self) -> Mapping[str, str]:
        """Names for the labels that the source writes otherwise."""
        return self.renamed_labels

    def _values(self, row: Row, found: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, columns in found.items():
            if len(columns) > 1:
                values[name] = [column for column in columns if _is_set(row, column)]
                continue
            value = row.values.get(columns[0])
            if name == "label":
                if self.label_separator and isinstance(value, str):
                    value = [part.strip() for part in value.split(self.label_separator) if part.strip()]
                renamed = self.readable_labels
                if renamed and value is not None:
                    value = renamed.get(str(value).strip(), value)
            values[name] = value
        return values


def _is_set(row: Row, column: str) -> bool:
    value = str(row.values.get(column)).strip().lower()
    if value in {"1", "1.0", "true"}:
        return True
    if value in {"0", "0.0", "false", "none", ""}:
        return False
    raise InputError(
        f"the column {column!r} holds {value!r}", place=row.place, expected="0 or 1 in a column that stands for a class"
    )


def find_columns(
    row: Row, kind: type[Example], named: Mapping[str, str], left_out: frozenset[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """Which column holds which field (but those left out): the one that was named, else the first known name.

    Raises:
        InputError: a named column does not exist, or a required one is not found.
    """
    header = {name.strip().lower(): name for name in row.values}
    place = row.place.file
    left_out |= _unused_alternatives(header, kind, named, place)
    found: dict[str, tuple[str, ...]] = {}
    choices: dict[str, list[str]] = {}
    for name in kind.columns():
        if name in left_out:
            continue
        flag = f"--{name}_column"
        if wanted := named.get(name):
            found[name] = _named_columns(row, wanted, flag, found)
            continue
        known = [a for a in (name, *kind.aliases.get(name, ())) if a in header]
        taken = {column for columns in found.values() for column in columns}
        if known and header[known[0]] not in taken:
            found[name] = (header[known[0]],)
            if known[0] != name:
                choices[name] = [header[other] for other in known[1:]]
        elif name not in kind.optional:
            raise InputError(
                f"no column for the {name} among {_listed(row)}",
                place=place,
                expected=f"a header line with a column named {', '.join(kind.aliases.get(name, (name,))[:6])}, ...",
                fix=f"name it: {flag} COLUMN (a file without a header line needs one first, "
                f"such as {chr(9).join(kind.columns())!r})",
            )
    _tell_choices(place, found, choices)
    return found


def _named_columns(row: Row, wanted: str, flag: str, found: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The columns that a user named for a field: one, or several with commas between."""
    place = row.place.file
    parts = [wanted] if wanted in row.values else [part.strip() for part in wanted.split(",")]
    for part in parts:
        if part not in row.values:
            raise InputError(
                f"no column {part!r} ({flag}); the columns are {_listed(row)}",
                place=place,
                fix=did_you_mean(part, row.values),
            )
    if clash := [part for columns in found.values() for part in columns if part in parts]:
        raise InputError(f"the column {clash[0]!r} is named twice ({flag})", place=place, fix="name another one")
    return tuple(parts)


def _tell_choices(place: str, found: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> None:
    """Which column is read for a field, where another that is read for none could be meant."""
    used = {column for columns in found.values() for column in columns}
    for name, columns in others.items():
        if unread := [repr(column) for column in columns if column not in used]:
            _tell_choice(place, name, found[name][0], ", ".join(unread))


@cache  # once per file
def _tell_choice(place: str, name: str, chosen: str, others: str) -> None:
    log.info("%s: the %s is read from %r, not from %s (--%s_column).", place, name, chosen, others, name)


def _unused_alternatives(
    header: Mapping[str, str], kind: type[Example], named: Mapping[str, str], place: str
) -> frozenset[str]:
    """The alternatives of an example that this file is not read as."""
    if not kind.alternatives:
        return frozenset()
    present = [name for name in kind.alternatives if any(a in header for a in (name, *kind.aliases.get(name, ())))]
    chosen = next((name for name in kind.alternatives if named.get(name)), present[0] if present else None)
    if chosen is None:
        raise InputError(
            f"no column for {' or '.join(kind.alternatives)} among {', '.join(map(repr, header.values()))}",
            place=place,
            fix="name it: " + ", ".join(f"--{name}_column COLUMN" for name in kind.alternatives),
        )
    return frozenset(kind.alternatives) - {chosen}


def _listed(row: Row) -> str:
    return ", ".join(repr(name if len(name) <= 30 else name[:30] + "...") for name in row.values)


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


def _split_of(path: Path) -> str | None:
    """The split that a file is named after: `train`, `klue-nli_dev`, `test-00001`."""
    words = re.split(r"[^a-z]+", path.name.partition(".")[0].lower())
    found = {canonical_split(word) for word in words} & {"train", "validation", "test"}
    return found.pop() if len(found) == 1 else None


def digest_file(path: Path, *arguments: object) -> str:
    """sha256 over the bytes of a file and how it is read."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr(arguments).encode())
    return digest.hexdigest()


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


_CLASSES = frozenset({"label", "labels", "정답", "답변"})
"""Columns that hold classes in most files, though other tasks know them too."""


def _task_of_row(row: Row, named: Collection[str]) -> str:
    """The most special task for which a row has all columns, what is to be learnt among them."""
    header = {name.strip().lower(): value for name, value in row.values.items()}

    def column(kind: type[Example], name: str, *, but: frozenset[str] = frozenset()) -> str | None:
        if name in named:
            return name
        return next((a for a in (name, *kind.aliases.get(name, ())) if a in header and a not in but), None)

    if column(EntityExample, "entities", but=_CLASSES):
        return EntityCorpus.task
    label = column(TextExample, "label")
    is_question = column(QuestionExample, "question") and column(QuestionExample, "context")
    if is_question and (column(QuestionExample, "answers", but=_CLASSES) or label in {None, *_CLASSES - {"label"}}):
        return QuestionCorpus.task
    if column(GenerationExample, "messages"):
        return "generation"
    if column(PairExample, "text") and column(PairExample, "text_pair"):
        score = column(ScoredPairExample, "score")
        is_number = isinstance(header.get(str(score)), Mapping) or "." in str(header.get(str(score)))
        return ScoredPairCorpus.task if is_number or score not in {None, *_CLASSES} else PairCorpus.task
    if column(GenerationExample, "prompt") and column(GenerationExample, "completion"):
        return "generation"
    return TextCorpus.task if label else "masked-lm"


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or name.rpartition(".")[2].lower() in _OWN_FILE_SUFFIXES


@dataclass(frozen=True)
class TextCorpus(FilesCorpus):
    """Files of texts with a class."""

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "classification"


NLI_LABELS = ("entailment", "contradiction", "neutral")
"""In KLUE's order."""


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
