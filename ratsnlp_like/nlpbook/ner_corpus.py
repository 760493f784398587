"""The book's NER corpus and its label map: four special tokens, O, all B-, all I-, one per line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpora.formats import Options
from ..corpora.formats.book import marked_text
from ..errors import InputError
from ..examples.entity import EntityExample
from ..runtime.files import write_text
from .dataset import find_file, read_examples

log = logging.getLogger("ratsnlp")

NER_CLS_TOKEN, NER_SEP_TOKEN, NER_PAD_TOKEN, NER_MASK_TOKEN = SPECIAL = ("[CLS]", "[SEP]", "[PAD]", "[MASK]")
NER_PAD_ID = SPECIAL.index(NER_PAD_TOKEN)
LABEL_MAP = "label_map.txt"
_FORMAT = Options(format="book-ner")


def label_names(types: Iterable[str]) -> list[str]:
    """Return the names of the model's outputs for the given entity types."""
    types = list(types)
    return [*SPECIAL, "O", *(f"B-{name}" for name in types), *(f"I-{name}" for name in types)]


def types_of(labels: Iterable[str]) -> list[str]:
    """Return the entity types of a label map."""
    return [label.removeprefix("B-") for label in labels if label.startswith("B-")]


def read_labels(path: Path) -> list[str]:
    """Read the names of a label map.

    Raises:
        InputError: the file does not exist.
    """
    if not path.is_file():
        raise InputError("no such file", place=path, expected="the label map of a trained model", fix="train first")
    return path.read_text(encoding="utf-8").split()


def write_labels(path: Path, labels: list[str]) -> None:
    """Write a label map; log a warning if a different one is overwritten."""
    if path.is_file():
        if read_labels(path) == labels:
            return
        log.warning("%s belongs to another corpus and is overwritten.", path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "".join(f"{label}\n" for label in labels))


@dataclass
class NERExample:
    """A sentence, and the sentence with its entities marked: `<서울:LOC>에 간다`."""

    text: str
    label: str | None = None


class NERCorpus:
    """Files of `text␞text with <entity:TAG>` lines: `train.txt`, `val.txt`."""

    def __init__(self, args: Any) -> None:
        self.args = args

    def get_examples(self, data_root_path: str | Path, mode: str) -> list[NERExample]:
        """Read the sentences of train, val or test."""
        examples = read_examples(find_file(data_root_path, f"{mode}.txt"), EntityExample, _FORMAT)
        return [NERExample(e.text, marked_text(e.text, e.entities)) for e in examples]

    def get_labels(self) -> list[str]:
        """Return special tokens, O, B- and I- labels in the order of `train.txt`, and write them to `label_map.txt`.

        Without `train.txt` the labels are read from `label_map.txt`.
        """
        folder = Path(self.args.downstream_corpus_root_dir).expanduser() / (self.args.downstream_corpus_name or "")
        path = Path(self.args.downstream_model_dir).expanduser() / LABEL_MAP
        if not (folder / "train.txt").is_file():
            return read_labels(path)
        examples = read_examples(folder / "train.txt", EntityExample, _FORMAT)
        labels = label_names(dict.fromkeys(name for example in examples for name in example.label_names))
        write_labels(path, labels)
        return labels

    @property
    def num_labels(self) -> int:
        """Number of labels."""
        return len(self.get_labels())
