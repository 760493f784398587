"""Evaluation of a saved model on a corpus."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..arguments import EVAL_BATCH_SIZE
from ..corpora.base import Corpus
from ..corpora.local import FileCorpus
from ..data.batches import Batches, Loader
from ..data.encoding import EncodedSplit, encode_split, warn_of_truncation, warn_of_unknown
from ..data.reading import read_split
from ..data.splits import best_split
from ..errors import InputError, did_you_mean
from ..inference.model_folder import PredictionPrecision
from ..inference.predictor import Predictor
from ..metrics.base import Metric
from ..runtime.places import default_cache, default_root
from ..text.perturbations import perturbation_names
from ..training.job import Job, name_of
from ..training.measure import measure
from ..training.run_files import CONFIG, SPLITS, read_config, read_splits
from .errors import check_errors_path, error_analysis, write_errors
from .robustness import robustness

log = logging.getLogger("ratsnlp_like")


def evaluate(
    folder: str | Path,
    *,
    corpus: str | Path | Corpus | None = None,
    split: str | None = None,
    precision: PredictionPrecision = "auto",
    metrics: Iterable[str | Metric] = (),
    task: str | None = None,
    labels: Sequence[str] = (),
    errors: str | Path | None = None,
    slice_column: str | None = None,
    perturb: str | Sequence[str] = (),
    **options: Any,
) -> dict[str, Any]:
    """Evaluate a saved model on a corpus.

    Args:
        folder: run folder (its best model) or model folder.
        corpus: registered name, file, hub id, or `Corpus`; by default the rows that the run held out.
        split: split of the corpus; by default test, else validation, else the only one.
        precision: `auto`, `32` or `bf16`, as in `Predictor.from_pretrained`.
        metrics: functions `(predictions, examples, labels) -> float | dict` or names of registered ones, reported next
            to those of the task.
        task: name of the task of a folder that transformers saved; see `Predictor.from_pretrained`.
        labels: names of its outputs.
        errors: FILE.csv, FILE.jsonl or FILE.html, for each wrong row with gold labels, prediction, confidence, kinds
            of mistakes and tokens.
        perturb: kinds of noise to evaluate with too, such as "spacing,typo"; see `text.perturbations.PERTURBATIONS`.
        slice_column: column of the corpus whose values are slices to compare, such as `source`.
        options: fields of `CorpusArguments` and `Options`, names of columns, `eval_batch_size`, `limit_eval`,
            `progress`; and the `inference_options` and `evaluation_options` of the task.

    Returns:
        Metrics by name, as in training. With `errors` or `slice_column` also `mistakes`: `rows`, `wrong_rows`,
        `matches` (texts, entities, answers), `kinds` (kind -> number), and `slices` with a higher error rate than the
        rest, most significant first. With `perturb` also `robustness`; see `evaluation.robustness`.

    Raises:
        InputError: there is no such model or corpus, the corpus has a label that the model lacks, or the task has no
            mistakes to list.
    """
    names = _perturbations(perturb)
    if errors is not None:
        check_errors_path(errors)
    own: Any = {"corpus": corpus, "split": split, "precision": precision, "metrics": metrics}
    done = Evaluation.of(folder, task=task, labels=labels, **own, **options)
    scores = dict(done.scores)
    if errors is not None or slice_column is not None:
        analysis = error_analysis(done, slice_column=slice_column)
        if errors is not None:
            write_errors(analysis, errors, title=Path(done.evaluation_set.corpus).name)
        scores["mistakes"] = analysis.summary()
    if names:
        scores["robustness"] = robustness(done, names)
    return scores


def _perturbations(perturb: str | Sequence[str]) -> tuple[str, ...]:
    try:
        return perturbation_names(perturb) if perturb else ()
    except InputError as error:
        raise error.at("--perturb") from None


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
        corpus: str | Path | Corpus | None = None,
        split: str | None = None,
        precision: PredictionPrecision = "auto",
        metrics: Iterable[str | Metric] = (),
        task: str | None = None,
        labels: Sequence[str] = (),
        **options: Any,
    ) -> Evaluation:
        """Evaluate a saved model; the arguments are those of `evaluate`."""
        predictor = Predictor.from_pretrained(folder, precision=precision, task=task, labels=labels)
        fields = predictor.task.usable_options() | predictor.task.evaluation_options
        predictor = predictor.with_options(**{name: options.pop(name) for name in fields if name in options})
        if corpus is None:
            evaluation_set = EvaluationSet.of_run(predictor, Path(folder), split, options)
        else:
            evaluation_set = EvaluationSet.of(predictor, corpus, split, options)
        log.info("evaluated on %s", evaluation_set)
        warn_of_unknown(evaluation_set.split, predictor.tokenizer, name=evaluation_set.corpus)
        measured = measure(
            predictor,
            evaluation_set.split,
            batch_size=evaluation_set.batch_size,
            metrics=metrics,
            progress=evaluation_set.progress,
        )
        return cls(predictor, evaluation_set, measured.scores, measured.predictions, measured.examples)


@dataclass(frozen=True)
class EvaluationSet:
    """Examples to evaluate a saved model on, encoded for it."""

    corpus: str
    kind: str
    """Description of the split."""
    split: EncodedSplit
    batch_size: int
    progress: bool
    source: Corpus
    """That the examples were read from ..."""
    root: Path
    """... and the folder of registered corpora."""

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
            raise InputError(
                f"no split {split!r}",
                place=name_of(corpus),
                fix=did_you_mean(split, splits)
                + "; without --corpus, the rows that a run held out from its own corpus are evaluated",
            )
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
        return cls(name_of(corpus), kind, encoded, _batch_size(job, predictor), job.training.progress, source, root)

    @classmethod
    def of_run(cls, predictor: Predictor, folder: Path, split: str | None, options: Mapping[str, Any]) -> EvaluationSet:
        """Return the examples that a run held out from its own corpus.

        Args:
            predictor: the best model of the run.
            folder: the run folder, or the folder of a model in it.
            split: `test`, `validation` or `train`; by default test if the run has one, else validation.
            options: those of `evaluate` that are not to be as in the run.

        Raises:
            InputError: it is not a run folder, the corpus has changed, or the run has no such split.
        """
        path = next((p / SPLITS for p in (folder, folder.parent) if (p / SPLITS).exists()), None)
        if path is None:
            raise InputError(
                "not a run folder, which would name the rows to evaluate on",
                place=folder,
                fix="name a corpus: --corpus",
            )
        job = job_of_run(path.parent)
        own = Job.of(predictor.task.name, job.corpus, "", options)
        _check_unused(own)
        root, cache = own.places.corpus_root or job.places.corpus_root, own.places.cache_dir or job.places.cache_dir
        root, cache = root or default_root(), cache or default_cache()
        splits = read_splits(path)["splits"]
        split = split or ("test" if "test" in splits else "validation")
        if split not in splits:
            raise InputError(f"the run has no split {split!r}", place=path.parent, fix=did_you_mean(split, splits))
        described = splits[split]
        spec = job.data.eval_corpus if described["source"] == "eval_corpus" else job.corpus
        source = job.open(spec or job.corpus, like=None if spec is job.corpus else job.corpus)
        read = read_split(source, described["split"], root=root, cache=cache)
        if read.fingerprint != described["fingerprint"]:
            raise InputError(
                f"the corpus {name_of(spec or job.corpus)} has changed since the run",
                place=path.parent,
                fix="restore it, or name another one: --corpus",
            )
        encoded = encode_split(
            read, predictor.task, predictor.tokenizer, predictor.labels, predictor.max_length, cache=cache
        )
        if described["rows"] is not None:
            encoded = encoded.select(np.array(described["rows"], dtype=np.int64))
        encoded = encoded.sample(own.data.limit_eval, own.training.seed)
        cut = split == "validation" and described["split"] == "train"
        kind = f"split {split}, as in the run" + (" (cut from train)" if cut else "")
        size, progress = _batch_size(own, predictor), own.training.progress
        return cls(name_of(spec or job.corpus), kind, encoded, size, progress, source, root)

    def __str__(self) -> str:
        return f"{self.corpus}, {self.kind}: {int(self.split.begins.sum()):,} examples"

    def loader(self, predictor: Predictor) -> Loader:
        """Return batches, longest windows first."""
        batches = Batches(self.split.unit_lengths, self.batch_size, shuffle=False)
        return Loader(self.split, predictor.tokenizer, batches)


def _check_unused(job: Job) -> None:
    """Check that no option of reading is set where the rows are read as in the run.

    Raises:
        InputError: one is set, and would be ignored.
    """
    free = {"corpus_root", "cache_dir"}
    parts = (job.reading, job.places)
    names = [
        f.name for part in parts for f in fields(part) if f.name not in free and getattr(part, f.name) != f.default
    ]
    if names := [*names, *(f"{name}_column" for name in job.columns)]:
        raise InputError(
            f"--{names[0]} without --corpus",
            expected="no option of reading: the held-out rows are read as in the run",
            fix=f"leave it out, or name a corpus to read with it: --corpus FILE --{names[0]} ...",
        )


def job_of_run(folder: Path) -> Job:
    """Return the job of a run from its configuration."""
    saved = read_config(folder / CONFIG)
    return Job.of(saved.pop("task"), saved.pop("corpus"), saved.pop("checkpoint"), saved)


def _batch_size(job: Job, predictor: Predictor) -> int:
    """Return the windows per batch: as stated, else as after training, which makes figures equal to the last digit."""
    return job.training.eval_batch_size or predictor.about.get("eval_batch_size") or EVAL_BATCH_SIZE
