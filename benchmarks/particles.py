"""Scores of one trained NER model as it was trained, and with spans of whole tokens.

python -m benchmarks.particles RUN --corpus klue-ner --corpus_root FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.data.splits import best_split
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.runtime.places import default_root


def main() -> None:
    """Print a row with the `--spans` of the training and one with spans of tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="of a model that was trained with --spans particles or --spans cuts")
    parser.add_argument("--corpus", default="klue-ner")
    parser.add_argument("--corpus_root")
    arguments = parser.parse_args()
    predictor = Predictor.from_pretrained(arguments.run)
    corpus = open_corpus(arguments.corpus, predictor.task.example, predictor.task.name)
    root = Path(arguments.corpus_root) if arguments.corpus_root else default_root()
    examples = list(corpus.examples(root, best_split(corpus, root)))
    for name, variant in ((predictor.task.spans, predictor), ("tokens", predictor.with_options(spans="tokens"))):
        scores = variant.task.score(variant.predict(examples, batch_size=64), examples, variant.labels)
        print(name, {metric: round(scores[metric], 4) for metric in ("entity_f1", "entity_macro_f1", "klue_char_f1")})


if __name__ == "__main__":
    main()
