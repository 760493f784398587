"""Calibration against values computed by hand and models whose true probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest

from ratsnlp_like.metrics.calibration import (
    accuracy_by_coverage,
    brier_score,
    calibration_error,
    fit_binary_temperature,
    fit_platt,
    fit_temperature,
    log_odds,
    threshold_for_accuracy,
)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


class TestTemperature:
    @pytest.mark.slow
    @pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
    def test_is_recovered(self, temperature: float) -> None:
        rng = np.random.default_rng(1)
        logits = rng.normal(scale=2, size=(20_000, 4))
        targets = np.array([rng.choice(4, p=p) for p in softmax(logits)])
        assert fit_temperature(temperature * logits, targets) == pytest.approx(temperature, rel=0.05)

    def test_log_probabilities_serve_as_logits(self) -> None:
        rng = np.random.default_rng(2)
        logits = rng.normal(size=(500, 3))
        targets = rng.integers(0, 3, 500)
        assert fit_temperature(np.log(softmax(logits)), targets) == pytest.approx(fit_temperature(logits, targets))

    def test_stays_near_1_with_few_examples(self) -> None:
        """Without the prior, examples that are all right would drive it to 0."""
        assert 0.4 < fit_temperature(np.array([[2.0, 0.0]] * 5), np.zeros(5, dtype=int)) < 1

    def test_unknown_classes_are_left_out(self) -> None:
        logits, targets = np.array([[2.0, 0.0], [0.0, 3.0]]), np.array([0, -1])
        assert fit_temperature(logits, targets) == fit_temperature(logits[:1], targets[:1])
        assert fit_temperature(logits, np.array([-1, -1])) == 1.0

    def test_binary(self) -> None:
        rng = np.random.default_rng(3)
        logits = rng.normal(scale=2, size=(5000, 3))
        targets = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
        assert fit_binary_temperature(2 * logits, targets) == pytest.approx(2, rel=0.06)
        assert fit_binary_temperature(np.zeros((0, 3)), np.zeros((0, 3))) == 1.0

    def test_platt_can_lower_confidences_below_one_half(self) -> None:
        rng = np.random.default_rng(4)
        logits = rng.uniform(0, 4, 20_000)
        targets = rng.random(20_000) < 1 / (1 + np.exp(-(logits / 2 - 1.5)))
        assert fit_platt(logits, targets) == pytest.approx((2, -1.5), rel=0.08)
        assert fit_platt(np.array([]), np.array([])) == (1.0, 0.0)


class TestErrors:
    def test_calibration_error_by_hand(self) -> None:
        """Bins of width 1/2: (0.25, 0.5] has 0.9 of 2 against 1 right; (0.5, 1] has 1.6 of 2 against 2 right."""
        confidences, correct = [0.4, 0.5, 0.7, 0.9], [0, 1, 1, 1]
        assert calibration_error(confidences, correct, bins=2) == pytest.approx((0.1 + 0.4) / 4)

    def test_perfect_calibration(self) -> None:
        assert calibration_error([1.0, 1.0, 0.0], [1, 1, 0]) == 0.0
        assert calibration_error([], []) == 0.0

    def test_brier_by_hand(self) -> None:
        """(0.3^2 + 0.2^2 + 0.1^2 + 1 + 0 + 1) / 2."""
        found = brier_score([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]], [[1, 0, 0], [0, 0, 1]])
        assert found == pytest.approx((0.14 + 2) / 2)
        assert brier_score([0.8, 0.4], [1, 0]) == pytest.approx((0.04 + 0.16) / 2)
        assert brier_score([], []) == 0.0

    def test_scaling_by_the_fitted_temperature_lowers_both(self) -> None:
        rng = np.random.default_rng(5)
        logits = rng.normal(size=(4000, 3))
        targets = np.array([rng.choice(3, p=p) for p in softmax(logits)])
        sharp = 4 * logits
        hot = np.eye(3)[targets]
        temperature = fit_temperature(sharp[:2000], targets[:2000])
        scores = []
        for scaled in (sharp[2000:], sharp[2000:] / temperature):
            p = softmax(scaled)
            correct = p.argmax(axis=1) == targets[2000:]
            scores.append((calibration_error(p.max(axis=1), correct), brier_score(p, hot[2000:])))
        assert scores[1][0] < 0.05 < 0.2 < scores[0][0]
        assert scores[1][1] < scores[0][1]


class TestAbstention:
    def test_coverage_by_hand(self) -> None:
        found = accuracy_by_coverage([0.5, 0.9, 0.9, 0.7], [0, 1, 0, 1])
        assert [part.tolist() for part in found] == [[0.9, 0.7, 0.5], [0.5, 0.75, 1.0], [0.5, 2 / 3, 0.5]]
        assert [len(part) for part in accuracy_by_coverage([], [])] == [0, 0, 0]

    def test_threshold(self) -> None:
        """The most confident 50 are right, of the next 50 every second one."""
        confidences = np.linspace(1, 0.5, 100)
        correct = np.array([1] * 50 + [1, 0] * 25)
        threshold = threshold_for_accuracy(confidences, correct, 0.9)
        kept = confidences >= threshold
        assert correct[kept].mean() >= 0.9
        assert kept.sum() > 55
        assert threshold_for_accuracy(confidences, np.zeros(100), 0.9) is None
        assert threshold_for_accuracy(confidences[:10], np.ones(10), 0.9) is None


def test_log_odds() -> None:
    assert log_odds([0.5, 0.8]) == pytest.approx([0, np.log(4)])
    assert np.isfinite(log_odds([0.0, 1.0])).all()
