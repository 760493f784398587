"""Early stopping: evaluations without a better metric and without a better loss."""

from __future__ import annotations

import logging
import math
import re
from pathlib import Path
from typing import Any

import pytest
from helpers import job
from helpers_training import STEPS, At, power_cut, scores

from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training import module
from ratsnlp_like.training.finetune import fine_tune


def losses(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Give the validation these losses in consecutive evaluations, repeating the last one."""
    given = iter(values)
    monkeypatch.setattr(module, "mean_loss", lambda _: next(given, values[-1]))


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("metric", "loss", "evaluations"),
    [
        ((0.5, 0.9, 0.8, 0.9, 0.95), (1.0,), 4),  # the third and the fourth are no better than the second
        ((0.0,), (9.0, 8.0, 7.0, 6.0, 6.0, 6.0), 6),  # no entity is found yet, but the loss falls
        ((0.1, 0.2, 0.3, 0.4, 0.4, 0.4), (1.0, 2.0, 3.0), 6),  # the loss rises, but the metric improves
        ((0.5, math.nan, math.nan), (1.0, math.nan, math.nan), 3),
    ],
)
def test_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: tuple[float], loss: tuple[float], evaluations: int
) -> None:
    scores(monkeypatch, *metric)
    losses(monkeypatch, *loss)
    result = fine_tune(**job(tmp_path, epochs=9, patience=2, baselines=False))
    assert result.summary["steps"] == evaluations * STEPS


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_direction_of_the_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Classification, "maximize", False)
    scores(monkeypatch, 0.9, 0.8, 0.7, 0.75)
    losses(monkeypatch, 1.0)
    result = fine_tune(**job(tmp_path, epochs=9, patience=1, baselines=False))
    assert result.summary["steps"] == 4 * STEPS


@pytest.mark.slow
def test_the_report_states_the_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were trained, of those that were planned."""
    scores(monkeypatch, 0.5)
    losses(monkeypatch, 1.0)
    result = fine_tune(**job(tmp_path, epochs=9, patience=2, report=True))
    assert result.summary["steps"] == 3 * STEPS
    page = (result.output / "report.html").read_text(encoding="utf-8")
    assert re.search(r"<dt>에폭</dt>\s*<dd>3 / 9</dd>", page)


@pytest.mark.slow
def test_zero_disables_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores(monkeypatch, 0.5)
    losses(monkeypatch, 1.0)
    assert fine_tune(**job(tmp_path, epochs=3, patience=0, baselines=False)).summary["steps"] == 3 * STEPS


@pytest.mark.slow
def test_a_resumed_run_counts_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two evaluations without improvement before the run is cut off, one after."""
    caplog.set_level(logging.INFO)
    scores(monkeypatch, 0.5)
    losses(monkeypatch, 1.0)
    options: dict[str, Any] = job(tmp_path, epochs=9, patience=3, baselines=False)
    with pytest.raises(RuntimeError, match="power cut"):
        fine_tune(**options, callbacks=[At(3 * STEPS + 2, power_cut)])
    result = fine_tune(**options, resume=True)
    assert result.summary["steps"] == 4 * STEPS
    assert "stopped early: no improvement in 3 evaluations (--patience)" in caplog.messages
