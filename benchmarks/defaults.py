"""The default options on small corpora, before and after they depended on the model and the corpus.

    python -m benchmarks.defaults [NAME ...] [--seeds 3] [--before '{"learning_rate": 5e-5, "epochs": 3}']
        [--first_seed 7] [--rows_seed 0]

Every bundled sample, and six files of a new user's kind (`benchmarks.user_files`: 500 rows to train on, 400 to test
on). The best baseline is that of `train`, on the same test rows; all figures are means over the seeds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.user_files import COLUMNS, KINDS, write_corpus
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune

SAMPLES = {
    "sample-sentiment": "classification",
    "sample-ner": "ner",
    "sample-nli": "pair",
    "sample-sts": "similarity",
    "sample-qa": "question-answering",
    "sample-prompts": "generation",
}
BEFORE = {"learning_rate": 5e-5, "epochs": 3, "patience": 0}


def run(name: str, folder: Path, options: dict[str, Any], *, rows_seed: int) -> FineTuneResult:
    """Fine-tune the bundled checkpoint of the task on a corpus."""
    task = SAMPLES[name] if name in SAMPLES else KINDS[name][0]
    corpus = name if name in SAMPLES else str(write_corpus(name, folder / name, seed=rows_seed))
    return fine_tune(
        task=task,
        corpus=corpus,
        checkpoint="ko-tiny-gpt" if task == "generation" else "ko-tiny-bert",
        output=folder / "run",
        overwrite=True,
        progress=False,
        report=False,
        **COLUMNS.get(name, {}),
        **options,
    )


def mean(values: list[float]) -> str:
    """Return the mean, with the standard deviation of several values; nothing of none."""
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{spread}"


def compared(name: str, seeds: range, before: dict[str, Any], *, rows_seed: int) -> str:
    """Return the row of a corpus."""
    scores: dict[str, list[float]] = {"baseline": [], "before": [], "after": []}
    for seed in seeds:
        for when, options in (("before", before), ("after", {})):
            with tempfile.TemporaryDirectory() as folder:
                result = run(name, Path(folder), {**options, "seed": seed}, rows_seed=rows_seed)
            assert result.test_metrics is not None
            task = result.predictor.task
            scores[when].append(result.test_metrics[task.best_metric])
        if result.verdict is not None:
            known = [baseline.score for baseline in result.verdict.baselines]
            scores["baseline"].append(max(known) if task.maximize else min(known))
    metric, found, summary = task.best_metric, result.summary["found"], result.summary
    chosen = f"{found['learning_rate']:g}, {found['epochs']} epochs, {summary['steps']} steps"
    cells = [name, metric, *(mean(values) for values in scores.values()), chosen, f"{summary['train_seconds']:.0f} s"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print a row for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[*SAMPLES, *KINDS])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first_seed", type=int, default=7)
    parser.add_argument("--rows_seed", type=int, default=0, help="of the rows of generated files")
    parser.add_argument("--before", type=json.loads, default=BEFORE, help="options that are compared, as JSON")
    arguments = parser.parse_args()
    print("| corpus | metric | best baseline | before | default | chosen | training |")
    print("| --- | --- | --- | --- | --- | --- | --- |", flush=True)
    for name in arguments.names:
        seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
        print(compared(name, seeds, arguments.before, rows_seed=arguments.rows_seed), flush=True)


if __name__ == "__main__":
    main()
