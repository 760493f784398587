"""Accuracy on NSMC by the number of training reviews: checkpoints, random weights, and TF-IDF.

    python -m benchmarks.nsmc ko-tiny-bert --corpus_root KORPORA [--sizes 1000] [--seeds 5] [--tfidf]

All are trained on the same rows and evaluated on the same 10,000 test reviews. TF-IDF: character 1- to 4-grams within
eojeols, logistic regression (C=4).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.registry import TASKS
from ratsnlp_like.training.finetune import fine_tune

SIZES = (1_000, 5_000, 20_000, 150_000)
TEST, VALIDATION = 10_000, 2_000
FIRST_SEED = 7


def rows(root: Path, checkpoint: str, size: int) -> tuple[list[Any], list[Any]]:
    """Return the examples that `fine_tune` trains on and those that it is tested on."""
    name = resolve(checkpoint)
    tokenizer = load_tokenizer(name, load_config(name))
    share = VALIDATION / 150_000

    def split(name: str, limit: int) -> Iterator[Any]:
        data = TaskDataModule(
            TASKS["classification"](),
            "nsmc",
            tokenizer,
            root=root,
            limit_train=size,
            limit_eval=limit,
            validation_share=share,
        )
        data.setup("fit")
        return getattr(data, name).examples()

    return list(split("train", VALIDATION)), list(split("test", TEST))


def tfidf(train: list[Any], test: list[Any]) -> float:
    """Return the accuracy of the baseline."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, min_df=2)
    model = make_pipeline(vectorizer, LogisticRegression(C=4, max_iter=1000))
    model.fit([e.text for e in train], [e.label for e in train])
    return float(model.score([e.text for e in test], [e.label for e in test]))


def fine_tuned(root: Path, checkpoint: str, size: int, options: dict[str, Any]) -> tuple[float, float]:
    """Return the accuracy of a fine-tuned checkpoint and its training time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        result = fine_tune(
            task="classification",
            corpus="nsmc",
            checkpoint=checkpoint,
            output=folder,
            overwrite=True,
            corpus_root=root,
            limit_train=size,
            limit_eval=VALIDATION,
            validation_share=VALIDATION / 150_000,
            progress=False,
            **options,
        )
        metrics = evaluate(folder, corpus="nsmc", corpus_root=root, limit_eval=TEST, progress=False)
        return metrics["accuracy"], result.summary["train_seconds"]


def spread(accuracies: list[float]) -> str:
    """Return the mean accuracy in percent, with the standard deviation of several runs."""
    mean = f"{100 * statistics.mean(accuracies):.2f}"
    return mean if len(accuracies) == 1 else f"{mean} ± {100 * statistics.stdev(accuracies):.2f}"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--init", nargs="+", default=["pretrained"], help="pretrained, random, or both")
    parser.add_argument("--seeds", type=int, default=1, help="fine-tuned runs, with seeds from 7; their mean ± sd")
    parser.add_argument("--tfidf", action="store_true")
    parser.add_argument("--options", type=json.loads, default={}, help="of fine_tune, as JSON")
    arguments = parser.parse_args()
    root = arguments.corpus_root
    for size in arguments.sizes:
        for checkpoint in arguments.checkpoints:
            for init in arguments.init:
                runs = [
                    fine_tuned(root, checkpoint, size, {**arguments.options, "init": init, "seed": seed})
                    for seed in range(FIRST_SEED, FIRST_SEED + arguments.seeds)
                ]
                accuracy = spread([accuracy for accuracy, _ in runs])
                seconds = statistics.mean(seconds for _, seconds in runs)
                print(f"{size:>8,}  {checkpoint} ({init})  {accuracy}  training {seconds:.0f} s", flush=True)
        if arguments.tfidf:
            began = time.perf_counter()
            accuracy = tfidf(*rows(root, arguments.checkpoints[0], size))
            print(f"{size:>8,}  TF-IDF  {100 * accuracy:.2f}  {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
