"""Interrupted and killed runs: stopping on a signal, resuming bit for bit."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock
from helpers import (
    job,
    largest_difference,
    tree,
    weights,
)
from helpers_training import STEPS, At, Masks, Watch, ctrl_c, power_cut, scores

from ratsnlp_like.errors import InputError
from ratsnlp_like.training.finetune import FineTuneResult, Interrupted, fine_tune


class TestResume:
    @pytest.fixture(scope="class")
    def whole(self, tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
        """A run without interruption."""
        return fine_tune(**job(tmp_path_factory.mktemp("whole"), epochs=2))

    def check(self, resumed: FineTuneResult, whole: FineTuneResult) -> None:
        for folder in ("best", "last"):
            difference = largest_difference(weights(resumed.output / folder), weights(whole.output / folder))
            assert difference == 0, folder
        assert resumed.metrics == whole.metrics
        assert resumed.test_metrics == whole.test_metrics

    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize("batch", [1, 3, STEPS, STEPS + 1, STEPS + 4])
    def test_an_interrupted_run_ends_like_an_uninterrupted_one(
        self, tmp_path: Path, whole: FineTuneResult, batch: int
    ) -> None:
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        with pytest.raises(Interrupted, match=f"stopped at step {batch}; continue with: .* --resume"):
            fine_tune(**job(tmp_path, epochs=2), callbacks=[At(batch, ctrl_c)])
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        assert not (tmp_path / "run" / "result.json").exists()
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        self.check(resumed, whole)

    @pytest.mark.slow
    def test_counts_are_those_of_the_whole_run(self, tmp_path: Path, whole: FineTuneResult) -> None:
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, epochs=2), callbacks=[At(3, ctrl_c)])
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        for name in ("steps", "examples", "tokens"):
            assert resumed.summary[name] == whole.summary[name], name

    @pytest.mark.slow
    @pytest.mark.exhaustive
    @pytest.mark.parametrize("batch", [4, STEPS, STEPS + 2])  # 4 and 8 are evaluated, 6 ends an epoch
    def test_interrupted_where_evaluations_fall_within_epochs(self, tmp_path: Path, batch: int) -> None:
        own = {"epochs": 2, "eval_steps": 4}
        watch = Watch()
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own), callbacks=[watch])
        evaluated = watch.evaluated_after
        assert evaluated[:2] == [4, 8]
        watch = Watch()
        with pytest.raises(Interrupted, match=f"step {batch};"):
            fine_tune(**job(tmp_path, **own), callbacks=[At(batch, ctrl_c), watch])
        before = watch.evaluated_after
        watch = Watch()
        self.check(fine_tune(**job(tmp_path, **own), resume=True, callbacks=[watch]), whole)
        assert before + watch.evaluated_after == evaluated

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_interrupted_twice(self, tmp_path: Path, whole: FineTuneResult) -> None:
        with pytest.raises(Interrupted, match="step 2"):
            fine_tune(**job(tmp_path, epochs=2), callbacks=[At(2, ctrl_c)])
        with pytest.raises(Interrupted, match="step 4"):
            fine_tune(**job(tmp_path, epochs=2), resume=True, callbacks=[At(2, ctrl_c)])
        self.check(fine_tune(**job(tmp_path, epochs=2), resume=True), whole)

    @pytest.mark.slow
    def test_killed_after_an_epoch(self, tmp_path: Path, whole: FineTuneResult) -> None:
        with pytest.raises(RuntimeError, match="power cut"):
            fine_tune(**job(tmp_path, epochs=2), callbacks=[At(STEPS + 3, power_cut)])
        self.check(fine_tune(**job(tmp_path, epochs=2), resume=True), whole)

    @pytest.mark.slow
    def test_killed_after_an_evaluation_within_an_epoch(self, tmp_path: Path) -> None:
        watch = Watch()
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=2, eval_steps=4), callbacks=[watch])
        assert watch.evaluated_after == [4, 8, 12]
        with pytest.raises(RuntimeError, match="power cut"):
            fine_tune(**job(tmp_path, epochs=2, eval_steps=4), callbacks=[At(6, power_cut)])
        watch = Watch()
        resumed = fine_tune(**job(tmp_path, epochs=2, eval_steps=4), resume=True, callbacks=[watch])
        assert len(watch.rates) == 8
        assert watch.evaluated_after == [8, 12]
        self.check(resumed, whole)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_interrupted_while_gradients_are_accumulated(self, tmp_path: Path) -> None:
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", accumulate=3, epochs=2))
        with pytest.raises(Interrupted, match="stopped at step 1;"):  # at the end of the step that had begun
            fine_tune(**job(tmp_path, accumulate=3, epochs=2), callbacks=[At(2, ctrl_c)])
        self.check(fine_tune(**job(tmp_path, accumulate=3, epochs=2), resume=True), whole)

    @pytest.mark.slow
    @pytest.mark.exhaustive
    def test_interrupted_ner(self, tmp_path: Path) -> None:
        own = {"task": "ner", "corpus": "sample-ner", "epochs": 2}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own))
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, **own), callbacks=[At(4, ctrl_c)])
        self.check(fine_tune(**job(tmp_path, **own), resume=True), whole)

    @pytest.mark.slow
    @pytest.mark.exhaustive
    @pytest.mark.parametrize("first", [2, STEPS, STEPS + 2, 2 * STEPS])
    def test_a_finished_run_continues_with_more_steps(self, tmp_path: Path, first: int) -> None:
        own = {"epochs": 3, "schedule": "constant", "warmup": 0, "keep_state": True}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own, max_steps=3 * STEPS))
        fine_tune(**job(tmp_path, **own, max_steps=first))
        resumed = fine_tune(**job(tmp_path, **own, max_steps=3 * STEPS), resume=True)
        assert resumed.summary["steps"] == 3 * STEPS
        difference = largest_difference(weights(resumed.output / "last"), weights(whole.output / "last"))
        assert difference == 0

    @pytest.mark.slow
    @pytest.mark.parametrize("end", [ctrl_c, power_cut])
    def test_interrupted_masked_language_model(self, tmp_path: Path, end: Any) -> None:
        """Masks are drawn in every batch; a resumed run draws the same ones."""
        own = {"task": "masked-lm", "corpus": "sample-raw", "epochs": 2}
        watch = Masks()
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", **own), callbacks=[watch])
        before = Masks()
        with pytest.raises((Interrupted, RuntimeError)):
            fine_tune(**job(tmp_path, **own), callbacks=[At(STEPS + 3, end), before])
        after = Masks()
        began = time.perf_counter()
        resumed = fine_tune(**job(tmp_path, **own), resume=True, callbacks=[after])
        self.check(resumed, whole)
        # the clock of a run that is resumed within an epoch starts with that run
        assert resumed.summary["train_seconds"] < whole.summary["train_seconds"] + time.perf_counter() - began
        done = len(watch.seen) - len(after.seen)  # steps that were not saved are repeated
        assert STEPS <= done < STEPS + 4
        assert before.seen[:done] + after.seen == watch.seen
        assert len(set(watch.seen)) == len(watch.seen)

    @pytest.mark.slow
    def test_more_epochs(self, tmp_path: Path) -> None:
        own = {"schedule": "constant", "warmup": 0, "keep_state": True}
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=3, **own))
        fine_tune(**job(tmp_path, epochs=1, **own))
        resumed = fine_tune(**job(tmp_path, epochs=3, **own), resume=True)
        assert resumed.summary["steps"] == 3 * STEPS
        self.check(resumed, whole)
        assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["epochs"] == 3

    @pytest.mark.slow
    def test_the_best_of_before_stays_the_best(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scores(monkeypatch, 0.9, 0.1)
        with pytest.raises(Interrupted):
            fine_tune(**job(tmp_path, epochs=2), callbacks=[At(STEPS + 2, ctrl_c)])
        best = weights(tmp_path / "run" / "best")
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        assert largest_difference(weights(resumed.best), best) == 0

    @pytest.mark.slow
    def test_the_best_of_max_steps_stays_the_best(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        own = {"schedule": "constant", "warmup": 0, "keep_state": True}
        scores(monkeypatch, 0.9, 0.1)
        first = fine_tune(**job(tmp_path, max_steps=4, **own))
        best = weights(first.best)
        resumed = fine_tune(**job(tmp_path, max_steps=5, **own), resume=True)
        assert largest_difference(weights(resumed.best), best) == 0
        assert first.metrics == resumed.metrics

    @pytest.mark.slow
    def test_another_configuration_is_refused(self, tmp_path: Path) -> None:
        fine_tune(**job(tmp_path))
        before = tree(tmp_path / "run")
        with pytest.raises(InputError, match=r"learning_rate: 0.001 before, 0.002 now"):
            fine_tune(**job(tmp_path, learning_rate=2e-3), resume=True)
        assert tree(tmp_path / "run") == before

    @pytest.mark.slow
    def test_nothing_to_resume(self, tmp_path: Path) -> None:
        begun = fine_tune(**job(tmp_path), resume=True)
        assert begun.summary["steps"] == STEPS
        assert (tmp_path / "run" / "result.json").exists()

    @pytest.mark.slow
    def test_two_processes_never_train_into_one_folder(self, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir()
        with FileLock(tmp_path / "run" / ".lock"), pytest.raises(InputError, match="another process is training into"):
            fine_tune(**job(tmp_path))
        assert not (tmp_path / "run" / "config.yaml").exists()
        fine_tune(**job(tmp_path))  # the lock is released

    @pytest.mark.slow
    def test_a_finished_run_that_is_resumed_stays_as_it_is(self, tmp_path: Path) -> None:
        first = fine_tune(**job(tmp_path))
        before = weights(first.best)
        again = fine_tune(**job(tmp_path), resume=True)
        assert again.metrics == first.metrics
        assert largest_difference(weights(again.best), before) == 0
        assert again.summary["steps"] == STEPS
