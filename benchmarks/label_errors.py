"""Wrong labels that are planted in a corpus, found by `inspect --label_errors`, by loss, and by chance.

    python -m benchmarks.label_errors --corpus_root FOLDER [--what nsmc entities] [--rows 5000] [--folds 5] [--seed 0]

NSMC: 10% of the labels of 5,000 reviews are flipped. KLUE-NER: of the entities of the training sentences, 5% are wrong,
one half with another type, the other half with the mark removed. Precision among the first listed, and AUPRC (average
precision; by chance the share of wrong labels). "loss": a model trained on all rows, wrong labels included, and its
loss on them, which needs no folds.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.data.reading import read_split
from ratsnlp_like.evaluation.label_errors import evidence, evidence_of, rank
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.tasks.abilities import LabelEvidence
from ratsnlp_like.training.finetune import run_job
from ratsnlp_like.training.job import Job

Planted = set[tuple[int, tuple[int, int] | None]]
"""Number of the example and, of an entity, its characters."""
FIRST = 50, 100, 250


def flipped(examples: Sequence[Any], rng: random.Random) -> tuple[list[Any], Planted]:
    """Return reviews of which 10% have another class."""
    labels = sorted({example.label for example in examples})
    chosen = set(rng.sample(range(len(examples)), len(examples) // 10))
    return [
        replace(e, label=rng.choice([label for label in labels if label != e.label])) if k in chosen else e
        for k, e in enumerate(examples)
    ], {(k, None) for k in chosen}


def damaged(examples: Sequence[Any], rng: random.Random) -> tuple[list[Any], Planted]:
    """Return sentences of whose entities 5% have another type or are not marked."""
    labels = sorted({entity.label for example in examples for entity in example.entities})
    places = [(k, entity) for k, example in enumerate(examples) for entity in example.entities]
    chosen = rng.sample(places, len(places) // 20)
    changed = {where: "removed" if n % 2 else "type" for n, where in enumerate(chosen)}
    out = []
    for k, example in enumerate(examples):
        entities = []
        for entity in example.entities:
            kind = changed.get((k, entity))
            if kind == "type":
                other = rng.choice([label for label in labels if label != entity.label])
                entities.append(Entity(entity.start, entity.end, other))
            elif kind is None:
                entities.append(entity)
        out.append(replace(example, entities=tuple(entities)))
    return out, {(k, (entity.start, entity.end)) for k, entity in chosen}


def truth_of(units: Sequence[tuple[int, LabelEvidence]], planted: Planted) -> tuple[np.ndarray, int]:
    """Return which labels are wrong, and how many planted errors no label stands for (entities that are not found)."""
    wrong, seen = np.zeros(len(units), dtype=int), set()
    for row, (k, own) in enumerate(units):
        for example, span in planted:
            if example == k and (span is None or (own.span and own.span[0] < span[1] and span[0] < own.span[1])):
                wrong[row] = 1
                seen.add((example, span))
    return wrong, len(planted) - len(seen)


def show(name: str, scores: np.ndarray, wrong: np.ndarray, missed: int) -> None:
    """Print a row; a higher score is more suspect, and errors that are not ranked lower the AUPRC."""
    order = np.argsort(-scores, kind="stable")
    found = wrong.sum()
    precision = [f"{wrong[order[:n]].mean():.3f}" for n in FIRST]
    auprc = average_precision_score(wrong, scores) * found / (found + missed)
    print(f"| {name} | {' | '.join(precision)} | {auprc:.3f} |", flush=True)


def compare(job: Job, examples: list[Example], planted: Planted, groups: np.ndarray, folds: int) -> None:
    """Print the rows of a corpus."""
    began = time.perf_counter()
    units, _, suspicion = rank(evidence(job, examples, groups, folds))
    seconds = time.perf_counter() - began
    wrong, missed = truth_of(units, planted)
    print(f"{len(planted)} wrong of {len(units):,} labels, {missed} of them not ranked; {seconds:.0f} s")
    print(f"| ranking | {' | '.join(f'first {n}' for n in FIRST)} | AUPRC |")
    print("| --- | --- | --- | --- | --- |")
    show("inspect --label_errors", -suspicion.quality, wrong, missed)
    loss = np.array([-np.log(max(own.probabilities.get(own.given, 0), 1e-12)) for _, own in units])
    show("loss, out of fold", loss, wrong, missed)
    with tempfile.TemporaryDirectory() as folder:
        corpus = MemoryCorpus(kind=type(examples[0]), given={"train": examples})
        predictor = run_job(replace(job, corpus=corpus, columns={}), output=Path(folder) / "run").predictor
    inside, _, _ = rank(evidence_of(predictor, examples))
    own_wrong, own_missed = truth_of(inside, planted)
    own_loss = np.array([-np.log(max(own.probabilities.get(own.given, 0), 1e-12)) for _, own in inside])
    show("loss of a model trained on them", own_loss, own_wrong, own_missed)
    show("random", np.random.default_rng(0).random(len(units)), wrong, missed)


KINDS: dict[str, tuple[str, str, Callable[..., tuple[list[Any], Planted]]]] = {
    "nsmc": ("classification", "nsmc", flipped),
    "entities": ("ner", "klue-ner", damaged),
}


def main() -> None:
    """Print a table for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", type=Path, required=True, help="with the folders of NSMC and of KLUE-NER")
    parser.add_argument("--what", nargs="+", choices=[*KINDS], default=[*KINDS])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0, help="of the rows and the planted errors")
    parser.add_argument("--checkpoint", default="ko-tiny-bert")
    arguments = parser.parse_args()
    for name in arguments.what:
        task, corpus, plant = KINDS[name]
        options = {"progress": False, "baselines": False, "use_test": False, "report": False}
        with tempfile.TemporaryDirectory() as cache:
            job = Job.of(task, corpus, arguments.checkpoint, {**options, "cache_dir": cache})
            read = read_split(CORPORA[corpus], "train", root=arguments.corpus_root, cache=Path(cache))
            rows = np.flatnonzero(read.table.numbers("empty") == 0)
            rows = np.sort(np.random.default_rng(arguments.seed).permutation(rows)[: arguments.rows])
            examples, planted = plant(list(read.examples(rows)), random.Random(arguments.seed))
            print(f"\n{name}, seed {arguments.seed}: {len(examples):,} rows, ", end="")
            compare(job, examples, planted, read.groups[rows], arguments.folds)


if __name__ == "__main__":
    main()
