"""Labels of a corpus that are probably wrong: contradicting duplicates, and confident learning on models of folds."""

from __future__ import annotations

import logging
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..corpora.base import Corpus
from ..corpora.memory import MemoryCorpus
from ..data.reading import ReadSplit, read_split
from ..data.splits import sample_rows
from ..errors import InputError
from ..examples.base import Example
from ..inference.predictor import Predictor
from ..metrics.confident_learning import confident_learning
from ..registry import TASKS
from ..runtime.places import default_cache, default_root
from ..runtime.types import Array
from ..tasks.abilities import NO_LABEL, LabelEvidence, SupportsLabelErrors
from ..tasks.base import Window
from ..training.finetune import run_job
from ..training.job import Job

log = logging.getLogger("ratsnlp_like")


@dataclass(frozen=True)
class LabelError:
    """A label that is probably wrong."""

    place: str
    """File and line, or the number of the row."""
    kind: str
    """`duplicate`: the same input has another label elsewhere; `label`: a model expects another one; `missing`: it
    expects a label where there is none; `superfluous`: it expects none."""
    text: str
    """The input; of an entity, the entity."""
    given: str
    suggested: str
    """Of duplicates the most frequent label, empty where no label is; otherwise the one that the model expects."""
    quality: float | None
    """0 to 1: the lower, the more likely is the label wrong; see `metrics.confident_learning`."""
    probability: float | None
    """Of the given label, from a model that was not trained on the row."""
    span: tuple[int, int] | None = None
    """Characters of the entity."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class LabelErrors:
    """The labels of a corpus that are probably wrong."""

    corpus: str
    rows: int
    labels: int
    """Labels that were compared: rows, or entities with places that may lack one."""
    errors: list[LabelError]
    """Duplicates first, then by quality, the lowest first."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "errors": [error.to_dict() for error in self.errors]}


def find_label_errors(
    *, task: str, corpus: str | Path | Corpus, checkpoint: str | Path, folds: int = 5, **options: Any
) -> LabelErrors:
    """Find labels of the training split that are probably wrong.

    For each fold a model is fine-tuned on the other folds and predicts the rows of this one; equal texts are in one
    fold. The probabilities are compared with the given labels by confident learning (Northcutt et al. 2021,
    arXiv:1911.00068).

    Args:
        task: one with classes: `classification`, `pair`, `ner`.
        corpus: as for `fine_tune`.
        checkpoint: as for `fine_tune`.
        folds: number of models.
        options: as for `fine_tune`.

    Raises:
        InputError: the input is at fault, or the task has no labels to compare.
    """
    if not issubclass(TASKS[task], SupportsLabelErrors):
        known = [name for name, kind in TASKS.items() if issubclass(kind, SupportsLabelErrors)]
        raise InputError(f"{task} has no labels that can be compared with probabilities", expected=" or ".join(known))
    if folds < 2:
        raise InputError(f"{folds}", place="--folds", expected="at least 2")
    fixed = {"baselines": False, "use_test": False, "report": False}
    job = Job.of(task, corpus, checkpoint, {"progress": False, **options, **fixed})
    job.check()
    read, rows = _rows(job)
    examples = list(read.examples(rows))
    found = evidence(job, examples, read.groups[rows], folds)
    errors = [*duplicates(examples), *_suspected(examples, found)]
    return LabelErrors(str(job.to_dict()["corpus"]), len(examples), sum(map(len, found)), errors)


def _rows(job: Job) -> tuple[ReadSplit, Array]:
    """Return the training split, and the rows that `--limit_train` leaves, in order."""
    source = job.open(job.corpus)
    root, cache = job.places.corpus_root or default_root(), job.places.cache_dir or default_cache()
    read = read_split(source, source.training_split(root), root=root, cache=cache)
    limit = len(read) if job.data.limit_train is None else job.data.limit_train
    return read, sample_rows(np.arange(len(read)), limit, job.split_seed)


def evidence(job: Job, examples: Sequence[Example], groups: Array, folds: int) -> list[list[LabelEvidence]]:
    """Return the evidence for the labels of each example, from a model that was not trained on it.

    Args:
        job: the options of training.
        examples: with gold labels.
        groups: examples of one group are in one fold. Shape: (examples,).
        folds: number of models.

    Raises:
        InputError: there are too few groups.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if len(np.unique(groups)) < folds:
        raise InputError(f"{len(np.unique(groups))} different texts for {folds} folds", fix="a lower --folds")
    out: list[list[LabelEvidence]] = [[] for _ in examples]
    strata = np.unique([example.stratum for example in examples], return_inverse=True)[1]
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=job.split_seed)
    for number, (others, own) in enumerate(cut.split(np.zeros(len(examples)), strata, groups), 1):
        log.info("fold %d of %d: %s rows to train on", number, folds, f"{len(others):,}")
        with tempfile.TemporaryDirectory() as folder:
            predictor = _trained(job, [examples[k] for k in others], Path(folder))
        held_out = [examples[k] for k in own]
        for k, found in zip(own, evidence_of(predictor, held_out), strict=True):
            out[k] = found
    return out


def _trained(job: Job, examples: Sequence[Example], folder: Path) -> Predictor:
    corpus = MemoryCorpus(kind=type(examples[0]), given={"train": examples})
    places = replace(job.places, cache_dir=folder / "cache")
    own = replace(job, corpus=corpus, places=places, columns={}, data=replace(job.data, limit_train=None))
    return run_job(own, output=folder / "run").predictor


def evidence_of(predictor: Predictor, examples: Sequence[Example]) -> list[list[LabelEvidence]]:
    """Return the evidence of a model for the labels of each example."""
    task = predictor.task
    assert isinstance(task, SupportsLabelErrors)
    features = task.encode_inputs(examples, predictor.tokenizer, predictor.max_length)
    windows: list[list[Window]] = [[] for _ in examples]
    for window, raw in zip(features, predictor.raw_outputs(features), strict=True):
        windows[window["example"]].append(Window(window, raw))
    return [
        task.label_evidence(example, own, predictor.labels, predictor.tokenizer)
        for example, own in zip(examples, windows, strict=True)
    ]


def duplicates(examples: Sequence[Example]) -> list[LabelError]:
    """Return the rows whose input occurs with another label too, together, the rarer labels first."""
    same: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        same["\0".join(str(value) for value in example.inputs().values())].append(example)
    out = []
    for rows in same.values():
        counts = Counter(gold_of(example) for example in rows)
        if len(counts) < 2:
            continue
        (most, first), (_, second) = counts.most_common(2)
        suggested = most if first > second else ""
        ordered = sorted(rows, key=lambda example: counts[gold_of(example)])
        out += [
            LabelError(place_of(example), "duplicate", str(example), gold_of(example), suggested, None, None)
            for example in ordered
            if gold_of(example) != suggested
        ]
    return out


def gold_of(example: Example) -> str:
    """Return the gold label in one line; entities as `text (type)`."""
    entities = getattr(example, "entities", None)
    if entities is None:
        return ", ".join(example.label_names)
    text = str(example.inputs()["text"])
    return ", ".join(f"{text[start:end]} ({label})" for start, end, label in entities) or NO_LABEL


def place_of(example: Example) -> str:
    """Return the file and the line of an example."""
    return str(example.place or "")


def rank(found: Sequence[Sequence[LabelEvidence]]) -> tuple[list[tuple[int, LabelEvidence]], list[str], Any]:
    """Compare all labels by confident learning.

    Returns:
        Example and evidence of each label, the names of the classes, and the `Suspicion` of each label.
    """
    units = [(k, own) for k, several in enumerate(found) for own in several]
    names = sorted({name for _, own in units for name in (own.given, *own.probabilities)})
    index = {name: i for i, name in enumerate(names)}
    probabilities = np.zeros((len(units), len(names)))
    for row, (_, own) in enumerate(units):
        for name, value in own.probabilities.items():
            probabilities[row, index[name]] = value
    return units, names, confident_learning(np.array([index[own.given] for _, own in units]), probabilities)


def _suspected(examples: Sequence[Example], found: Sequence[Sequence[LabelEvidence]]) -> list[LabelError]:
    """Return the labels off the diagonal of the confident joint, the most suspect first."""
    units, names, suspicion = rank(found)
    order = [k for k in np.argsort(suspicion.quality, kind="stable") if suspicion.suspected[k]]
    return [
        _error(examples[units[k][0]], units[k][1], names[suspicion.suggested[k]], float(suspicion.quality[k]))
        for k in order
    ]


def _error(example: Example, own: LabelEvidence, suggested: str, quality: float) -> LabelError:
    kinds: Mapping[str, str] = {own.given: "missing", suggested: "superfluous"}
    probability = own.probabilities.get(own.given, 0.0)
    text = str(example) if own.span is None else str(example.inputs()["text"])[slice(*own.span)]
    return LabelError(
        place_of(example), kinds.get(NO_LABEL, "label"), text, own.given, suggested, quality, probability, own.span
    )
