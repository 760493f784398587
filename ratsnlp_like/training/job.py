"""What a run is made of, sorted and checked without torch."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ..arguments import CorpusArguments, DataArguments, ModelArguments, TrainingArguments, distribute
from ..checkpoints import adapters as lora
from ..checkpoints.base import resolve
from ..corpora.base import Corpus
from ..corpora.formats import Options
from ..corpora.opening import open_corpus
from ..corpora.tables import as_corpus
from ..errors import InputError
from ..registry import TASKS
from ..runtime.places import default_root
from ..tasks.base import AnyTask


@dataclass(frozen=True)
class Job:
    """All that a run is made of, resolved from flat options."""

    task: AnyTask
    corpus: str | Corpus
    checkpoint: str
    reading: Options
    places: CorpusArguments
    data: DataArguments
    model: ModelArguments
    training: TrainingArguments
    columns: dict[str, str]

    @classmethod
    def of(cls, task: str, corpus: str | Path | Corpus, checkpoint: str | Path, options: Mapping[str, Any]) -> Job:
        """Sort flat options into their places.

        Raises:
            InputError: an unknown task or option, or a value out of its range.
        """
        kind = TASKS[task]
        reading, places, data, model, training, made, columns = distribute(
            dict(options),
            Options,
            CorpusArguments,
            DataArguments,
            ModelArguments,
            TrainingArguments,
            kind,
            columns=kind.example.columns(),
        )
        if isinstance(corpus, Path):
            corpus = str(corpus)
        elif not isinstance(corpus, (str, Corpus)):
            corpus = as_corpus(corpus) or corpus
        return cls(made, corpus, str(checkpoint), reading, places, data, model, training, columns)

    def to_dict(self) -> dict[str, Any]:
        """Flat options that make this job again, for the configuration of the run folder."""
        parts = (self.reading, self.places, self.data, self.model, self.training, self.task)
        flat = {f.name: getattr(part, f.name) for part in parts for f in fields(part)}
        flat |= {f"{name}_column": column for name, column in self.columns.items()}
        named = {"task": self.task.name, "corpus": name_of(self.corpus), "checkpoint": self.checkpoint}
        return json.loads(json.dumps({**named, **flat}, default=str))

    def open(self, spec: str | Corpus, *, like: str | Corpus | None = None) -> Corpus:
        """A corpus, read as this job says; a file may be in the layout of another corpus."""
        return open_corpus(
            spec,
            self.task.example,
            self.task.name,
            columns=self.columns,
            label_separator=self.places.label_separator,
            subset=self.places.subset,
            label_type=self.places.label_type,
            files=self.places.files,
            options=self.reading,
            like=like if isinstance(like, str) else None,
        )

    def check(self) -> None:
        """Tell what is wrong before the work begins, and before torch is loaded for it.

        Raises:
            InputError: there is no such checkpoint or corpus, its files cannot be read, or a package is missing.
        """
        for name in self.training.logger:
            if importlib.util.find_spec(name) is None:
                raise InputError(f"the package {name} is not installed", place="--logger", fix=f"pip install {name}")
        if self.model.lora:
            lora.check_installed("--lora")
        resolve(self.checkpoint)
        root = self.places.corpus_root or default_root()
        self.open(self.corpus).check(root)
        if self.data.eval_corpus is not None:
            self.open(self.data.eval_corpus, like=self.corpus).check(root)


def name_of(corpus: str | Path | Corpus) -> str:
    """How a corpus is called in a configuration."""
    return type(corpus).__name__ if isinstance(corpus, Corpus) else str(corpus)
