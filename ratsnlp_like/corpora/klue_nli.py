"""KLUE-NLI: pairs of sentences, the second of which follows from the first, contradicts it, or neither.

https://github.com/KLUE-benchmark/KLUE, CC BY-SA 4.0. A JSON list; one entry:
    {"guid": "...", "premise": "비가 그쳤다.", "hypothesis": "비가 왔었다.", "gold_label": "entailment", ...}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..registry import CORPORA
from .base import NLI_LABELS
from .files import PairCorpus
from .formats import Options
from .remote import RemoteFile, drive

_LICENSE = "CC BY-SA 4.0"


def _places(name: str) -> tuple[str, ...]:
    return (
        f"klue/klue-nli_{name}.json",
        f"klue-nli-v1.1/klue-nli-v1.1_{name}.json",
        f"klue-nli*_{name}.json",
        f"klue-nli/klue_nli_{name}.json",
    )


@dataclass(frozen=True)
class KlueNli(PairCorpus):
    """24,998 pairs to train on and 3,000 to validate on, as published."""

    description: ClassVar[str] = "premise and hypothesis, three classes, 24,998 + 3,000, CC BY-SA 4.0"
    paths: ClassVar = {
        "train": _places("train"),
        "validation": _places("dev"),
    }
    remote: ClassVar = (
        RemoteFile("klue-nli/klue_nli_train.json", drive("18LhrHaPEW0VITMPfnwKXJ6bNuklBdi4U"), _LICENSE),
        RemoteFile("klue-nli/klue_nli_dev.json", drive("1UKIDAFOFuDSah7A66FZXSA8XUWUHhBAd"), _LICENSE),
    )
    reading: ClassVar[Options] = Options(format="json")
    column_names: ClassVar = {"text": "premise", "text_pair": "hypothesis", "label": "gold_label"}
    sample: ClassVar = {
        "train": '[{"guid": "1", "premise": "비가 그쳐서 우산을 접었다.", "hypothesis": "비가 왔었다.", '
        '"gold_label": "entailment", "author": "entailment"}, '
        '{"guid": "2", "premise": "가게는 열 시에 연다.", "hypothesis": "가게는 아홉 시에 연다.", '
        '"gold_label": "contradiction", "author": "contradiction"}]',
        "validation": '[{"guid": "3", "premise": "동생이 책을 샀다.", "hypothesis": "그 책은 소설이다.", '
        '"gold_label": "neutral", "author": "neutral"}]',
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of KLUE."""
        return NLI_LABELS


CORPORA.register("klue-nli", KlueNli())
