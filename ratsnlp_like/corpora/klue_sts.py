"""KLUE-STS: pairs of sentences and their similarity from 0 to 5.

https://github.com/KLUE-benchmark/KLUE, CC BY-SA 4.0. A JSON list; one entry:
    {"guid": "...", "sentence1": "방이 넓어요.", "sentence2": "방이 크네요.",
     "labels": {"label": 4.2, "real-label": 4.1666, "binary-label": 1}, ...}
The score is `label` (one decimal).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from ..registry import CORPORA
from .files import ScoredPairCorpus
from .formats import Options, Row


@dataclass(frozen=True)
class KlueSts(ScoredPairCorpus):
    """11,668 pairs to train on and 519 to validate on, as published."""

    description: ClassVar[str] = "two sentences and a score from 0 to 5, 11,668 + 519, CC BY-SA 4.0"
    paths: ClassVar = {
        "train": ("klue/klue-sts_train.json", "klue-sts-v1.1/klue-sts-v1.1_train.json", "klue-sts*_train.json"),
        "validation": ("klue/klue-sts_dev.json", "klue-sts-v1.1/klue-sts-v1.1_dev.json", "klue-sts*_dev.json"),
    }
    reading: ClassVar[Options] = Options(format="json")
    column_names: ClassVar = {"text": "sentence1", "text_pair": "sentence2", "score": "score"}
    sample: ClassVar = {
        "train": '[{"guid": "1", "sentence1": "방이 아주 넓어요.", "sentence2": "방이 정말 크네요.", '
        '"labels": {"label": 4.4, "real-label": 4.4286, "binary-label": 1}}, '
        '{"guid": "2", "sentence1": "역에서 가깝습니다.", "sentence2": "침대가 편했어요.", '
        '"labels": {"label": 0.0, "real-label": 0.0, "binary-label": 0}}]',
        "validation": '[{"guid": "3", "sentence1": "비가 온다.", "sentence2": "눈이 온다.", '
        '"labels": {"label": 1.3, "real-label": 1.2857, "binary-label": 0}}]',
    }

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Yield the rows of a split, with the score taken out of `labels`."""
        for row in super().rows(root, split):
            labels = row.values.get("labels")
            if not isinstance(labels, dict) or "label" not in labels:
                raise InputError(f"labels are {str(labels)[:60]!r}", place=row.place, expected='{"label": 3.4, ...}')
            yield row._replace(values={**row.values, "score": labels["label"]})


CORPORA.register("klue-sts", KlueSts())
