"""Confidence of classes: logits from predicted probabilities, the fit of a temperature, and tables of calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..modeling.probabilities import sigmoid, softmax
from ..runtime.types import Array

if TYPE_CHECKING:
    from ..examples.base import Labelled
    from .sequence_classifier import ClassPrediction


@dataclass(frozen=True)
class Confidences:
    """Probabilities of examples with gold labels."""

    probabilities: Array
    """As predicted. Shape: (examples, labels)."""
    targets: Array
    """1 for gold labels, else 0. Shape: (examples, labels)."""
    temperature: float
    """That the probabilities were computed with."""
    multi_label: bool

    @classmethod
    def of(
        cls,
        predictions: Sequence[ClassPrediction],
        examples: Sequence[Labelled],
        labels: Sequence[str],
        *,
        temperature: float,
        multi_label: bool,
    ) -> Confidences | None:
        """Return the confidences of predictions; None where some lack the probability of a label."""
        import numpy as np

        if not predictions or any(len(prediction.scores) != len(labels) for prediction in predictions):
            return None
        probabilities = np.array([[prediction.scores[label] for label in labels] for prediction in predictions])
        column = {label: k for k, label in enumerate(labels)}
        targets = np.zeros(probabilities.shape)
        for row, example in enumerate(examples):
            for label in example.label_names:
                if label in column:
                    targets[row, column[label]] = 1
        return cls(probabilities, targets, temperature, multi_label)

    @property
    def logits(self) -> Array:
        """Logits before the temperature, up to a constant for each example. Shape: (examples, labels)."""
        import numpy as np

        from ..metrics.calibration import log_odds

        if self.multi_label:
            return log_odds(self.probabilities) * self.temperature
        return np.log(np.maximum(self.probabilities, 1e-30)) * self.temperature

    def at(self, temperature: float) -> Array:
        """Return the probabilities at another temperature. Shape: (examples, labels)."""
        logits = self.logits / temperature
        return sigmoid(logits) if self.multi_label else softmax(logits)

    def fitted_temperature(self) -> float:
        """Return the temperature that fits the gold labels best."""
        import numpy as np

        from ..metrics.calibration import fit_binary_temperature, fit_temperature

        if self.multi_label:
            return fit_binary_temperature(self.logits, self.targets)
        known = self.targets.any(axis=1)
        return fit_temperature(self.logits, np.where(known, self.targets.argmax(axis=1), -1))

    def threshold(self, accuracy: float, temperature: float) -> float:
        """Return the probability from which predictions have an accuracy; 1 where none do."""
        from ..metrics.calibration import threshold_for_accuracy

        found = threshold_for_accuracy(*_best(self.at(temperature), self.targets), accuracy)
        return 1.0 if found is None else found

    def scores(self, abstain: float) -> dict[str, Any]:
        """Return the table `calibration` of an evaluation, and coverage and accuracy with abstention."""
        from ..metrics.calibration import calibration_scores, coverage_scores

        table: dict[str, Any] = {
            "temperature": self.temperature,
            **calibration_scores(self.at(1.0), self.probabilities, self.targets, independent=self.multi_label),
        }
        if self.multi_label:
            return {"calibration": table}
        confidences, correct = _best(self.probabilities, self.targets)
        table["coverage_at_accuracy"] = coverage_scores(confidences, correct)
        if not abstain:
            return {"calibration": table}
        kept = confidences >= abstain
        accuracy = float(correct[kept].mean()) if kept.any() else 0.0
        return {"coverage": float(kept.mean()), "selective_accuracy": accuracy, "calibration": table}


def calibrated(scores: Sequence[float], temperature: float, offset: float) -> list[float]:
    """Return scores whose log-odds are divided by the temperature and moved by the offset."""
    from ..metrics.calibration import log_odds

    if not scores or (temperature == 1 and offset == 0):
        return list(scores)
    return [float(score) for score in sigmoid(log_odds(scores) / temperature + offset)]


def uncalibrated(scores: Sequence[float], temperature: float, offset: float) -> list[float]:
    """Return the scores from which `calibrated` made these."""
    from ..metrics.calibration import log_odds

    if not scores or (temperature == 1 and offset == 0):
        return list(scores)
    return [float(score) for score in sigmoid((log_odds(scores) - offset) * temperature)]


def fit_scores(
    scores: Sequence[float], correct: Sequence[bool], temperature: float, offset: float
) -> tuple[float, float]:
    """Return the temperature and the offset that fit scores best; the present ones are those of the scores."""
    import numpy as np

    from ..metrics.calibration import fit_platt, log_odds

    return fit_platt(log_odds(uncalibrated(scores, temperature, offset)), np.asarray(correct, dtype=float))


def entity_calibration(
    scores: Sequence[float], correct: Sequence[bool], temperature: float, offset: float
) -> dict[str, Any]:
    """Return the table `calibration` of found entities; empty where there are none."""
    import numpy as np

    from ..metrics.calibration import brier_score, calibration_error, coverage_scores

    if not scores:
        return {}
    before, after = np.array(uncalibrated(scores, temperature, offset)), np.array(scores)
    right = np.asarray(correct, dtype=float)
    return {
        "calibration": {
            "temperature": temperature,
            "offset": offset,
            "ece": calibration_error(after, right),
            "brier": brier_score(after, right),
            "ece_uncalibrated": calibration_error(before, right),
            "brier_uncalibrated": brier_score(before, right),
            "coverage_at_accuracy": coverage_scores(after, right),
        }
    }


def _best(probabilities: Array, targets: Array) -> tuple[Array, Array]:
    """Return the probability of the most probable label of each example, and whether it is right."""
    import numpy as np

    best = probabilities.argmax(axis=1)[:, None]
    return np.take_along_axis(probabilities, best, axis=1)[:, 0], np.take_along_axis(targets, best, axis=1)[:, 0]
