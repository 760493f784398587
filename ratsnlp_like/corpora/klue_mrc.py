"""KLUE-MRC: questions on Wikipedia and news, some of which have no answer in their paragraph.

https://github.com/KLUE-benchmark/KLUE, CC BY-SA 4.0. SQuAD's JSON with `guid`, `question_type` and `is_impossible`;
one question:
    {"guid": "...", "question": "도서관은 언제 문을 열었나?", "question_type": 1, "is_impossible": false,
     "answers": [{"text": "1998년", "answer_start": 5}]}
"""

from dataclasses import dataclass
from typing import ClassVar

from ..registry import CORPORA
from .files import QuestionCorpus


@dataclass(frozen=True)
class KlueMrc(QuestionCorpus):
    """17,554 questions to train on and 5,841 to validate on, as published."""

    description: ClassVar[str] = "questions and paragraphs, some without an answer, 17,554 + 5,841, CC BY-SA 4.0"
    paths: ClassVar = {
        "train": ("klue/klue-mrc_train.json", "klue-mrc-v1.1/klue-mrc-v1.1_train.json", "klue-mrc*_train.json"),
        "validation": ("klue/klue-mrc_dev.json", "klue-mrc-v1.1/klue-mrc-v1.1_dev.json", "klue-mrc*_dev.json"),
    }
    sample: ClassVar = {
        "train": """{"version": "klue-mrc-v1.1", "data": [{"title": "도서관", "paragraphs": [
            {"context": "도서관은 1998년에 문을 열었다.", "qas": [
                {"guid": "1", "question": "언제 열었나?", "question_type": 1, "is_impossible": false,
                 "answers": [{"text": "1998년", "answer_start": 5}, {"text": "1998년에", "answer_start": 5}]},
                {"guid": "2", "question": "언제 닫았나?", "question_type": 3, "is_impossible": true,
                 "answers": [], "plausible_answers": [{"text": "1998년", "answer_start": 5}]}]}]}]}""",
        "validation": """{"version": "klue-mrc-v1.1", "data": [{"title": "시장", "paragraphs": [
            {"context": "시장은 닷새마다 선다.", "qas": [
                {"guid": "3", "question": "며칠마다 서나?", "question_type": 1, "is_impossible": false,
                 "answers": [{"text": "닷새", "answer_start": 4}]}]}]}]}""",
    }


CORPORA.register("klue-mrc", KlueMrc())
