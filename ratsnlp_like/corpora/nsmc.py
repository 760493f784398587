"""Naver sentiment movie corpus: 200,000 film reviews, negative (ratings 1-4) or positive (9-10).

https://github.com/e9t/nsmc, CC0 1.0. One row:
    id<TAB>document<TAB>label
    101<TAB>기대 없이 봤는데 끝까지 웃었네요<TAB>1
No quoting: `"` is a plain character (a CSV reader with default quoting loses 208 of 150,000 rows).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..errors import InputError
from ..examples.base import Example
from ..examples.generation import GenerationExample
from ..registry import CORPORA
from .files import TextCorpus
from .formats import Options, Row
from .remote import RemoteFile

_URL = "https://raw.githubusercontent.com/e9t/nsmc/master/"
_LICENSE = "CC0 1.0"
_CLASSES = {"0": "부정", "1": "긍정"}


@dataclass(frozen=True)
class Nsmc(TextCorpus):
    """150,000 reviews to train on and 50,000 to test on, half of them positive."""

    description: ClassVar[str] = "film reviews, negative / positive, 150,000 + 50,000, CC0 1.0"
    paths: ClassVar = {
        "train": ("nsmc/ratings_train.txt", "ratings_train.txt"),
        "test": ("nsmc/ratings_test.txt", "ratings_test.txt"),
    }
    remote: ClassVar = (
        RemoteFile(
            "nsmc/ratings_train.txt",
            _URL + "ratings_train.txt",
            _LICENSE,
            "e03b7d14e9e41be8d464a28057cd25d7396c53e67aa7fd5f7e552c59b0ee2940",
        ),
        RemoteFile(
            "nsmc/ratings_test.txt",
            _URL + "ratings_test.txt",
            _LICENSE,
            "8ac9f64052f11dbf6ae0acb5e038f03d90a76f0eda7820cfb3a92d02edfcebda",
        ),
    )
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    column_names: ClassVar = {"text": "document", "label": "label"}
    renamed_labels: ClassVar = {"0": "negative", "1": "positive"}
    sample: ClassVar = {
        "train": "id\tdocument\tlabel\n101\t기대 없이 봤는데 끝까지 웃었네요\t1\n"
        '102\t"감동이라더니 졸기만 했다\t0\n103\t\t0\n',
        "test": "id\tdocument\tlabel\n104\t배우들 연기가 다 살렸다 ㅋㅋ\t1\n105\t돈이 아까워요 ㅠㅠ\t0\n",
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of the file: negative is class 0."""
        return ("negative", "positive")


@dataclass(frozen=True)
class NsmcGeneration(Nsmc):
    """The reviews as texts that begin with their class: `긍정 ...`, `부정 ...`; after "긍정" a model writes praise."""

    example: ClassVar[type[Example]] = GenerationExample
    task: ClassVar[str] = "generation"
    description: ClassVar[str] = "NSMC's reviews for generation, each after 긍정 or 부정; empty ones left out"
    column_names: ClassVar = {"text": "text"}
    renamed_labels: ClassVar = {}

    def labels(self, root: Path) -> None:  # type: ignore[override]
        """Return None: a text to write has no class."""

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        for row in super().rows(root, split):
            review, label = (str(row.values.get(name) or "").strip() for name in ("document", "label"))
            if "document" not in row.values or label not in _CLASSES:
                problem = f"the label is {label!r}" if "document" in row.values else "the row has no document"
                raise InputError(problem, place=row.place, expected="id, document, and the label 0 or 1")
            if review:
                yield row._replace(values={"text": f"{_CLASSES[label]} {review}"})


CORPORA.register("nsmc", Nsmc())
CORPORA.register("nsmc-generation", NsmcGeneration())
