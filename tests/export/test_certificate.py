"""Certificates of exported models."""

from __future__ import annotations

import re

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.export import export as export_module
from ratsnlp_like.export.certificate import Certificate
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.answers import AnswerPrediction, Candidate
from ratsnlp_like.tasks.similarity import ScorePrediction


@pytest.mark.parametrize(
    ("metric", "maximize", "before", "after", "drop"),
    [("macro_f1", True, 0.9, 0.85, 0.05), ("perplexity", False, 20.0, 21.0, 0.05), ("macro_f1", True, 0.8, 0.9, -0.1)],
)
def test_drop(metric: str, maximize: bool, before: float, after: float, drop: float) -> None:
    metrics = {metric: {"torch": before, "onnx": after}}
    certificate = Certificate("a", 1, None, 0.0, 1.0, metrics, {"torch": 1, "onnx": 1})
    assert certificate.drop(metric, maximize=maximize) == pytest.approx(drop)


def test_a_metric_that_is_nan_is_refused() -> None:
    certificate = Certificate("a", 1, None, 0.0, 1.0, {"pearson": {"torch": 0.5, "onnx": float("nan")}}, {})
    source = Predictor(TASKS["similarity"](), None, None, [])
    with pytest.raises(InputError, match=re.escape("pearson falls from 0.5000 to nan")):
        export_module._check_drop(source, certificate, 0.01)


def test_agreement_of_predictions() -> None:
    similarity, answering = TASKS["similarity"](), TASKS["question-answering"]()
    assert similarity.agrees(ScorePrediction(3.0), ScorePrediction(3.05))
    assert not similarity.agrees(ScorePrediction(3.0), ScorePrediction(3.06))
    one = AnswerPrediction("서울", 3, 5, 0.9, (Candidate("서울", 3, 5, 0.9),))
    assert answering.agrees(one, AnswerPrediction("서울", 3, 5, 0.4))
    assert not answering.agrees(one, AnswerPrediction("서울", 7, 9, 0.9))
