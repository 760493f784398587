"""Evaluation of a saved model on a corpus."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..arguments import EVAL_BATCH_SIZE
from ..corpora.base import Corpus
from ..corpora.local import FileCorpus
from ..data.batches import Batches, Loader
from ..data.encoding import EncodedSplit, encode_split, warn_of_truncation
from ..data.reading import read_split
from ..data.splits import best_split
from ..errors import InputError, did_you_mean
from ..inference.model_folder import PredictionPrecision
from ..inference.predictor import Predictor
from ..metrics.base import Metric
from ..runtime.places import default_cache, default_root
from ..tasks.abilities import SupportsGenerationMetrics
from ..training.job import Job, name_of
from ..training.module import TaskModule
from ..training.trainer import evaluation_trainer

log = logging.getLogger("ratsnlp_like")


def evaluate(
    folder: str | Path,
    *,
    corpus: str | Path | Corpus,
    split: str | None = None,
    precision: PredictionPrecision = "32",
    metrics: Iterable[str | Metric] = (),
    **options: Any,
) -> dict[str, Any]:
    """Evaluate a saved model on a corpus.

    Args:
        folder: run folder (its best model) or model folder.
        corpus: registered name, file, hub id, or `Corpus`.
        split: split of the corpus; by default test, else validation, else the only one.
        precision: `32` or `bf16`, as in `Predictor.from_pretrained`.
        metrics: functions `(predictions, examples, labels) -> float | dict` or names of registered ones, reported next
            to those of the task.
        options: fields of `CorpusArguments` and `Options`, names of columns, `eval_batch_size`, `limit_eval`,
            `progress`; and the `inference_options` and `evaluation_options` of the task.

    Returns:
        Metrics by name, as in training.

    Raises:
        InputError: there is no such model or corpus, or the corpus has a label that the model lacks.
    """
    return Evaluation.of(folder, corpus=corpus, split=split, precision=precision, metrics=metrics, **options).scores


@dataclass(frozen=True)
class Evaluation:
    """A saved model with its predictions on a corpus."""

    predictor: Predictor
    evaluation_set: EvaluationSet
    scores: dict[str, Any]
    predictions: list[Any]
    """One for each example."""
    examples: list[Any]
    """With gold labels."""

    @classmethod
    def of(
        cls,
        folder: str | Path,
        *,
        corpus: str | Path | Corpus,
        split: str | None = None,
        precision: PredictionPrecision = "32",
        metrics: Iterable[str | Metric] = (),
        **options: Any,
    ) -> Evaluation:
        """Evaluate a saved model; the arguments are those of `evaluate`."""
        predictor = Predictor.from_pretrained(folder, precision=precision)
        fields = predictor.task.usable_options() | predictor.task.evaluation_options
        predictor = predictor.with_options(**{name: options.pop(name) for name in fields if name in options})
        evaluation_set = EvaluationSet.of(predictor, corpus, split, options)
        log.info("evaluated on %s", evaluation_set)
        module = TaskModule(predictor.task, predictor.model, predictor.labels, metrics=metrics)
        trainer = evaluation_trainer(progress=evaluation_set.progress)
        trainer.test(module, dataloaders=evaluation_set.loader(predictor), verbose=False)
        scores = module.results
        if isinstance(predictor.task, SupportsGenerationMetrics):
            scores |= predictor.task.score_generation(predictor.predict, evaluation_set.split.examples())
        return cls(predictor, evaluation_set, scores, module.predictions, module.examples)


@dataclass(frozen=True)
class EvaluationSet:
    """Examples to evaluate a saved model on, encoded for it."""

    corpus: str
    kind: str
    """Description of the split."""
    split: EncodedSplit
    batch_size: int
    progress: bool

    @classmethod
    def of(
        cls, predictor: Predictor, corpus: str | Path | Corpus, split: str | None, options: Mapping[str, Any]
    ) -> EvaluationSet:
        """Return the encoded examples of a split; the arguments are those of `evaluate`."""
        if predictor.about.get("corpus") == name_of(corpus):  # read as in training
            columns = {f"{name}_column": column for name, column in predictor.about.get("columns", {}).items()}
            options = {**columns, **options}
        job = Job.of(predictor.task.name, corpus, "", options)
        source = job.open(job.corpus, like=predictor.about.get("corpus"))
        root, cache = job.places.corpus_root or default_root(), job.places.cache_dir or default_cache()
        splits = source.splits(root)
        split = split or ("test" if "test" in splits else best_split(source, root))
        if split not in splits:
            if len(splits) > 1:
                raise InputError(f"no split {split!r}", place=name_of(corpus), fix=did_you_mean(split, splits))
            split = splits[0]  # a file has only one
        read = read_split(source, split, root=root, cache=cache)
        known = predictor.about.get("fingerprints", {})
        if read.fingerprint == known.get("train"):
            log.warning(
                "%s: the model was trained on these rows: the metrics do not hold for new text.", name_of(corpus)
            )
        elif read.fingerprint == known.get("validation"):
            log.warning("%s: the best model was selected on these rows: on new text, it may be worse.", name_of(corpus))
        encoded = encode_split(
            read, predictor.task, predictor.tokenizer, predictor.labels, predictor.max_length, cache=cache
        )
        encoded = encoded.sample(job.data.limit_eval, job.training.seed)
        warn_of_truncation(encoded, predictor.max_length)
        kind = "the whole file" if isinstance(source, FileCorpus) and len(splits) == 1 else f"split {split}"
        size = job.training.eval_batch_size or EVAL_BATCH_SIZE
        return cls(name_of(corpus), kind, encoded, size, job.training.progress)

    def __str__(self) -> str:
        return f"{self.corpus}, {self.kind}: {int(self.split.begins.sum()):,} examples"

    def loader(self, predictor: Predictor) -> Loader:
        """Return batches, longest windows first."""
        batches = Batches(self.split.unit_lengths, self.batch_size, shuffle=False)
        return Loader(self.split, predictor.tokenizer, batches)
