"""KorSTS: the translated STS benchmark, the similarity of two sentences from 0 to 5.

https://github.com/kakaobrain/KorNLUDatasets, CC BY-SA 4.0. One row:
    genre<TAB>filename<TAB>year<TAB>id<TAB>score<TAB>sentence1<TAB>sentence2
    main-captions<TAB>MSRvid<TAB>2012test<TAB>0001<TAB>4.800<TAB>아이가 웃는다.<TAB>아이가 웃고 있다.
No quoting: `"` is a plain character (a CSV reader with default quoting reads 5,703 of 5,749 rows).
"""

from dataclasses import dataclass
from typing import ClassVar

from ..registry import CORPORA
from .files import ScoredPairCorpus
from .formats import Options

_HEADER = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n"


@dataclass(frozen=True)
class KorSts(ScoredPairCorpus):
    """5,749 pairs to train on, 1,500 to validate on and 1,379 to test on."""

    description: ClassVar[str] = (
        "two sentences and a score from 0 to 5, 5,749 + 1,500 + 1,379, CC BY-SA 4.0 (through Korpora)"
    )
    korpora: ClassVar[str | None] = "korsts"
    paths: ClassVar = {
        "train": ("korsts/sts-train.tsv", "sts-train.tsv"),
        "validation": ("korsts/sts-dev.tsv", "sts-dev.tsv"),
        "test": ("korsts/sts-test.tsv", "sts-test.tsv"),
    }
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    column_names: ClassVar = {"text": "sentence1", "text_pair": "sentence2", "score": "score"}
    sample: ClassVar = {
        "train": _HEADER + 'main-captions\tA\t2012\t0001\t4.800\t아이가 웃는다.\t"아이가 웃고 있다.\n'
        "main-captions\tA\t2012\t0002\t0\t개가 뛴다.\t비행기가 난다.\n",
        "validation": _HEADER + "main-news\tB\t2013\t0001\t2.5\t기차가 늦었다.\t버스가 늦었다.\n",
        "test": _HEADER + "main-news\tB\t2013\t0001\t3.66666666666666\t물가가 올랐다.\t물가가 크게 올랐다.\n",
    }


CORPORA.register("korsts", KorSts())
