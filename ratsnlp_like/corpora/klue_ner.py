"""KLUE-NER: sentences from news and reviews with six types of entities, labelled by character.

https://github.com/KLUE-benchmark/KLUE, CC BY-SA 4.0. One sentence:
    ## klue-ner-v1_train_00001-nsmc<TAB><서울:LC>에서 봤다
    서<TAB>B-LC
    울<TAB>I-LC
    에<TAB>O
    ...
PS person, LC place, OG organisation, DT date, TI time, QT quantity. A space is a row too.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..registry import CORPORA
from .files import EntityCorpus
from .formats import Options


@dataclass(frozen=True)
class KlueNer(EntityCorpus):
    """21,008 sentences to train on and 5,000 to validate on in the official release."""

    description: ClassVar[str] = "news and reviews, six types by character, 21,008 + 5,000, CC BY-SA 4.0"
    paths: ClassVar = {
        "train": ("klue/klue-ner*train.tsv", "klue*ner*/klue-ner*train.tsv", "klue-ner*train.tsv"),
        "validation": ("klue/klue-ner*dev.tsv", "klue*ner*/klue-ner*dev.tsv", "klue-ner*dev.tsv"),
        "test": ("klue/klue-ner*test.tsv", "klue*ner*/klue-ner*test.tsv", "klue-ner*test.tsv"),
    }
    reading: ClassVar[Options] = Options(format="klue-ner")
    sample: ClassVar = {
        "train": "## klue-ner-v1_train_00001-nsmc\t<부산:LC>에서 봄\n부\tB-LC\n산\tI-LC\n에\tO\n서\tO\n \tO\n봄\tO\n\n",
        "validation": "## klue-ner-v1_dev_00001-wikitree\t<두 명:QT>\n두\tB-QT\n \tI-QT\n명\tI-QT\n\n",
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of the official label list."""
        return ("DT", "LC", "OG", "PS", "QT", "TI")


CORPORA.register("klue-ner", KlueNer())
