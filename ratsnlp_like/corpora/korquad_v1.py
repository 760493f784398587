"""KorQuAD 1.0: questions on paragraphs of the Korean Wikipedia, each with an answer in its paragraph.

https://korquad.github.io (files dataset/KorQuAD_v1.0_train.json and ..._dev.json), CC BY-ND 2.0 KR. SQuAD's JSON;
one paragraph:
    {"context": "도서관은 1998년에 문을 열었다.",
     "qas": [{"id": "1-0-0", "question": "언제 열었나?", "answers": [{"text": "1998년", "answer_start": 5}]}]}
"""

from dataclasses import dataclass
from typing import ClassVar

from ..registry import CORPORA
from .files import QuestionCorpus
from .remote import RemoteFile

_URL = "https://korquad.github.io/dataset/"
_LICENSE = "CC BY-ND 2.0 KR"


def _places(name: str) -> tuple[str, ...]:
    file = f"KorQuAD_v1.0_{name}.json"
    return f"korQuAD_v1/{file}", file, f"korquad/korquad_{name}.json", f"korquad-v1/{file}"


@dataclass(frozen=True)
class KorQuadV1(QuestionCorpus):
    """60,407 questions to train on and 5,774 to validate on, as published."""

    description: ClassVar[str] = "questions and paragraphs with their answers, 60,407 + 5,774, CC BY-ND 2.0 KR"
    paths: ClassVar = {
        "train": _places("train"),
        "validation": _places("dev"),
    }
    remote: ClassVar = (
        RemoteFile(
            "korquad-v1/KorQuAD_v1.0_train.json",
            _URL + "KorQuAD_v1.0_train.json",
            _LICENSE,
            "40d5115879a701751781df721d901abfa736d8db5f89000f2619433f39bf2dd2",
        ),
        RemoteFile(
            "korquad-v1/KorQuAD_v1.0_dev.json",
            _URL + "KorQuAD_v1.0_dev.json",
            _LICENSE,
            "25ffeb51e6c51ec02c071b60a10188e10005c144110f0d876b26079d80a35bdf",
        ),
    )
    sample: ClassVar = {
        "train": """{"version": "1.0", "data": [{"title": "도서관", "paragraphs": [
            {"context": "도서관은 1998년에 문을 열었다. 관장은 김하늘이다.", "qas": [
                {"id": "1-0-0", "question": "언제 열었나?", "answers": [{"text": "1998년", "answer_start": 5}]},
                {"id": "1-0-1", "question": "무엇이 열었나?", "answers": [{"text": "도서관", "answer_start": 0}]}
            ]}]}]}""",
        "validation": """{"version": "1.0", "data": [{"title": "시장", "paragraphs": [
            {"context": "시장은 닷새마다 선다.", "qas": [
                {"id": "2-0-0", "question": "며칠마다 서나?", "answers": [{"text": "닷새", "answer_start": 4}]}
            ]}]}]}""",
    }


CORPORA.register("korquad-v1", KorQuadV1())
