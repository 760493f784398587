"""All kinds, and the reading of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.evaluation.inspection import inspect
from ratsnlp_like.registry import TASKS

from . import entities, others, tables
from .base import Kind

KINDS = (*tables.KINDS, *entities.KINDS, *others.KINDS)
_READING = frozenset({"columns", "sheet"})


def read(kind: Kind, corpus: Any, root: Path) -> dict[str, Any]:
    """Return the findings of `inspect` on the training split."""
    columns = {n.removesuffix("_column"): c for n, c in kind.options.items() if n.endswith("_column")}
    reading: Mapping[str, Any] = {name: value for name, value in kind.options.items() if name in _READING}
    task = TASKS[kind.task]()
    opened = open_corpus(corpus, task.example, kind.task, columns=columns, options=Options(**reading))
    found = inspect(opened, task, root=root)
    return dict(found["splits"]["train"])
