"""Edges of entities whose tokens are known: how often each choice of `--spans` finds them by counts alone.

    python -m benchmarks.edges --corpus_root FOLDER --tokenizers FOLDER [--sentences 600]

The choices are fitted to some sentences of the training rows, drawn by each of 5 seeds; all validation rows are looked
at. Means, and the difference of `cuts` to `particles` with its standard error. No net is trained: of
`cuts` this is what the counts of endings say before the head has learnt anything.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ratsnlp_like.text.spans import entity_tokens

from .exactness import NETS, SEEDS, examples_of, fitted, labels_of, tokenizer_of

CORPORA = ("klue-ner", "ner-book")
SPANS = ("tokens", "particles", "cuts")


def shares(corpus: str, tokenizer: Any, root: Path, sentences: int, seed: int) -> dict[str, float]:
    """Return the number of entities, and the share whose edges are right by choice of `--spans`."""
    train = list(examples_of(corpus, root, "train"))
    labels = labels_of(train)
    random.Random(seed).shuffle(train)
    tasks = {spans: fitted(corpus, spans, train[:sentences], labels, tokenizer) for spans in SPANS}
    cuts: Any = tasks["cuts"]
    frequencies = [np.eye(1, cuts.cuts[0] + 1)[0], _frequencies(cuts)]
    found: Counter[str] = Counter()
    for marked in cuts.marked_texts(examples_of(corpus, root, "validation"), tokenizer):
        for span, first, last in entity_tokens(marked.offsets, marked.spans):
            found["entities"] += 1
            for spans, task in tasks.items():
                own: Any = task
                offsets = marked.offsets[first], marked.offsets[last]
                edges = own.edges(marked.text, span.label, *offsets, frequencies)
                found[spans] += (edges.start, edges.end) == (span.start, span.end)
    return {name: count / (1 if name == "entities" else found["entities"]) for name, count in found.items()}


def _frequencies(task: Any) -> Any:
    """Return how often each number of characters is cut off the end. Shape: (classes,)."""
    counts = [*task.endings[""], *[0] * task.cuts[1]][: task.cuts[1] + 1]
    return np.array(counts) / sum(counts)


def main() -> None:
    """Print a row for each corpus and tokenizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus_root", type=Path, required=True)
    parser.add_argument("--tokenizers", type=Path, required=True, help="folder with a folder for each tokenizer")
    parser.add_argument("--sentences", type=int, default=600)
    options = parser.parse_args()
    print(f"| corpus | tokens of | entities | {' | '.join(SPANS)} | cuts - particles |\n{'| --- ' * 7}|")
    for corpus, net in product(CORPORA, NETS):
        tokenizer = tokenizer_of(net, options.tokenizers)
        found = [shares(corpus, tokenizer, options.corpus_root, options.sentences, seed) for seed in SEEDS]
        gains = [one["cuts"] - one["particles"] for one in found]
        cells = [f"{statistics.mean(one[spans] for one in found):.4f}" for spans in SPANS]
        cells.append(f"{statistics.mean(gains):+.4f} ± {statistics.stdev(gains) / len(gains) ** 0.5:.4f}")
        print(f"| {corpus} | {net} | {found[0]['entities']:,.0f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
