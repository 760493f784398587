"""A fine-tuned checkpoint and a trivial baseline on the same rows, scored by the same code.

    python -m benchmarks.baselines korsts korquad-v1 --corpus_root FOLDER [--epochs 3] [--options '{"max_length": 300}']

Baselines: the most frequent class, the mean score, the first sentence of the text, the most frequent tokens (unigrams
of the training split, add-one smoothing).
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ratsnlp_like.corpora.detection import infer_task
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.data.encoding import EncodedSplit
from ratsnlp_like.examples.question import Answer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import Job, fine_tune, open_data

SHOWN = {
    "classification": ("accuracy", "macro_f1"),
    "pair": ("accuracy", "macro_f1"),
    "similarity": ("pearson", "spearman", "f1_at_threshold"),
    "question-answering": ("korquad_em", "korquad_f1"),
    "generation": ("perplexity", "chrf", "distinct_1", "distinct_2"),
}
GPT = {"generation", "causal-lm"}


def trivial(task: str, train: Iterable[Any]) -> Callable[[Any], Any]:
    """Return a function that replaces the labels of an example by the prediction of the baseline."""
    if task in {"classification", "pair"}:
        ((most, _),) = Counter(example.label for example in train).most_common(1)
        return lambda example: replace(example, label=most)
    if task == "similarity":
        mean = float(np.mean([example.score for example in train]))
        return lambda example: replace(example, score=mean)
    return lambda example: replace(example, answers=(Answer(example.context.split(". ")[0], 0),))


def unigrams(train: EncodedSplit, held_out: EncodedSplit, vocabulary: int) -> dict[str, float]:
    """Return the perplexity of a unigram model over the tokens with loss."""
    counts = np.ones(vocabulary)
    for k in range(len(train)):
        np.add.at(counts, _targets(train[k]), 1)
    surprise = -np.log(counts / counts.sum())
    targets = np.concatenate([_targets(held_out[k]) for k in range(len(held_out))])
    return {"perplexity": math.exp(surprise[targets].mean())}


def _targets(window: Any) -> Any:
    return np.asarray(window["input_ids"])[np.flatnonzero(window["is_target"])]


def baseline(corpus: str, predictor: Predictor, options: dict[str, Any]) -> dict[str, Any]:
    """Return the metrics of the baseline on the split that `evaluate` uses."""
    task = predictor.task
    job = Job.of(task.name, corpus, "-", options)
    data = open_data(job, predictor.tokenizer)
    data.setup("fit")
    held_out = data.test or data.validation
    assert data.train is not None
    assert held_out is not None
    if task.name in GPT:
        return unigrams(data.train, held_out, len(predictor.tokenizer))
    predict = trivial(task.name, data.train.examples())
    examples = list(held_out.examples())
    return task.score([task.gold_prediction(predict(example)) for example in examples], examples, predictor.labels)


def main() -> None:
    """Print a row for each corpus and metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+")
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--options", type=json.loads, default={}, help="of fine_tune, as JSON")
    arguments = parser.parse_args()
    print("| corpus | task | metric | baseline | fine-tuned | training |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for corpus in arguments.corpora:
        task = infer_task(corpus, Options())
        options = {"corpus_root": arguments.corpus_root, "epochs": arguments.epochs, "progress": False}
        options |= arguments.options
        checkpoint = "ko-tiny-gpt" if task in GPT else "ko-tiny-bert"
        with tempfile.TemporaryDirectory() as folder:
            result = fine_tune(
                task=task, corpus=corpus, checkpoint=checkpoint, output=folder, overwrite=True, **options
            )
            reached = result.test_metrics or result.metrics
            plain = baseline(corpus, result.predictor, options)
        seconds = f"{result.summary['train_seconds']:.0f} s"
        for name in SHOWN[task]:
            before = f"{plain[name]:.4f}" if name in plain else "-"
            print(f"| {corpus} | {task} | {name} | {before} | {reached[name]:.4f} | {seconds} |", flush=True)


if __name__ == "__main__":
    main()
