"""The best and the last model: which is kept, ties, a full disk."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from helpers import (
    job,
    largest_difference,
    python,
    tree,
    weights,
)
from helpers_training import STEPS, At, Watch, logged, scores

from ratsnlp_like.errors import InputError, is_full
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import fine_tune


class TestBest:
    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize(("maximize", "best"), [(True, 0.9), (False, 0.2)])
    def test_by_the_metric_and_its_direction(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, maximize: bool, best: float
    ) -> None:
        monkeypatch.setattr(Classification, "maximize", maximize)
        values = [0.5, 0.9, 0.2, 0.7]
        scores(monkeypatch, *values)
        states: list[dict[str, torch.Tensor]] = []

        class States(pl.Callback):
            def on_validation_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
                states.append({name: value.clone() for name, value in pl_module.model.state_dict().items()})

        result = fine_tune(**job(tmp_path, epochs=4), callbacks=[States()])
        kept = states[values.index(best)]
        assert all(torch.equal(value, kept[name]) for name, value in weights(result.best).items())
        assert all(torch.equal(value, states[-1][name]) for name, value in weights(result.output / "last").items())
        assert json.loads((result.output / "last" / "metrics.json").read_text())["validation"]["macro_f1"] == 0.7

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_ties_are_broken_by_the_loss(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        scores(monkeypatch, 0.5)
        result = fine_tune(**job(tmp_path, epochs=3, learning_rate=5e-3))
        losses = logged(result.output, "validation/loss")
        assert len(set(losses)) == 3
        assert result.metrics["loss"] == pytest.approx(min(losses), abs=1e-5)

    @pytest.mark.slow
    def test_evaluations_within_an_epoch(self, tmp_path: Path) -> None:
        watch = Watch()
        fine_tune(**job(tmp_path, epochs=2, eval_steps=5), callbacks=[watch])
        assert watch.evaluated_after == [5, 10, 12]  # the last steps too

    @pytest.mark.exhaustive
    @pytest.mark.slow
    @pytest.mark.parametrize("own", [{"max_steps": 4}, {"eval_steps": 100}], ids=["max_steps", "eval_steps"])
    def test_a_run_that_ends_before_an_evaluation_is_evaluated_at_its_end(
        self, tmp_path: Path, own: dict[str, int]
    ) -> None:
        result = fine_tune(**job(tmp_path, **own))
        assert result.summary["steps"] == own.get("max_steps", STEPS)
        assert (result.best / "model.safetensors").exists()
        assert 0 <= result.metrics["macro_f1"] <= 1
        assert largest_difference(weights(result.best), weights(result.output / "last")) == 0


class TestDiskFull:
    @pytest.fixture
    def fills_up(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
        """After so many models, the disk takes but half of one."""
        from transformers import BertForSequenceClassification

        left, save = [1], BertForSequenceClassification.save_pretrained

        def half(self: Any, folder: Path, **options: Any) -> None:
            left[0] -= 1
            save(self, folder, **options)
            if left[0] < 0:
                whole = (folder / "model.safetensors").read_bytes()
                (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
                raise OSError(errno.ENOSPC, "No space left on device", str(folder))

        monkeypatch.setattr(BertForSequenceClassification, "save_pretrained", half)
        return left  # type: ignore[return-value]

    @pytest.mark.slow
    def test_the_best_of_before_stays_whole(
        self, tmp_path: Path, fills_up: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scores(monkeypatch, 0.1, 0.2)
        fills_up[0] = 2  # best and last of the first epoch
        before: list[dict[str, bytes]] = []
        with pytest.raises(InputError, match="No space left on device") as caught:
            fine_tune(
                **job(tmp_path, epochs=2),
                callbacks=[At(STEPS + 1, lambda trainer: before.append(tree(tmp_path / "run" / "best")))],
            )
        assert caught.value.place == tmp_path / "run" / "best"
        assert tree(tmp_path / "run" / "best") == before[0]
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요").label in {"긍정", "부정"}
        assert {path.name for path in (tmp_path / "run").iterdir()} == {
            ".lock", "best", "last", "logs", "config.yaml", "resume.ckpt", "splits.json",
        }  # fmt: skip

    def test_the_first_model(self, tmp_path: Path, fills_up: list[int]) -> None:
        fills_up[0] = 0
        with pytest.raises(InputError, match="make room on the disk"):
            fine_tune(**job(tmp_path))
        assert {path.name for path in (tmp_path / "run").iterdir()} == {".lock", "logs", "config.yaml", "splits.json"}

    @pytest.mark.slow
    def test_resuming_with_free_space(self, tmp_path: Path, fills_up: list[int]) -> None:
        fills_up[0] = 100
        whole = fine_tune(**job(tmp_path, output=tmp_path / "whole", epochs=2))
        fills_up[0] = 2
        with pytest.raises(InputError):
            fine_tune(**job(tmp_path, epochs=2))
        fills_up[0] = 100
        resumed = fine_tune(**job(tmp_path, epochs=2), resume=True)
        assert largest_difference(weights(resumed.output / "last"), weights(whole.output / "last")) == 0

    @pytest.mark.slow
    def test_the_state_of_the_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(self: Any, path: Path, *arguments: Any, **options: Any) -> None:
            Path(path).write_bytes(b"half")
            raise RuntimeError(
                "[enforce fail at inline_container.cc:664] . PytorchStreamWriter failed: file write failed"
            )

        monkeypatch.setattr(pl.Trainer, "save_checkpoint", full)
        with pytest.raises(InputError, match=r"the state of the run cannot be written") as caught:
            fine_tune(**job(tmp_path))
        assert caught.value.place == tmp_path / "run" / "resume.ckpt"
        assert not list((tmp_path / "run").glob("resume*"))
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요")

    @pytest.mark.parametrize(
        ("error", "full"),
        [
            (OSError(errno.ENOSPC, "x"), True),
            (OSError(errno.EDQUOT, "x"), True),
            (OSError(errno.EFBIG, "x"), True),
            (RuntimeError("I/O error: No space left on device (os error 28)"), True),
            (OSError(errno.EACCES, "Permission denied"), False),
            (RuntimeError("shapes do not match"), False),
        ],
    )
    def test_errors_of_a_full_disk(self, error: Exception, full: bool) -> None:
        assert is_full(error) is full

    @pytest.mark.slow
    def test_a_real_limit(self, tmp_path: Path) -> None:
        """A limit on the size of files simulates a full disk; models are 0.6 MB, states 1.7 MB."""
        done = python(_LIMITED, tmp_path)
        assert done.returncode == 0, done.stderr
        outcomes = json.loads(done.stdout.splitlines()[-1])
        for limit, file in (("300000", "best"), ("1000000", "resume.ckpt")):
            message, same, label, left = outcomes[limit]
            assert message.startswith(f"{tmp_path / limit / file}: "), message
            assert "make room on the disk" in message
            assert same
            assert label in {"긍정", "부정"}
            assert [name for name in left if "partial" in name or "old" in name] == []


_LIMITED = """
import itertools, json, resource, sys
from pathlib import Path
import pytorch_lightning as pl
from helpers import job, tree
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.classification import Classification

class Limit(pl.Callback):
    def on_train_epoch_start(self, trainer, module):
        if trainer.current_epoch == 1:
            self.before = tree(self.run / "best")
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, resource.RLIM_INFINITY))

score, given = Classification.score, itertools.count()
Classification.score = lambda *a: score(*a) | {"macro_f1": next(given) / 100}
outcomes = {}
for limit in (300000, 1000000):
    callback = Limit()
    callback.limit, callback.run = limit, Path(sys.argv[1]) / str(limit)
    message = None
    try:
        fine_tune(**job(Path(sys.argv[1]), output=callback.run, epochs=2, schedule="constant"), callbacks=[callback])
    except InputError as error:
        message = str(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    same = tree(callback.run / "best")["model.safetensors"] == callback.before["model.safetensors"]
    label = Predictor.from_pretrained(callback.run)("좋아요").label
    left = [str(p) for p in callback.run.rglob("*")]
    outcomes[limit] = message, same if limit == 300000 else True, label, left
print(json.dumps(outcomes))
"""
