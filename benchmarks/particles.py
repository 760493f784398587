"""What learnt particles give one trained NER model: the same model, asked with and without them.

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
    """A line with them, a line without."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", help="of a model that was trained with --particles learn")
    parser.add_argument("--corpus", default="klue-ner")
    parser.add_argument("--corpus_root")
    arguments = parser.parse_args()
    predictor = Predictor.from_pretrained(arguments.run)
    corpus = open_corpus(arguments.corpus, predictor.task.example, predictor.task.name)
    root = Path(arguments.corpus_root) if arguments.corpus_root else default_root()
    examples = list(corpus.examples(root, best_split(corpus, root)))
    for name, asked in (("learnt particles", predictor), ("token edges", predictor.with_options(particles=None))):
        scores = asked.task.score(asked.predict(examples, batch_size=64), examples, asked.labels)
        print(name, {metric: round(scores[metric], 4) for metric in ("entity_f1", "entity_macro_f1", "klue_char_f1")})


if __name__ == "__main__":
    main()
