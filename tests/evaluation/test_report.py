"""Reports in a terminal: metrics and predictions of any task."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.prediction_report import show_predictions
from ratsnlp_like.evaluation.report import show_metrics
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Outcome
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.predictions import Prediction
from ratsnlp_like.tasks.sequence_classifier import ClassPrediction


class TestMetrics:
    def test_classes_without_f1(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_metrics({"accuracy": 0.5, "per_tag": {f"태그{i}": {"accuracy": i / 100} for i in range(50)}})
        shown = capsys.readouterr().out
        assert "태그0 " in shown
        assert "태그49" not in shown
        assert "... the 30 worst of 50" in shown

    def test_numbers_per_class(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_metrics({"accuracy": 0.5, "per_tag": {"명사": 0.25, "동사": 0.75}})
        assert "명사  0.2500" in capsys.readouterr().out

    def test_intervals(self, capsys: pytest.CaptureFixture[str]) -> None:
        settings = {"level": 0.95, "unit": "texts", "units": 1200}
        show_metrics(
            {"accuracy": 0.5, "loss": 0.7, "intervals": {"accuracy": [0.41, 0.6]}, "interval_settings": settings}
        )
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert ["accuracy", "0.5000", "[0.410,", "0.600]"] in lines
        assert ["loss", "0.7000"] in lines
        assert lines[-1] == ["[", "]:", "95%", "bootstrap", "interval", "over", "1,200", "texts"]

    def test_classes_with_other_columns(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_metrics({"accuracy": 0.5, "per_tag": {"명사": {"f1": 0.5}, "동사": {"recall": 0.25}}})
        lines = capsys.readouterr().out.splitlines()
        assert [line.split() for line in lines[-3:]] == [
            ["tag", "f1", "recall"],
            ["명사", "0.5000"],
            ["동사", "0.2500"],
        ]

    def test_the_worst_of_many_classes_have_the_lowest_f1(self, capsys: pytest.CaptureFixture[str]) -> None:
        rows = {f"반{i}": {"support": 50 - i, "f1": i / 100} for i in range(31)} | {"빈반": {"support": 0}}
        show_metrics({"per_class": rows})
        shown = capsys.readouterr().out
        assert "반0 " in shown
        assert "반30" not in shown
        assert "빈반" not in shown


@dataclass(frozen=True)
class Tags(Prediction):
    """Prediction of a task that defines no cells."""

    tags: tuple[str, ...]
    total: int


class TestPredictions:
    def show(self, capsys: pytest.CaptureFixture[str], result: Prediction | InputError) -> str:
        show_predictions([Outcome(TextExample("하늘이 맑다\x1b[31m [bold]", None), result)])
        shown = capsys.readouterr().out
        assert shown.startswith("하늘이 맑다 [31m [bold]\n")
        return shown

    def test_default_cells(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "  명사  동사   2\n" in self.show(capsys, Tags(("명사", "동사"), 2))

    def test_classes(self, capsys: pytest.CaptureFixture[str]) -> None:
        shown = self.show(capsys, ClassPrediction("긍정", 0.9, {"부정": 0.1, "긍정": 0.9}))
        assert "  긍정   긍정 0.900  부정 0.100\n" in shown

    def test_entities_have_a_header(self, capsys: pytest.CaptureFixture[str]) -> None:
        shown = self.show(capsys, EntityPrediction((FoundEntity("하늘이", 0, 3, "PS", 0.5),)))
        assert [line.split() for line in shown.splitlines()[1:]] == [
            ["entity", "label", "start", "end", "score"], ["하늘이", "PS", "0", "3", "0.5000"],
        ]  # fmt: skip
        assert "nothing found" in self.show(capsys, EntityPrediction(()))

    def test_errors(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert "  error: too long" in self.show(capsys, InputError("too long"))
