"""TaskModule: checks of the loss, and TaskModule with TaskDataModule under another Lightning trainer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from helpers import (
    CHECKPOINT,
    job,
    tokenizer,
    tsv,
    weights,
)
from helpers_training import STEPS, quiet_trainer, small_config

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.checkpoints.base import resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.corpora.samples import SampleNer, SampleSentiment
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import TrainingError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.module import TaskModule


class TestLoss:
    def broken(self, monkeypatch: pytest.MonkeyPatch, batch: int, factor: float) -> None:
        """Multiply the loss by a factor from this batch on."""
        loss, seen = Classification.loss, []

        def lost(*arguments: Any) -> torch.Tensor:
            seen.append(1)
            return loss(*arguments) * (factor if len(seen) >= batch else 1.0)

        monkeypatch.setattr(Classification, "loss", lost)

    @pytest.mark.parametrize("factor", [math.nan, math.inf])
    def test_a_loss_that_is_no_number(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
        rows = [(f"{i}번 글", "긍정" if i % 2 else "부정") for i in range(22)]
        corpus = tsv(tmp_path / "r.tsv", rows)  # 2 rows are held out, 5 batches of 4 are trained on
        self.broken(monkeypatch, 3, factor)
        with pytest.raises(TrainingError) as caught:
            fine_tune(**job(tmp_path, corpus=corpus, batch_size=4, limit_train=None, limit_eval=None))
        message = str(caught.value)
        assert f"the loss is {factor} at step 2" in message
        lines = re.findall(re.escape(str(corpus)) + r", line (\d+)", message)
        assert len(set(lines)) == 4
        assert all(2 <= int(line) <= 23 for line in lines)
        assert "--learning_rate (now 0.001)" in message

    @pytest.mark.slow
    def test_the_best_of_before_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, STEPS + 2, math.nan)
        with pytest.raises(TrainingError):
            fine_tune(**job(tmp_path, epochs=2))
        assert all(torch.isfinite(value).all() for value in weights(tmp_path / "run" / "best").values())
        assert Predictor.from_pretrained(tmp_path / "run")("좋아요").label in {"긍정", "부정"}
        assert not (tmp_path / "run" / "result.json").exists()

    @pytest.mark.slow
    def test_a_loss_that_explodes(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, 12, 100)
        with pytest.raises(
            TrainingError, match=r"the loss is \d+\.?\d* at step 11 \(it was 0\.\d+ in the first steps\)"
        ):
            fine_tune(**job(tmp_path, epochs=2))

    @pytest.mark.slow
    def test_a_loss_that_grows_a_little(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.broken(monkeypatch, 11, 3)
        assert fine_tune(**job(tmp_path, epochs=2)).summary["steps"] == 12


class TestOwnTrainer:
    """TaskDataModule and TaskModule under another Lightning trainer."""

    @pytest.mark.slow
    @pytest.mark.parametrize("kind", [Classification, Ner])
    def test_three_lines(self, tmp_path: Path, kind: Any) -> None:
        corpus = SampleSentiment() if kind is Classification else SampleNer()
        data = TaskDataModule(kind(), corpus, tokenizer(), cache=tmp_path / "cache", limit_train=32, limit_eval=16)
        data.setup("fit")
        config = small_config()
        data.task.configure(config, data.labels or [])
        model = load_model(resolve(CHECKPOINT), config, kind().model_class(), vocabulary=4000, init="random")

        module = TaskModule(data.task, model, data.labels or [])
        trainer = pl.Trainer(max_epochs=2, accelerator="cpu", default_root_dir=tmp_path, enable_progress_bar=False)
        trainer.fit(module, data)

        assert trainer.global_step == 2
        assert 0 <= float(trainer.callback_metrics[f"validation/{kind.best_metric}"]) <= 1
        assert math.isfinite(float(trainer.callback_metrics["validation/loss"]))
        trainer.test(module, data, verbose=False)
        assert f"test/{kind.best_metric}" in trainer.callback_metrics

    @pytest.mark.slow
    def test_a_checkpoint_callback_of_lightning(self, tmp_path: Path) -> None:
        data = TaskDataModule(
            Classification(), SampleSentiment(), tokenizer(), cache=tmp_path / "cache", limit_train=32
        )
        data.setup("fit")
        model = load_model(
            resolve(CHECKPOINT), small_config(), Classification().model_class(), vocabulary=4000, init="random"
        )
        module = TaskModule(data.task, model, data.labels or [], TrainingArguments(learning_rate=1e-3))
        keep = pl.callbacks.ModelCheckpoint(tmp_path / "kept", monitor="validation/macro_f1", mode="max")
        trainer = quiet_trainer(tmp_path, max_epochs=1, enable_checkpointing=True, callbacks=[keep])
        trainer.fit(module, data)
        state = torch.load(keep.best_model_path, weights_only=True)
        assert "model.classifier.weight" in state["state_dict"]

    def test_predictor_of_an_own_model(self, tmp_path: Path) -> None:
        config = small_config()
        Classification().configure(config, ["긍정", "부정"])
        model = load_model(resolve(CHECKPOINT), config, Classification().model_class(), vocabulary=4000, init="random")
        predictor = Predictor(Classification(), model, tokenizer(), ["긍정", "부정"])
        assert predictor("좋아요") == predictor("좋아요")  # dropout is off
        predictor.save_pretrained(tmp_path / "own")
        assert Predictor.from_pretrained(tmp_path / "own")("좋아요").scores == pytest.approx(predictor("좋아요").scores)

    @pytest.mark.slow
    def test_a_custom_corpus(self, tmp_path: Path) -> None:
        from ratsnlp_like.corpora.base import Corpus

        class Own(Corpus):
            example, task = TextExample, "classification"

            def splits(self, root: Path) -> tuple[str, ...]:
                return ("train",)

            def rows(self, root: Path, split: str) -> Iterator[Any]:
                from ratsnlp_like.corpora.formats import Row

                for i in range(30):
                    yield Row({"text": f"글 {i}", "label": "ab"[i % 2]}, Place("own", i + 1))

            def fingerprint(self, root: Path, split: str) -> str:
                return "own 1"

        result = fine_tune(**job(tmp_path, corpus=Own()))
        assert result.predictor.labels == ["a", "b"]
        assert result.summary["splits"]["train"]["examples"] == 27
