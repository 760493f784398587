"""Accuracy on NSMC by the number of reviews learnt from: checkpoints, random weights, and TF-IDF.

    python -m benchmarks.nsmc ko-tiny-bert --corpus_root KORPORA [--sizes 1000] [--init pretrained random] [--tfidf]

All learn from the same rows and are measured on the same 10,000 test reviews. TF-IDF: character 1- to 4-grams within
eojeols, logistic regression (C=4).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ratsnlp_like.checkpoints.base import load_config, load_tokenizer, resolve
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.registry import TASKS
from ratsnlp_like.training.finetune import fine_tune

SIZES = (1_000, 5_000, 20_000, 150_000)
TEST, VALIDATION = 10_000, 2_000


def rows(root: Path, checkpoint: str, size: int) -> tuple[list[Any], list[Any]]:
    """The examples that `fine_tune` learns from, and those that it is tested on."""
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
    """Accuracy of the baseline."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, min_df=2)
    model = make_pipeline(vectorizer, LogisticRegression(C=4, max_iter=1000))
    model.fit([e.text for e in train], [e.label for e in train])
    return float(model.score([e.text for e in test], [e.label for e in test]))


def tuned(root: Path, checkpoint: str, size: int, options: dict[str, Any]) -> tuple[float, float]:
    """Accuracy of a fine-tuned checkpoint, and the seconds of its training."""
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


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--init", nargs="+", default=["pretrained"], help="pretrained, random, or both")
    parser.add_argument("--tfidf", action="store_true")
    parser.add_argument("--options", type=json.loads, default={}, help="of fine_tune, as JSON")
    arguments = parser.parse_args()
    root = arguments.corpus_root
    for size in arguments.sizes:
        for checkpoint in arguments.checkpoints:
            for init in arguments.init:
                accuracy, seconds = tuned(root, checkpoint, size, {**arguments.options, "init": init})
                print(f"{size:>8,}  {checkpoint} ({init})  {100 * accuracy:.2f}  training {seconds:.0f} s", flush=True)
        if arguments.tfidf:
            began = time.perf_counter()
            accuracy = tfidf(*rows(root, arguments.checkpoints[0], size))
            print(f"{size:>8,}  TF-IDF  {100 * accuracy:.2f}  {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
