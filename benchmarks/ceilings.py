"""Best possible scores with the tokens of each checkpoint: gold labels encoded and decoded (the oracle contract).

    python -m benchmarks.ceilings --corpus klue-ner --corpus_root FOLDER CHECKPOINT...
    python -m benchmarks.ceilings --corpus korquad-v1 --max_length 300 --corpus_root FOLDER CHECKPOINT...

Gold labels go through the tokens and back. The last columns are the first one with other choices of `--spans`, fitted
to the first split.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, get_args

from ratsnlp_like.corpora.detection import infer_task
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.evaluation.inspection import inspect
from ratsnlp_like.registry import TASKS
from ratsnlp_like.runtime.places import default_root
from ratsnlp_like.tasks.edges import Spans

METRICS = {
    "ner": {"entity F1": "entity_f1", "KLUE entity F1": "klue_entity_f1", "CoNLL F1": "conll_f1"},
    "question-answering": {"KorQuAD EM": "korquad_em", "KorQuAD F1": "korquad_f1", "KLUE-MRC EM": "klue_mrc_em"},
}


def main() -> None:
    """Print a row for each checkpoint and split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--corpus", default="klue-ner")
    parser.add_argument("--corpus_root")
    parser.add_argument("--normalization", nargs="*", default=[])
    parser.add_argument("--max_length", type=int, default=128)
    arguments = parser.parse_args()
    name = infer_task(arguments.corpus, Options())
    task: Any = TASKS[name](normalization=tuple(arguments.normalization))
    corpus = open_corpus(arguments.corpus, task.example, name)
    root = Path(arguments.corpus_root) if arguments.corpus_root else default_root()
    first, *_ = METRICS[name]
    flags = [f"--spans {spans}" for spans in get_args(Spans) if spans != task.spans]
    print(f"| checkpoint | split | [UNK] | {' | '.join(METRICS[name])} | {' | '.join(flags)} |")
    print("| --- " * (3 + len(METRICS[name]) + len(flags)) + "|")
    for checkpoint in arguments.checkpoints:
        found = inspect(corpus, task, checkpoint=checkpoint, root=root, max_length=arguments.max_length)
        for split, tokens in found["tokens"].items():
            own, others = tokens["oracle"]["metrics"], tokens["alternatives"]
            cells = [own[metric] for metric in METRICS[name].values()]
            cells += [others[flag][METRICS[name][first]] for flag in flags]
            shares = " | ".join(f"{cell:.4f}" for cell in cells)
            print(f"| {Path(checkpoint).name} | {split} | {tokens['unknown_share']:.2%} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
