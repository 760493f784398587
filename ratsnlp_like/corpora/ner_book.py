"""The book's NER corpus: `text␞text with <entity:TAG>` lines, ten types.

Made from https://github.com/kmounlp/NER ("MIT License for non-commercial use"). One line:
    김서연은 부산에 산다␞<김서연:PER>은 <부산:LOC>에 산다
PER person, LOC place, ORG organisation, POH other proper noun, DAT date, TIM time, DUR duration,
MNY money, PNT percentage, NOH other number. The plain text on the left decides: marks are aligned
with it, so that a literal `<` or `:` does no harm.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..registry import CORPORA
from .files import EntityCorpus
from .formats import Options
from .remote import RemoteFile, drive

_LICENSE = "MIT License for non-commercial use"


@dataclass(frozen=True)
class NerBook(EntityCorpus):
    """Lines with marks, one file per split."""

    description: ClassVar[str] = "the book's corpus, ten types, `text␞<entity:TAG>` lines, not for commercial use"
    paths: ClassVar = {
        "train": ("ner_book/train.txt", "ner/train.txt"),
        "validation": ("ner_book/val.txt", "ner/val.txt"),
        "test": ("ner_book/test.txt", "ner/test.txt"),
    }
    remote: ClassVar = (
        RemoteFile("ner/train.txt", drive("1RP764owqs1kZeHcjFnCX7zXt2EcjGY1i"), _LICENSE),
        RemoteFile("ner/val.txt", drive("1bEPNWT5952rD3xjg0LfJBy3hLHry3yUL"), _LICENSE),
    )
    reading: ClassVar[Options] = Options(format="book-ner")
    sample: ClassVar = {
        "train": "김서연은 부산에 산다␞<김서연:PER>은 <부산:LOC>에 산다\n값이 3<5 라고?␞값이 <3:NOH><<5:NOH> 라고?\n",
        "validation": "9:30에 만나␞<9:30:TIM>에 만나\n",
    }


CORPORA.register("ner-book", NerBook())
