"""States between evaluations, signals, data that change under a run, finished runs, equal figures."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import command, flags, job, largest_difference, python, tsv, weights
from helpers_training import STEPS, At, logged, power_cut, scores

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import Interrupted, fine_tune


class TestStates:
    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize("own", [{"save_steps": 2}, {"save_minutes": 1e-9}])
    def test_a_killed_run_continues_from_the_last_state(self, tmp_path: Path, own: dict[str, float]) -> None:
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole"))
        with pytest.raises(RuntimeError, match="power cut"):
            fine_tune(**job(tmp_path, **own), callbacks=[At(5, power_cut)])
        state = torch.load(tmp_path / "run" / "resume.ckpt", weights_only=True)
        assert state["global_step"] == 4
        assert not (tmp_path / "run" / "best").exists()
        resumed = fine_tune(**job(tmp_path, **own), resume=True)
        assert largest_difference(weights(resumed.best), weights(whole.best)) == 0
        assert resumed.metrics == whole.metrics

    @pytest.mark.slow
    def test_saving_changes_nothing(self, tmp_path: Path) -> None:
        plain = fine_tune(**job(tmp_path, output=tmp_path / "plain", accumulate=2))
        saving = fine_tune(**job(tmp_path, accumulate=2, save_steps=1))
        assert largest_difference(weights(plain.output / "last"), weights(saving.output / "last")) == 0

    @pytest.mark.slow
    def test_resuming_without_a_state_begins(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.training.run_folder.log.propagate", True)
        with pytest.raises(RuntimeError):
            fine_tune(**job(tmp_path), callbacks=[At(3, power_cut)])
        with caplog.at_level("INFO"):
            assert fine_tune(**job(tmp_path), resume=True).summary["steps"] == STEPS
        assert "no state was saved; training begins at the first step" in caplog.text


class TestSignals:
    @pytest.fixture
    def _hangup_is_not_ignored(self) -> Iterator[None]:
        """Restore the default where the tests themselves run under nohup."""
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        yield
        signal.signal(signal.SIGHUP, before)

    @pytest.mark.slow
    @pytest.mark.usefixtures("_hangup_is_not_ignored")
    def test_hangup(self, tmp_path: Path) -> None:
        before = signal.getsignal(signal.SIGHUP)
        with pytest.raises(Interrupted, match=r"stopped at step 2; continue with: .* --resume"):
            fine_tune(**job(tmp_path), callbacks=[At(2, lambda trainer: os.kill(os.getpid(), signal.SIGHUP))])
        assert signal.getsignal(signal.SIGHUP) == before
        assert fine_tune(**job(tmp_path), resume=True).summary["steps"] == STEPS

    @pytest.mark.slow
    def test_hangup_under_nohup(self, tmp_path: Path) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            result = fine_tune(**job(tmp_path), callbacks=[At(2, lambda t: os.kill(os.getpid(), signal.SIGHUP))])
        finally:
            signal.signal(signal.SIGHUP, before)
        assert result.summary["steps"] == STEPS


class TestOtherData:
    def corpus(self, tmp_path: Path, labels: str = "ab", more: int = 0) -> Path:
        rows = [(f"{i}번 손님의 말", labels[i % len(labels)]) for i in range(60 + more)]
        return tsv(tmp_path / "rows.tsv", rows)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("labels", "more", "message"),
        [
            ("abc", 0, r"labels: \['a', 'b'\] before, \['a', 'b', 'c'\] now"),
            ("cb", 0, r"labels: \['a', 'b'\] before, \['b', 'c'\] now"),
            ("ba", 0, "train: other content"),
            ("ab", 4, "train: other content"),
        ],
    )
    def test_it_is_refused(self, tmp_path: Path, labels: str, more: int, message: str) -> None:
        own = {"corpus": self.corpus(tmp_path), "limit_train": None, "epochs": 2}
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, **own), callbacks=[At(2, lambda t: os.kill(os.getpid(), signal.SIGINT))])
        self.corpus(tmp_path, labels, more)
        with pytest.raises(InputError, match=message) as caught:
            fine_tune(**job(tmp_path, **own), resume=True)
        assert "the data are not those that the run began with" in str(caught.value)
        self.corpus(tmp_path)
        fine_tune(**job(tmp_path, **own), resume=True)

    @pytest.mark.slow
    def test_a_finished_run(self, tmp_path: Path) -> None:
        own = {"corpus": self.corpus(tmp_path), "limit_train": None}
        fine_tune(**job(tmp_path, **own))
        self.corpus(tmp_path, "abc")
        with pytest.raises(InputError, match="the data are not those that the run began with"):
            fine_tune(**job(tmp_path, epochs=2, **own), resume=True)

    def test_a_changed_evaluation_corpus(self, tmp_path: Path) -> None:
        other = tsv(tmp_path / "other.tsv", [("좋은 말", "a"), ("나쁜 말", "b")])
        own = {"corpus": self.corpus(tmp_path), "eval_corpus": str(other), "limit_train": None}
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, **own), callbacks=[At(2, lambda t: os.kill(os.getpid(), signal.SIGINT))])
        tsv(tmp_path / "other.tsv", [("좋은 말", "a"), ("더 나쁜 말", "b")])
        with pytest.raises(InputError, match="validation: other content"):
            fine_tune(**job(tmp_path, **own), resume=True)


class TestFinishedRuns:
    @pytest.mark.slow
    def test_the_state_is_deleted(self, tmp_path: Path) -> None:
        first = fine_tune(**job(tmp_path))
        assert not (tmp_path / "run" / "resume.ckpt").exists()
        again = fine_tune(**job(tmp_path), resume=True)
        assert again.to_dict() == first.to_dict()
        with pytest.raises(InputError, match="its state was not kept to continue it with more epochs"):
            fine_tune(**job(tmp_path, epochs=2), resume=True)

    @pytest.mark.slow
    def test_the_state_is_kept(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path, keep_state=True))
        assert (tmp_path / "run" / "resume.ckpt").exists()
        assert fine_tune(**job(tmp_path, epochs=2), resume=True).summary["steps"] == 2 * STEPS


class TestFigures:
    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize("own", [{}, {"precision": "bf16-mixed"}, {"eval_batch_size": 5}])
    def test_evaluate_gives_them_digit_for_digit(self, tmp_path: Path, own: dict[str, Any]) -> None:
        result = fine_tune(**job(tmp_path, limit_eval=21, **own))
        assert result.summary["evaluation_precision"] == "32"
        for split, expected in (("validation", result.metrics), ("test", result.test_metrics)):
            assert evaluate(result.output, split=split) == expected
        assert evaluate(result.output) == result.test_metrics
        assert json.loads((result.best / "metrics.json").read_text())["test"] == result.test_metrics

    @pytest.mark.slow
    def test_the_held_out_rows_of_a_file(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 손님의 말", "ab"[i % 2], str(i)) for i in range(80)]
        path = tsv(tmp_path / "rows.tsv", rows, "본문\t분류\tid")
        own = {"corpus": path, "text_column": "본문", "label_column": "분류", "limit_train": None, "limit_eval": None}
        result = fine_tune(**job(tmp_path, **own))
        measured = evaluate(result.output)
        assert measured == result.metrics == evaluate(result.best, split="validation")
        assert sum(map(sum, measured["confusion_matrix"]["matrix"])) == 8
        assert sum(map(sum, evaluate(result.output, split="train")["confusion_matrix"]["matrix"])) == 72
        with pytest.raises(InputError, match="the run has no split 'test'"):
            evaluate(result.output, split="test")
        with pytest.raises(InputError, match="no split 'validation'"):
            evaluate(result.output, corpus=path, split="validation")
        tsv(tmp_path / "rows.tsv", rows[:-1], "본문\t분류\tid")
        with pytest.raises(InputError, match="has changed since the run"):
            evaluate(result.output)

    @pytest.mark.slow
    def test_a_model_folder_elsewhere_needs_a_corpus(self, tmp_path: Path) -> None:
        result = fine_tune(**job(tmp_path))
        result.predictor.save_pretrained(tmp_path / "elsewhere" / "model")
        with pytest.raises(InputError, match="not a run folder") as caught:
            evaluate(tmp_path / "elsewhere" / "model")
        assert "--corpus" in str(caught.value)

    @pytest.mark.slow
    def test_the_rows_of_an_evaluation_corpus(self, tmp_path: Path) -> None:
        other = tsv(tmp_path / "other.tsv", [("좋은 말", "긍정"), ("나쁜 말", "부정"), ("또 좋은 말", "긍정")])
        result = fine_tune(**job(tmp_path, eval_corpus=str(other)))
        assert evaluate(result.output) == result.metrics


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_first_metric_that_is_not_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores(monkeypatch, math.nan, 0.4, 0.2)
    result = fine_tune(**job(tmp_path, epochs=3, monitor_mode="max"))
    saved = json.loads((result.output / "last" / "metrics.json").read_text())
    assert saved["validation"]["macro_f1"] == 0.2
    assert largest_difference(weights(result.best), weights(result.output / "last")) > 0
    assert len(logged(result.output, "validation/loss")) == 3
    first = fine_tune(**job(tmp_path, output=tmp_path / "first"))
    assert largest_difference(weights(result.best), weights(first.best)) > 0


@pytest.mark.slow
def test_a_class_of_weight_0(tmp_path: Path) -> None:
    """A batch of this class alone has loss 0; it was 0 / 0."""
    rows = [(f"{i}번 글", "a" if i % 4 else "b") for i in range(40)]
    result = fine_tune(**job(tmp_path, corpus=tsv(tmp_path / "r.tsv", rows), class_weights=(0.0, 1.0), batch_size=1))
    assert math.isfinite(result.metrics["loss"])
    assert all(torch.isfinite(value).all() for value in weights(result.best).values())


class TestLabelSmoothing:
    def test_the_loss_is_that_of_torch(self) -> None:
        logits, labels = torch.tensor([[2.0, -1.0, 0.0], [0.5, 0.0, 1.0]]), torch.tensor([0, 2])
        outputs = type("Outputs", (), {"logits": logits})
        for class_weights in (None, (0.5, 1.0, 2.0)):
            weight = None if class_weights is None else torch.tensor(class_weights)
            expected = torch.nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1)(logits, labels)
            task = Classification(label_smoothing=0.1, class_weights=class_weights)
            assert float(task.compute_loss(outputs, {"labels": labels})) == pytest.approx(float(expected))

    def test_several_labels(self) -> None:
        logits, labels = torch.tensor([[2.0, -1.0]]), torch.tensor([[1.0, 0.0]])
        outputs = type("Outputs", (), {"logits": logits})
        expected = torch.nn.BCEWithLogitsLoss()(logits, torch.tensor([[0.95, 0.05]]))
        task = Classification(label_smoothing=0.1, multi_label=True)
        assert float(task.compute_loss(outputs, {"labels": labels})) == pytest.approx(float(expected))

    @pytest.mark.parametrize("value", [-0.1, 1.0])
    def test_its_range(self, value: float) -> None:
        with pytest.raises(InputError, match="--label_smoothing"):
            Classification(label_smoothing=value)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["ddp_spawn", "ddp_notebook", "ddp_fork"])
def test_strategies_that_lose_their_results(tmp_path: Path, strategy: str) -> None:
    with pytest.raises(InputError, match=f"{strategy} trains in copies of this process"):
        TrainingArguments(strategy=strategy)
    done = command(flags(tmp_path, strategy=strategy, devices=2))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.count("--strategy") >= 1


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_kill_in_the_first_epoch(tmp_path: Path) -> None:
    """A process that is killed between two states loses the steps after the last one."""
    code = """
import os, signal, sys
from pathlib import Path
from helpers import job
from helpers_training import At
from ratsnlp_like.training.finetune import fine_tune
kill = At(5, lambda trainer: os.kill(os.getpid(), signal.SIGKILL))
fine_tune(**job(Path(sys.argv[1]), save_steps=3), callbacks=[kill])
"""
    assert python(code, tmp_path).returncode == -signal.SIGKILL
    state = torch.load(tmp_path / "run" / "resume.ckpt", weights_only=True)
    assert state["global_step"] == 3
    whole = fine_tune(**job(tmp_path, output=tmp_path / "whole"))
    resumed = fine_tune(**job(tmp_path, save_steps=3), resume=True)
    assert largest_difference(weights(resumed.best), weights(whole.best)) == 0
