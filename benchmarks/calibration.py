"""Calibration on NSMC, and abstention with thresholds chosen on other rows than it is evaluated on.

    python -m benchmarks.calibration --corpus_root KORPORA [--rows 5000] [--test_rows 10000] [--seeds 3]

ko-tiny-bert is fine-tuned with the default options; the temperature and the thresholds are fitted on the validation
split, a tenth of the training rows. On the test rows: calibration error (15 bins) and Brier score with and without the
temperature; for each wanted accuracy, the share of rows that are answered, and the accuracy on them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ratsnlp_like.evaluation.evaluate import Evaluation
from ratsnlp_like.metrics.calibration import threshold_for_accuracy
from ratsnlp_like.training.finetune import fine_tune

FIRST_SEED = 7
WANTED = 0.8, 0.85, 0.9, 0.95


def confidences(done: Evaluation) -> tuple[Any, Any]:
    """Return the confidence of each prediction, and whether it is right."""
    correct = [p.label == e.label for p, e in zip(done.predictions, done.examples, strict=True)]
    return np.array([p.score for p in done.predictions]), np.array(correct)


def measured(folder: Path, *, rows: int, test_rows: int, seed: int, root: Path) -> dict[str, float]:
    """Train a model, and return its figures on the test rows."""
    fine_tune(
        task="classification",
        corpus="nsmc",
        checkpoint="ko-tiny-bert",
        output=folder,
        corpus_root=root,
        limit_train=rows,
        use_test=False,
        seed=seed,
        progress=False,
        baselines=False,
        report=False,
    )
    fitted = Evaluation.of(folder, corpus_root=root, split="validation", progress=False)
    test = Evaluation.of(
        folder, corpus="nsmc", corpus_root=root, split="test", limit_eval=test_rows, seed=0, progress=False
    )
    table = test.scores["calibration"]
    found = {"accuracy": test.scores["accuracy"], "temperature": table["temperature"]}
    for name in ("ece", "brier"):
        found |= {f"{name}, before": table[f"{name}_uncalibrated"], f"{name}, after": table[name]}
    own, correct = confidences(test)
    for accuracy in WANTED:
        threshold = threshold_for_accuracy(*confidences(fitted), accuracy)
        if threshold is not None:
            kept = own >= threshold
            found |= {f"{accuracy:g}: answered": kept.mean(), f"{accuracy:g}: accuracy": correct[kept].mean()}
    return found


def cell(values: Sequence[float]) -> str:
    """Return mean and standard deviation."""
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def main() -> None:
    """Print the figures, means over seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--test_rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    found: dict[str, list[float]] = defaultdict(list)
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        with tempfile.TemporaryDirectory() as folder:
            own = measured(
                Path(folder) / "run",
                rows=options.rows,
                test_rows=options.test_rows,
                seed=seed,
                root=options.corpus_root,
            )
        print(f"seed {seed}: {', '.join(f'{name} {value:.4f}' for name, value in own.items())}", flush=True)
        for name, value in own.items():
            found[name].append(value)
    print("\n| figure | mean | seeds |\n| --- | --- | --- |")
    for name, values in found.items():
        print(f"| {name} | {cell(values)} | {len(values)} |")


if __name__ == "__main__":
    main()
