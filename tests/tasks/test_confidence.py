"""Calibrated probabilities: fitted by `tuned`, undone by a temperature of 1, kept through saving and export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.entity_predictions import EntityPrediction, FoundEntity
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.training.finetune import FineTuneResult

LABELS = ["긍정", "부정", "중립"]


def decoded(task: Classification, logits: np.ndarray) -> list[Any]:
    return [task.decode(TextExample("문장"), [Window({}, row)], LABELS) for row in logits]


def sample(scale: float, size: int = 3000) -> tuple[np.ndarray, list[TextExample]]:
    """Logits that are `scale` times as large as the drawn labels justify."""
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=1.5, size=(size, 3))
    gumbel = rng.gumbel(size=logits.shape)
    examples = [TextExample("문장", LABELS[k]) for k in (logits + gumbel).argmax(axis=1)]
    return scale * logits, examples


class TestClasses:
    @pytest.mark.slow
    def test_overconfident_logits_are_cooled(self) -> None:
        logits, examples = sample(3.0)
        task = Classification()
        tuned = task.tuned(decoded(task, logits), examples)
        assert tuned.temperature == pytest.approx(3, rel=0.08)
        again = tuned.tuned(decoded(tuned, logits), examples)  # from probabilities at another temperature
        assert again.temperature == pytest.approx(tuned.temperature, rel=1e-3)
        before, after = decoded(task, logits), decoded(tuned, logits)
        assert [p.label for p in before] == [p.label for p in after]
        table = tuned.score(after, examples, LABELS)["calibration"]
        assert table["ece"] < 0.03 < 0.1 < table["ece_uncalibrated"]
        assert table["brier"] < table["brier_uncalibrated"]
        assert table["temperature"] == tuned.temperature
        uncalibrated = task.score(before, examples, LABELS)["calibration"]
        assert uncalibrated["ece"] == uncalibrated["ece_uncalibrated"] == pytest.approx(table["ece_uncalibrated"])

    def test_several_labels(self) -> None:
        rng = np.random.default_rng(2)
        logits = rng.normal(scale=2, size=(2000, 3))
        hot = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
        examples = [TextExample("문장", tuple(np.array(LABELS)[row])) for row in hot]
        task = Classification(multi_label=True)
        tuned = task.tuned(decoded(task, 2 * logits), examples)
        assert tuned.temperature == pytest.approx(2, rel=0.1)
        table = tuned.score(decoded(tuned, 2 * logits), examples, LABELS)["calibration"]
        assert table["ece"] < table["ece_uncalibrated"]
        assert "coverage_at_accuracy" not in table

    def test_predictions_without_probabilities_are_not_calibrated(self) -> None:
        task, example = Classification(), TextExample("문장", "긍정")
        gold = task.gold_prediction(example)
        assert task.tuned([gold], [replace(example, label="부정")]).temperature == pytest.approx(1)
        assert task.tuned([], []) == task
        assert "calibration" not in task.score([gold], [example], LABELS)

    @pytest.mark.slow
    def test_abstention(self) -> None:
        logits, examples = sample(1.0)
        task = Classification(abstain_accuracy=0.9)
        assert task.score(decoded(task, logits), examples, LABELS)["accuracy"] < 0.8
        tuned = task.tuned(decoded(task, logits), examples)
        predictions = decoded(tuned, logits)
        kept = [k for k, prediction in enumerate(predictions) if not prediction.abstained]
        scores = tuned.score(predictions, examples, LABELS)
        assert scores["coverage"] == pytest.approx(len(kept) / len(examples))
        assert scores["selective_accuracy"] >= 0.9
        assert scores["coverage"] > 0.2
        assert tuned.to_row(predictions[kept[0]])["abstained"] is False
        assert "abstained" not in Classification().to_row(predictions[0])

    def test_abstention_holds_on_other_rows(self) -> None:
        logits, examples = sample(1.0, 6000)
        task = Classification(abstain_accuracy=0.9)
        tuned = task.tuned(decoded(task, logits[:3000]), examples[:3000])
        scores = tuned.score(decoded(tuned, logits[3000:]), examples[3000:], LABELS)
        assert scores["selective_accuracy"] == pytest.approx(0.9, abs=0.03)

    def test_an_accuracy_that_nothing_reaches(self) -> None:
        logits, examples = sample(1.0, 100)
        task = Classification(abstain_accuracy=1.0)
        wrong = [replace(e, label=LABELS[(LABELS.index(str(e.label)) + 1) % 3]) for e in examples]
        tuned = task.tuned(decoded(task, logits), wrong)
        scores = tuned.score(decoded(tuned, logits), wrong, LABELS)
        assert (tuned.abstain, scores["coverage"], scores["selective_accuracy"]) == (1.0, 0.0, 0.0)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"temperature": 0.0}, "--temperature"),
            ({"temperature": 1e300}, "--temperature"),
            ({"abstain": 1.5}, "--abstain"),
            ({"abstain_accuracy": -0.1}, "--abstain_accuracy"),
            ({"abstain": 0.5, "multi_label": True}, "--abstain with several labels"),
        ],
    )
    def test_bad_options(self, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message):
            Classification(**options)


def test_usable_options() -> None:
    assert Classification().usable_options() == {"temperature", "abstain"}
    assert Classification(multi_label=True).usable_options() == {"temperature", "threshold"}


class TestEntities:
    TEXT = "김민준은 서울에 산다"

    def predictions(self, scores: list[float]) -> list[EntityPrediction]:
        return [EntityPrediction((FoundEntity("김민준", 0, 3, "PS", score),)) for score in scores]

    def test_scores_follow_how_often_entities_are_right(self) -> None:
        """Of entities with a score of 0.95, 60% are right; of those with 0.6, 30%."""
        scores = [0.95] * 500 + [0.6] * 500
        right = [k % 10 < 6 for k in range(500)] + [k % 10 < 3 for k in range(500)]
        examples = [EntityExample(self.TEXT, (Entity(0, 3, "PS" if good else "LC"),)) for good in right]
        tuned = Ner().tuned(self.predictions(scores), examples)
        assert (tuned.temperature, tuned.offset) != (1.0, 0.0)
        mapped = [1 / (1 + np.exp(-(np.log(p / (1 - p)) / tuned.temperature + tuned.offset))) for p in (0.95, 0.6)]
        assert mapped == pytest.approx([0.6, 0.3], abs=0.02)
        calibrated = self.predictions([mapped[0]] * 500 + [mapped[1]] * 500)
        table = tuned.score(calibrated, examples, ["PS", "LC"])["calibration"]
        assert table["ece"] < 0.03
        assert table["ece_uncalibrated"] == pytest.approx(0.325)  # (0.35 + 0.3) / 2
        again = tuned.tuned(calibrated, examples)
        assert again.temperature == pytest.approx(tuned.temperature, rel=1e-2)

    def test_without_entities(self) -> None:
        examples = [EntityExample(self.TEXT, ())]
        assert Ner().tuned([EntityPrediction(())], examples) == Ner()
        assert "calibration" not in Ner().score([EntityPrediction(())], examples, ["PS"])


def test_saved_with_the_model(classifier: FineTuneResult, tmp_path: Path) -> None:
    predictor = Predictor.from_pretrained(classifier.best)
    assert predictor.task.temperature != 1.0
    assert classifier.metrics["calibration"]["temperature"] == predictor.task.temperature
    (found,), (raw,) = predictor(["정말 좋아요"]), predictor(["정말 좋아요"], temperature=1.0)
    assert found.label == raw.label
    odds = [np.log(p.score / (1 - p.score)) for p in (found, raw)]
    assert odds[0] * predictor.task.temperature == pytest.approx(odds[1], rel=1e-3)


def test_entities_are_calibrated_where_they_are_decoded(recognizer: FineTuneResult) -> None:
    predictor = Predictor.from_pretrained(recognizer.best)
    assert (predictor.task.temperature, predictor.task.offset) != (1.0, 0.0)
    text = "김민준은 서울에서 기차를 탔다"
    found, raw = predictor(text), predictor(text, temperature=1.0, offset=0.0)
    assert raw.entities
    assert [(e.start, e.end, e.label) for e in found.entities] == [(e.start, e.end, e.label) for e in raw.entities]
    for one, other in zip(found.entities, raw.entities, strict=True):
        odds = np.log(other.score / (1 - other.score)) / predictor.task.temperature + predictor.task.offset
        assert one.score == pytest.approx(1 / (1 + np.exp(-odds)), abs=1e-6)
