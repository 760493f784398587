"""Pairs of questions to a love counselling chatbot, the same question or different ones.

https://github.com/songys/Question_pair, MIT. One row:
    id,qid1,qid2,question1,question2,is_duplicate
    1,1,2,헤어진 지 한 달 됐어,이별한 지 한 달,0
UTF-8 with a byte order mark. **0 is the same question and 1 another one**, the reverse of the column's
name; here the classes are called `same` and `different`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ..registry import CORPORA
from .files import PairCorpus
from .formats import Options


@dataclass(frozen=True)
class QuestionPair(PairCorpus):
    """6,888 pairs to train on and 688 to test on."""

    description: ClassVar[str] = "two questions, same / different, 6,888 + 688, MIT (through Korpora)"
    korpora: ClassVar[str | None] = "question_pair"
    paths: ClassVar = {
        "train": ("question_pair/kor_pair_train.csv", "kor_pair_train.csv"),
        "test": ("question_pair/kor_pair_test.csv", "kor_pair_test.csv", "kor_Pair_test.csv"),
    }
    reading: ClassVar[Options] = Options(format="csv")
    column_names: ClassVar = {"text": "question1", "text_pair": "question2", "label": "is_duplicate"}
    renamed_labels: ClassVar = {"0": "same", "1": "different"}
    sample: ClassVar = {
        "train": "\ufeffid,qid1,qid2,question1,question2,is_duplicate\r\n"
        "1,1,2,헤어진 지 한 달 됐어,이별한 지 한 달,0\r\n"
        '2,3,4,"고백할까, 말까",점심 뭐 먹지,1\r\n',
        "test": "\ufefftest_id,question1,question2,is_duplicate,\r\n1,선물 뭐가 좋을까,무슨 선물을 사지,0,\r\n",
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of the numbers in the file."""
        return ("same", "different")


CORPORA.register("question-pair", QuestionPair())
