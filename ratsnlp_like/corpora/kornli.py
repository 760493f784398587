"""KorNLI: translated natural language inference (MultiNLI, SNLI, XNLI).

https://github.com/kakaobrain/KorNLUDatasets, CC BY-SA 4.0. One row:
    sentence1<TAB>sentence2<TAB>gold_label
    비가 그쳤다.<TAB>비가 왔었다.<TAB>entailment
No quoting: `"` is a plain character (a CSV reader with default quoting reads 1,571 of 2,490 rows). Training data are
two files, MultiNLI's and SNLI's; XNLI's two files (validation, test) are enough to evaluate a model.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from ..registry import CORPORA
from .base import NLI_LABELS
from .files import PairCorpus, digest_file
from .formats import Options, Row, read_rows

_SECOND = "snli_1.0_train.ko.tsv"


@dataclass(frozen=True)
class KorNli(PairCorpus):
    """942,854 pairs to train on, 2,490 to validate on and 5,010 to test on."""

    description: ClassVar[str] = (
        "premise and hypothesis, entailment / contradiction / neutral, 942,854 + 2,490 + 5,010, CC BY-SA 4.0 "
        "(through Korpora)"
    )
    korpora: ClassVar[str | None] = "kornli"
    paths: ClassVar = {
        "train": ("kornli/multinli.train.ko.tsv", "kornli_xnli/multinli.train.ko.tsv", "multinli.train.ko.tsv"),
        "validation": ("kornli/xnli.dev.ko.tsv", "kornli_xnli/xnli.dev.ko.tsv", "xnli.dev.ko.tsv"),
        "test": ("kornli/xnli.test.ko.tsv", "kornli_xnli/xnli.test.ko.tsv", "xnli.test.ko.tsv"),
    }
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    column_names: ClassVar = {"text": "sentence1", "text_pair": "sentence2", "label": "gold_label"}
    sample: ClassVar = {
        "validation": 'sentence1\tsentence2\tgold_label\n그가 "비가 그쳤다고 말했다.\t비가 왔었다.\tentailment\n'
        "가게는 열 시에 연다.\t가게는 아홉 시에 연다.\tcontradiction\n",
        "test": "sentence1\tsentence2\tgold_label\n동생이 책을 샀다.\t그 책은 소설이다.\tneutral\n",
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of KLUE-NLI."""
        return NLI_LABELS

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Yield the rows of a split; SNLI's training pairs follow MultiNLI's."""
        yield from super().rows(root, split)
        if split == "train":
            yield from read_rows(self._snli(root), self.reading)

    def fingerprint(self, root: Path, split: str) -> str:
        own = super().fingerprint(root, split)
        return own if split != "train" else digest_file(self._snli(root), own)

    def _snli(self, root: Path) -> Path:
        path = self.path(root, "train").with_name(_SECOND)
        if not path.exists():
            raise InputError(
                f"the second training file is missing: {path.name}", place=path.parent, fix=f"put {_SECOND} there"
            )
        return path


CORPORA.register("kornli", KorNli())
