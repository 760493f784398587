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


@dataclass(frozen=True)
class KorQuadV1(QuestionCorpus):
    """60,407 questions to train on and 5,774 to validate on, as published."""

    description: ClassVar[str] = "questions and paragraphs with their answers, 60,407 + 5,774, CC BY-ND 2.0 KR"
    paths: ClassVar = {
        "train": ("korQuAD_v1/KorQuAD_v1.0_train.json", "KorQuAD_v1.0_train.json", "korquad/korquad_train.json"),
        "validation": ("korQuAD_v1/KorQuAD_v1.0_dev.json", "KorQuAD_v1.0_dev.json", "korquad/korquad_dev.json"),
    }
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
