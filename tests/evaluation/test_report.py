"""Reports in a terminal: metrics and predictions of any task."""

from __future__ import annotations

import pytest

from ratsnlp_like.evaluation.prediction_report import show_predictions
from ratsnlp_like.evaluation.report import show_metrics


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


class TestPredictions:
    def test_rows_without_a_score(self, capsys: pytest.CaptureFixture[str]) -> None:
        show_predictions([{"text": "하늘이 맑다", "tags": ["명사", "동사"]}, {"text": "글", "answer_index": 2}])
        shown = capsys.readouterr().out
        assert "하늘이 맑다\n" in shown
        assert "['명사', '동사']" in shown
        assert "answer_index: 2" in shown

    def test_scores_and_control_characters(self, capsys: pytest.CaptureFixture[str]) -> None:
        row = {"text": "좋다\x1b[31m", "label": "긍정", "score": 0.9, "scores": {"긍정": 0.9, "부정": 0.1}}
        show_predictions([row, {"text": "가", "text_pair": "나", "score": 3.25}])
        shown = capsys.readouterr().out
        assert "긍정   긍정 0.900  부정 0.100" in shown
        assert "나\n  3.25" in shown
        assert "\x1b" not in shown
