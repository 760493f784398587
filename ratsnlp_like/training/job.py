"""Job: the arguments of a run, sorted and checked without torch."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..arguments import CorpusArguments, DataArguments, ModelArguments, TrainingArguments, distribute
from ..checkpoints import adapters as lora
from ..checkpoints.base import resolve
from ..checkpoints.revisions import with_revision
from ..corpora.base import Corpus
from ..corpora.formats import Options
from ..corpora.opening import open_corpus
from ..corpora.tables import TableCorpus, as_corpus
from ..errors import InputError
from ..registry import LOGGERS, METRICS, TASKS
from ..runtime.places import default_root
from ..tasks.base import AnyTask
from ..text.perturbations import perturbation_names

if TYPE_CHECKING:
    import pytorch_lightning as pl
    from pytorch_lightning.loggers import Logger

    from ..metrics.base import Metric


@dataclass(frozen=True)
class Job:
    """The arguments of a run, resolved from flat options."""

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
        """Sort flat options into the classes of arguments.

        Raises:
            InputError: an unknown task or option, or a value out of its range.
        """
        kind = TASKS[task]
        reading, places, data, model, training, task_, columns = distribute(
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
        return cls(task_, corpus, str(checkpoint), reading, places, data, model, training, columns)

    @property
    def source(self) -> str:
        """The checkpoint with its revision.

        Raises:
            InputError: two revisions are named.
        """
        return with_revision(self.checkpoint, self.model.revision)

    @property
    def split_seed(self) -> int:
        """The seed of the cut for validation and of samples."""
        return self.training.seed if self.data.split_seed is None else self.data.split_seed

    def to_dict(self) -> dict[str, Any]:
        """Return the flat options of this job, for the configuration of the run folder."""
        parts = (self.reading, self.places, self.data, self.model, self.training, self.task)
        flat = {f.name: getattr(part, f.name) for part in parts for f in fields(part)}
        flat |= {f"{name}_column": column for name, column in self.columns.items()}
        named = {"task": self.task.name, "corpus": name_of(self.corpus), "checkpoint": self.checkpoint}
        return json.loads(json.dumps({**named, **flat}, default=str))

    def settings(self, epochs: int | None, batch_size: int, sizes: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
        """Return the settings of training for the model card: what is usually stated, and what is not the default.

        Args:
            epochs: as trained, where they were `auto`.
            batch_size: likewise.
            sizes: split -> counts, with `examples`.
        """
        own = self.training
        batch = f"{own.batch_tokens} tokens" if own.batch_tokens else batch_size
        stated = {"learning_rate": own.learning_rate, "batch_size": batch, "epochs": epochs, "seed": own.seed}
        names = ("max_steps", "accumulate", "weight_decay", "layer_decay", "schedule", "warmup")
        changed = {name: getattr(own, name) for name in names if getattr(own, name) != getattr(TrainingArguments, name)}
        adapters = {"LoRA rank": self.model.lora_rank} if self.model.lora else {}
        return {**stated, **changed, **adapters, **{f"{name} examples": own["examples"] for name, own in sizes.items()}}

    def open(self, spec: str | Corpus, *, like: str | Corpus | None = None) -> Corpus:
        """Open a corpus with the options of this job; a file may be in the layout of another corpus."""
        return open_corpus(
            spec,
            self.task.example,
            self.task.name,
            columns=self.columns,
            label_separator=self.places.label_separator,
            subset=self.places.subset,
            label_type=self.places.label_type,
            group_column=self.places.group_column,
            files=self.places.files,
            options=self.reading,
            like=like if isinstance(like, str) else None,
        )

    def check(self) -> None:
        """Check what can be checked before torch is loaded.

        Raises:
            InputError: an unknown checkpoint, corpus, metric or logger, files that cannot be read, a missing package.
        """
        for flag, registry, names in (
            ("--metrics", METRICS, self.training.metrics),
            ("--loggers", LOGGERS, self.training.loggers),
        ):
            for name in names:
                try:
                    registry[name]
                except InputError as error:
                    raise error.at(flag) from None
        for name in self.training.loggers:
            _check_package(name)
        if self.data.augment:
            self._check_augmentation()
        if self.model.lora:
            lora.check_installed("--lora")
        resolve(self.source)
        root = self.places.corpus_root or default_root()
        self.open(self.corpus).check(root)
        if self.data.eval_corpus is not None:
            self.open(self.data.eval_corpus, like=self.corpus).check(root)

    def _check_augmentation(self) -> None:
        from ..data.augmentation import check_augmentation

        check_augmentation(self.task)
        try:
            perturbation_names(self.data.augment)
        except InputError as error:
            raise error.at("--augment") from None


@dataclass(frozen=True)
class Extensions:
    """Objects of the user that take part in a run and are not part of its configuration."""

    callbacks: Sequence[pl.Callback] = ()
    loggers: Sequence[Logger] = ()
    metrics: Sequence[Metric] = ()


def name_of(corpus: object) -> str:
    """Return the name of a corpus in a configuration: a name, a path, or the type of an object."""
    if isinstance(corpus, TableCorpus):
        return corpus.name
    return str(corpus) if isinstance(corpus, (str, Path)) else type(corpus).__name__


def _check_package(name: str) -> None:
    """Check that the package of a built-in logger, after which it is named, is installed."""
    built_in = LOGGERS[name].__module__.startswith(f"{__package__}.")
    if built_in and importlib.util.find_spec(name) is None:
        raise InputError(f"the package {name} is not installed", place="--loggers", fix=f"pip install {name}")
