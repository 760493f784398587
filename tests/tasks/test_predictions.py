"""Predictions render themselves: JSON, rows of a terminal table, views of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.pair import ScoredPairExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.tasks.answers import AnswerPrediction
from ratsnlp_like.tasks.answers import Candidate as AnswerCandidate
from ratsnlp_like.tasks.causal_model import Generated
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.masked_lm import Candidate, Filled
from ratsnlp_like.tasks.predictions import Prediction, cell, without_floats
from ratsnlp_like.tasks.sequence_classifier import ClassPrediction
from ratsnlp_like.tasks.similarity import ScorePrediction, Similarity


@dataclass(frozen=True)
class Reading(Prediction):
    """A prediction that defines no rendering of its own."""

    age: int
    confidence: float
    words: tuple[str, ...]


def test_the_default_is_its_fields() -> None:
    found = Reading(30, 0.25, ("가", "나"))
    assert found.to_row() == {"age": 30, "confidence": 0.25, "words": ("가", "나")}
    assert found.cells() == [{"age": "30", "confidence": "0.250", "words": "가  나"}]
    assert found.view(TextExample("글")) == {"kind": "fields", "fields": found.to_row()}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (7, "7"), ("글", "글"), (None, "None"), ({"a": 0.5, "b": 2}, "a 0.500  b 2"), ([], "")],
)
def test_cell(value: Any, text: str) -> None:
    assert cell(value) == text


def test_without_floats() -> None:
    row = {"label": "a", "score": 0.5, "spans": [{"start": 1, "score": 0.5}], "many": ("x", 1)}
    assert without_floats(row) == {"label": "a", "spans": [{"start": 1}], "many": ["x", 1]}


class TestClasses:
    SCORES: ClassVar = {"부정": 0.25, "긍정": 0.75}

    def test_one_label(self) -> None:
        found = ClassPrediction("긍정", 0.75, self.SCORES)
        assert found.cells() == [{"label": "긍정", "scores": "긍정 0.750  부정 0.250"}]
        assert Classification().view(found, TextExample("좋다")) == {
            "kind": "bars",
            "chosen": ["긍정"],
            "several": False,
            "threshold": None,
            "bars": [
                {"label": "긍정", "share": 0.75, "chosen": True},
                {"label": "부정", "share": 0.25, "chosen": False},
            ],
        }

    def test_several_labels(self) -> None:
        found = ClassPrediction((), 0.75, self.SCORES)
        assert found.cells()[0]["label"] == "none"
        view = Classification(multi_label=True, threshold=0.8).view(found, TextExample("좋다"))
        assert (view["chosen"], view["several"], view["threshold"]) == ([], True, 0.8)
        assert not any(bar["chosen"] for bar in view["bars"])

    def test_five_probabilities_of_many(self) -> None:
        scores = {f"c{i}": i / 45 for i in range(10)}
        assert ClassPrediction("c9", 0.2, scores).cells()[0]["scores"].count("c") == 5


def test_a_score_on_its_scale() -> None:
    found = ScorePrediction(3.456)
    assert found.cells() == [{"score": "3.46"}]
    view = Similarity(lowest=1.0, highest=7.0).view(found, ScoredPairExample("가", "나"))
    assert view == {"kind": "gauge", "value": 3.456, "lowest": 1.0, "highest": 7.0}


def test_entities() -> None:
    found = EntityPrediction((FoundEntity("김민준", 0, 3, "PS", 0.5), FoundEntity("부산", 5, 7, "LC", 0.9)))
    assert found.cells()[0] == {"entity": "김민준", "label": "PS", "start": "0", "end": "3", "score": "0.5000"}
    assert len(found.cells()) == 2
    assert EntityPrediction(()).cells() == []
    view = found.view(EntityExample("김민준은 부산에"))
    assert (view["kind"], view["text"], view["headline"], view["bars"]) == ("spans", "김민준은 부산에", None, [])
    assert view["spans"][1] == {"start": 5, "end": 7, "label": "LC", "share": 0.9}


def test_an_answer() -> None:
    example = QuestionExample("언제?", "1998년에 열었다")
    found = AnswerPrediction("1998년", 0, 5, 0.75, (AnswerCandidate("1998년", 0, 5, 0.75),))
    assert found.cells() == [{"answer": "1998년", "score": "0.750"}]
    assert found.view(example) == {
        "kind": "spans",
        "text": "1998년에 열었다",
        "spans": [{"start": 0, "end": 5, "label": None, "share": 0.75}],
        "headline": "1998년",
        "bars": [{"label": "1998년", "share": 0.75, "chosen": True}],
    }


def test_no_answer() -> None:
    found = AnswerPrediction("", 0, 0, 0.75, (AnswerCandidate("1998년", 0, 5, 0.25),))
    assert found.cells()[0]["answer"] == "no answer"
    view = found.view(QuestionExample("누가?", "1998년에 열었다"))
    assert (view["spans"], view["headline"]) == ([], "")
    assert not view["bars"][0]["chosen"]


def test_blanks() -> None:
    candidates = ((Candidate("정말", 0.5), Candidate("참", 0.25)), (Candidate("다", 1.0),))
    found = Filled("정말 좋다", candidates)
    assert found.cells() == [
        {"filled": "정말 좋다", "candidates": "정말 0.500  참 0.250"},
        {"filled": "", "candidates": "다 1.000"},
    ]
    view = found.view(RawExample("[MASK] 좋[MASK]"))
    assert view["parts"] == ["", " 좋", ""]
    assert view["blanks"][0] == [
        {"label": "정말", "share": 0.5, "chosen": True},
        {"label": "참", "share": 0.25, "chosen": False},
    ]


@pytest.mark.parametrize(
    ("example", "given"),
    [
        (RawExample("오늘은"), "오늘은"),
        (GenerationExample(prompt="오늘은"), "오늘은"),
        (GenerationExample.of([("user", "안녕?")]), "안녕?"),
    ],
)
def test_generated_text(example: Example, given: str) -> None:
    found = Generated("오늘은 맑다", (" 맑다", " 흐리다"))
    assert found.to_row() == {"generated": "오늘은 맑다", "continuations": [" 맑다", " 흐리다"]}
    assert [row["continuation"] for row in found.cells()] == ["... 맑다", "... 흐리다"]
    view = found.view(example)
    assert (view["kind"], view["texts"]) == ("text", [" 맑다", " 흐리다"])
    assert given in view["given"]
