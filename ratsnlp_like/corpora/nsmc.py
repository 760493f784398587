"""Naver sentiment movie corpus: 200,000 film reviews, negative (ratings 1-4) or positive (9-10).

https://github.com/e9t/nsmc, CC0 1.0. One row:
    id<TAB>document<TAB>label
    101<TAB>기대 없이 봤는데 끝까지 웃었네요<TAB>1
No quoting: `"` is a plain character (a CSV reader with default quoting loses 208 of 150,000 rows).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..registry import CORPORA
from .base import TextCorpus
from .fetch import fetch_with_korpora
from .formats import Options


@dataclass(frozen=True)
class Nsmc(TextCorpus):
    """150,000 reviews to train on and 50,000 to test on, half of them positive."""

    description: ClassVar[str] = "film reviews, negative / positive, 150,000 + 50,000, CC0 1.0 (through Korpora)"
    paths: ClassVar = {
        "train": ("nsmc/ratings_train.txt", "ratings_train.txt"),
        "test": ("nsmc/ratings_test.txt", "ratings_test.txt"),
    }
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    column_names: ClassVar = {"text": "document", "label": "label"}
    renamed_labels: ClassVar = {"0": "negative", "1": "positive"}
    sample: ClassVar = {
        "train": "id\tdocument\tlabel\n101\t기대 없이 봤는데 끝까지 웃었네요\t1\n"
        '102\t"감동이라더니 졸기만 했다\t0\n103\t\t0\n',
        "test": "id\tdocument\tlabel\n104\t배우들 연기가 다 살렸다 ㅋㅋ\t1\n105\t돈이 아까워요 ㅠㅠ\t0\n",
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Negative is class 0, as in the file."""
        return ("negative", "positive")

    def fetch(self, root: Path) -> None:
        """Through Korpora."""
        fetch_with_korpora("nsmc", root)


CORPORA.register("nsmc", Nsmc())
