"""The task that a corpus was made for, inferred from its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

from ..examples.base import Example
from ..examples.entity import EntityExample
from ..examples.generation import GenerationExample
from ..examples.pair import PairExample, ScoredPairExample
from ..examples.question import QuestionExample
from ..examples.text import TextExample
from ..registry import CORPORA
from .base import CLASSES
from .files import EntityCorpus, PairCorpus, QuestionCorpus, ScoredPairCorpus, TextCorpus
from .formats import Options, Row, read_rows
from .local import FileCorpus
from .tables import TableCorpus, is_saved, load_saved


def infer_task(spec: str, options: Options, columns: Mapping[str, str | None] = MappingProxyType({})) -> str:
    """Return the task of a registered corpus; of a file, the task that fits the columns of its first row.

    Args:
        spec: as `open_corpus` takes it.
        options: reading options of a file.
        columns: field -> column named for it by the user.
    """
    if spec in CORPORA:
        return CORPORA[spec].task
    path = Path(spec).expanduser()
    if path.exists():
        row = _first_row(path, options)
        return _task_of_row(row, {name for name, column in columns.items() if column}) if row else TextCorpus.task
    return TextCorpus.task


def _first_row(path: Path, options: Options) -> Row | None:
    if path.is_dir() and is_saved(path):
        corpus = TableCorpus(tables=load_saved(path))
        return next(corpus.rows(path, corpus.splits(path)[0]), None)
    files = FileCorpus(file=path).files()
    return next(iter(read_rows(next(iter(files.values()))[0], options)), None)


def _task_of_row(row: Row, named: Collection[str]) -> str:
    """Return the most specific task for which a row has all columns, those of the labels included."""
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
