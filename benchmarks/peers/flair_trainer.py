"""Flair, fine-tuning a text classifier as in its documentation."""

from __future__ import annotations

import shutil
from pathlib import Path

from flair.datasets import CSVClassificationCorpus
from flair.embeddings import TransformerDocumentEmbeddings
from flair.models import TextClassifier
from flair.trainers import ModelTrainer

from benchmarks.peers.clock import Clock, trainer_parser, write


def main() -> None:
    """Read and train; Flair evaluates and saves."""
    arguments = trainer_parser(__doc__).parse_args()
    clock = Clock().install()
    folder = Path(arguments.output)
    folder.mkdir(parents=True)
    for split, name in (("train", "train.tsv"), ("test", "dev.tsv"), ("test", "test.tsv")):
        shutil.copyfile(getattr(arguments, split), folder / name)
    corpus = CSVClassificationCorpus(
        folder, {0: "text", 1: "label"}, label_type="class", skip_header=True, delimiter="\t", quoting=3
    )
    labels = corpus.make_label_dictionary(label_type="class")
    embeddings = TransformerDocumentEmbeddings(arguments.model, fine_tune=True)
    classifier = TextClassifier(embeddings, label_dictionary=labels, label_type="class")
    trained = ModelTrainer(classifier, corpus).fine_tune(
        folder / "model", learning_rate=arguments.learning_rate, mini_batch_size=32, max_epochs=1
    )
    write(arguments.result, clock.figures(len(corpus.train)) | {"accuracy": float(trained["test_score"])})


if __name__ == "__main__":
    main()
