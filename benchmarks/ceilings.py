"""What a perfect NER model would reach with the tokens of each checkpoint (the oracle contract, as a table).

    python -m benchmarks.ceilings --corpus klue-ner --corpus_root FOLDER CHECKPOINT...

Gold labels go through the tokens and back; strict entity F1 in characters. Particles are learnt from `train`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ratsnlp_like.corpora.base import default_root, open_corpus
from ratsnlp_like.inspection import inspect
from ratsnlp_like.registry import TASKS


def main() -> None:
    """A line for each checkpoint and split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", nargs="+")
    parser.add_argument("--corpus", default="klue-ner")
    parser.add_argument("--corpus_root")
    parser.add_argument("--normalization", nargs="*", default=[])
    arguments = parser.parse_args()
    task = TASKS["ner"](normalization=tuple(arguments.normalization))
    corpus = open_corpus(arguments.corpus, task.example, task.name)
    root = Path(arguments.corpus_root) if arguments.corpus_root else default_root()
    print("| checkpoint | split | [UNK] | entity F1 | KLUE entity F1 | CoNLL F1 | entity F1, learnt particles |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for checkpoint in arguments.checkpoints:
        found = inspect(corpus, task, checkpoint=checkpoint, root=root)
        for split, tokens in found["tokens"].items():
            plain, learnt = tokens["oracle"]["metrics"], tokens["improved"]["metrics"]
            cells = [plain["entity_f1"], plain["klue_entity_f1"], plain["conll_f1"], learnt["entity_f1"]]
            shares = " | ".join(f"{cell:.4f}" for cell in cells)
            print(f"| {Path(checkpoint).name} | {split} | {tokens['unknown_share']:.2%} | {shares} |", flush=True)


if __name__ == "__main__":
    main()
