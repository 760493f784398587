"""Names, files and hub ids -> corpora."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, did_you_mean, with_article
from ..examples.base import Example
from ..registry import CORPORA
from .base import Corpus
from .formats import Options
from .hub import HubCorpus
from .labels import LabelType
from .local import FileCorpus, own_file_suffixes
from .memory import MemoryCorpus
from .tables import TableCorpus, as_corpus, is_saved, load_saved

log = logging.getLogger("ratsnlp_like")


def open_corpus(
    spec: Any,
    kind: type[Example],
    task: str,
    *,
    columns: Mapping[str, str] | None = None,
    label_separator: str | None = None,
    subset: str | None = None,
    options: Options | None = None,
    like: str | None = None,
    label_type: LabelType = "auto",
    group_column: str | None = None,
    files: Mapping[str, Sequence[str]] | None = None,
) -> Corpus:
    """Open a registered corpus, a file or a folder of files, or a data set of the Hugging Face hub.

    Args:
        spec: a registered name, a path, a hub id (`owner/name`), a corpus, or a table: a DataFrame, a
            `datasets.Dataset`, a list of dicts, a mapping of splits to such.
        kind: the type of example of the task.
        task: the name of the task.
        columns: field -> column, where they are not found by name.
        label_separator: separator of several labels of one row.
        subset: the configuration of a hub data set.
        options: reading options of a file.
        label_type: `class` takes decimal numbers for names of classes.
        files: split -> its files within a folder, where their names do not show it.
        group_column: column whose equal values a cut keeps on one side.
        like: a registered corpus whose layout a file may have (the official test file of a corpus, given by path).

    Raises:
        InputError: no corpus of that name, or one for another task.
    """
    own: dict[str, Any] = {
        "columns": dict(columns or {}),
        "label_separator": label_separator,
        "label_type": label_type,
        "group_column": group_column,
        "on_error": options.on_error if options is not None else "raise",
    }
    if isinstance(spec, Corpus):
        if spec.kind is None and isinstance(spec, (FileCorpus, HubCorpus, TableCorpus)):
            spec = replace(spec, kind=kind)
        return _with_options(_read_with(spec, subset, options), own)
    if (table := as_corpus(spec)) is not None:
        return replace(table, kind=kind, **own)
    if not isinstance(spec, (str, Path)):
        raise InputError(
            f"the corpus is {with_article(type(spec).__name__)}",
            expected="a registered name, a path, a hub id, a Corpus, a DataFrame, a Dataset, or a list of dicts",
        )
    name = str(spec)
    if name in CORPORA:
        return _with_options(_read_with(_fitting(name, kind, task), subset, options), own)
    path = Path(name).expanduser()
    if path.exists() or _looks_like_path(name):
        if path.is_dir() and is_saved(path):
            return TableCorpus(tables=load_saved(path), title=name, kind=kind, **own)
        given = tuple((split, tuple(names)) for split, names in (files or {}).items() if names)
        return FileCorpus(file=path, kind=kind, options=options or Options(), given=given, like=like, **own)
    if name.count("/") == 1:
        return HubCorpus(hub_id=name, subset=subset, kind=kind, **own)
    raise InputError(
        f"unknown corpus {name!r}: not registered, not a file, not a hub id (owner/name)",
        fix=did_you_mean(name, CORPORA),
    )


def _read_with(corpus: Corpus, subset: str | None, options: Options | None) -> Corpus:
    """Return a corpus with other reading options, where it has such."""
    if options is not None and replace(options, on_error="raise") != Options():
        if isinstance(corpus, FileCorpus):
            corpus = replace(corpus, options=options)
        else:
            log.warning("%s: --format, --encoding and the like are ignored: they are for files.", type(corpus).__name__)
    if subset:
        if isinstance(corpus, HubCorpus):
            corpus = replace(corpus, subset=subset)
        else:
            log.warning("%s: --subset is ignored: it is for data sets of the hub.", type(corpus).__name__)
    return corpus


def _with_options(corpus: Corpus, own: Mapping[str, Any]) -> Corpus:
    """Return a corpus with the options that are set; what the corpus has itself holds for the others."""
    given = {name: value for name, value in own.items() if value and value not in ("auto", "raise")}
    if given and isinstance(corpus, MemoryCorpus):
        raise InputError(
            f"{' and '.join(given)} for examples in memory",
            expected="a corpus with columns: a file, a registered corpus, a data set of the hub",
            fix="leave the option out: the examples have their fields already",
        )
    if "columns" in given:
        given["columns"] = {**corpus.columns, **given["columns"]}
    return replace(corpus, **given) if given else corpus


def _fitting(name: str, kind: type[Example], task: str) -> Corpus:
    """Return a registered corpus that yields examples of a type.

    Raises:
        InputError: it has none of them.
    """
    corpus = CORPORA[name]
    of_text = kind.columns() == ("text",)
    if of_text and "text" in corpus.example_type.columns():
        corpus = replace(corpus, kind=kind)
    if issubclass(corpus.example_type, kind):
        return corpus
    fitting = [
        other
        for other, entry in CORPORA.items()
        if issubclass(entry.example_type, kind) or (of_text and "text" in entry.example_type.columns())
    ]
    known = ", ".join(fitting) or "files of your own"
    raise InputError(
        f"the corpus {name!r} is for the task {corpus.task}, "
        + ("and has no column of bare text" if of_text else f"not for {task}"),
        fix=f"choose among {known}" if of_text else f"--task {corpus.task}, or one of {known}",
    )


def _looks_like_path(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~")) or name.rpartition(".")[2].lower() in own_file_suffixes()
