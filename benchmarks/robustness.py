"""Scores with each kind of noise, of models trained with and without it.

    python -m benchmarks.robustness nsmc ner --corpus_root KORPORA [--seeds 5] [--output FILE.jsonl]

`nsmc`: ko-tiny-bert, 1,000 training reviews, 1,000 test reviews, macro F1. `ner`: ko-tiny-bert, sample-ner (280
training sentences, 60 test sentences), entity F1. With `--augment all`, half of the training rows are perturbed; the
number of steps is the same. Means over seeds of training; the noise in the test rows is the same in all runs. FILE gets
a line for each run; runs that it already has are not repeated.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.text.perturbations import PERTURBATIONS
from ratsnlp_like.training.finetune import fine_tune

FIRST_SEED = 7
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "nsmc": {
        "task": "classification",
        "corpus": "nsmc",
        "limit_train": 1000,
        "limit_eval": 1000,
        "learning_rate": 5e-4,
        "epochs": 3,
        "max_length": 64,
    },
    "ner": {"task": "ner", "corpus": "sample-ner", "learning_rate": 1e-3, "epochs": 6, "spans": "particles"},
}


def measured(name: str, *, augment: tuple[str, ...], seed: int, root: Path | None) -> dict[str, float]:
    """Train a model, and return its score without noise and with each kind of it."""
    with tempfile.TemporaryDirectory() as folder:
        fine_tune(
            checkpoint="ko-tiny-bert",
            output=Path(folder) / "run",
            corpus_root=root,
            augment=augment,
            seed=seed,
            progress=False,
            baselines=False,
            report=False,
            **SETTINGS[name],
        )
        found = evaluate(Path(folder) / "run", perturb="all", corpus_root=root, progress=False)["robustness"]
    scores = {key: own["scores"][found["metric"]] for key, own in found["perturbations"].items()}
    return {"none": found["score"], **scores}


def main() -> None:
    """Run the benchmark, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", choices=SETTINGS)
    parser.add_argument("--corpus_root", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    for name in options.names:
        rows: dict[str, list[dict[str, float]]] = {"plain": [], "augmented": []}
        for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
            for kind, augment in (("plain", ()), ("augmented", tuple(PERTURBATIONS))):
                run = {"corpus": name, "seed": seed, "training": kind}
                found = finished(run, options.output)
                if found is None:
                    found = measured(name, augment=augment, seed=seed, root=options.corpus_root)
                    if options.output:
                        with options.output.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({**run, "scores": found}) + "\n")
                rows[kind].append(found)
                print(json.dumps({**run, **found}), flush=True)
        print_table(name, rows)


def finished(run: Mapping[str, Any], output: Path | None) -> dict[str, float] | None:
    """Return the scores of a run that a file has; None where it has none."""
    lines = output.read_text(encoding="utf-8").splitlines() if output and output.exists() else []
    known = (json.loads(line) for line in lines)
    return next((own["scores"] for own in known if all(own[key] == value for key, value in run.items())), None)


def print_table(name: str, rows: Mapping[str, list[dict[str, float]]]) -> None:
    """Print mean and standard deviation over seeds for each noise."""
    print(f"\n| {name} | plain | --augment all | difference |\n| --- | --- | --- | --- |")
    for noise in rows["plain"][0]:
        columns = [[own[noise] for own in rows[kind]] for kind in ("plain", "augmented")]
        gaps = [after - before for before, after in zip(*columns, strict=True)]
        print(f"| {noise} | {' | '.join(map(_cell, columns))} | {_cell(gaps, sign='+')} |")


def _cell(values: list[float], sign: str = "") -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):{sign}.3f} ± {spread:.3f}"


if __name__ == "__main__":
    main()
