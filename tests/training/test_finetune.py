"""fine_tune from end to end: several labels, windows, class weights."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from helpers import (
    CHECKPOINT,
    job,
    tokenizer,
    tsv,
    write,
)
from helpers_training import quiet_trainer, small_config

from ratsnlp_like.checkpoints.base import resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.corpora.samples import SampleSentiment
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.tasks.base import ExampleCounts
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import fine_tune
from ratsnlp_like.training.module import TaskModule


class TestSeveralLabels:
    @pytest.mark.slow
    def test_with_a_separator(self, tmp_path: Path) -> None:
        kinds = ["맛", "값,맛", "값", ""]
        corpus = tsv(tmp_path / "r.tsv", [(f"{i}번 글", kinds[i % 4]) for i in range(60)])
        result = fine_tune(**job(tmp_path, corpus=corpus, label_separator=","))
        assert result.predictor.task.multi_label
        assert result.predictor.labels == ["값", "맛"]
        assert set(result.metrics["per_class"]) == {"값", "맛"}
        predicted = result.predictor.with_options(threshold=0.01)("1번 글")
        assert predicted.label == ("값", "맛")
        assert sum(predicted.scores.values()) != pytest.approx(1)
        config = json.loads((result.best / "config.json").read_text())
        assert config["problem_type"] == "multi_label_classification"
        measured = evaluate(result.output, corpus=corpus, label_separator=",", cache_dir=tmp_path / "cache")
        assert set(result.metrics) == set(measured)

    @pytest.mark.slow
    def test_a_column_for_each_class(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 글", str(i % 2), str(i // 2 % 2)) for i in range(40)]
        corpus = tsv(tmp_path / "r.tsv", rows, header="text\t값\t맛")
        result = fine_tune(**job(tmp_path, corpus=corpus, label_column="값,맛"))
        assert result.predictor.task.multi_label
        assert result.predictor.labels == ["값", "맛"]
        assert sum(row["support"] for row in result.metrics["per_class"].values()) == 4  # of 4 rows: 10, 01, 11, 00

    @pytest.mark.slow
    def test_lists_in_jsonl(self, tmp_path: Path) -> None:
        lines = [json.dumps({"text": f"글 {i}", "label": [["a"], ["a", "b"], []][i % 3]}) for i in range(30)]
        result = fine_tune(**job(tmp_path, corpus=write(tmp_path / "r.jsonl", "\n".join(lines))))
        assert result.predictor.labels == ["a", "b"]
        assert result.predictor.task.multi_label

    @pytest.mark.slow
    def test_the_pipeline_of_transformers_agrees(self, tmp_path: Path) -> None:
        from transformers import pipeline

        lines = [json.dumps({"text": f"글 {i}", "label": [["a"], ["a", "b"]][i % 2]}) for i in range(30)]
        result = fine_tune(**job(tmp_path, corpus=write(tmp_path / "r.jsonl", "\n".join(lines))))
        (predicted,) = pipeline("text-classification", str(result.best), device="cpu")(["글 하나"], top_k=None)
        own = result.predictor("글 하나", temperature=1.0).scores  # before calibration
        assert {item["label"]: item["score"] for item in predicted} == pytest.approx(own, abs=1e-4)


class TestWindows:
    @pytest.mark.slow
    def test_from_end_to_end(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 손님의 길고 긴 이야기입니다 " * 6, "긍정" if i % 2 else "부정") for i in range(30)]
        own = {"corpus": tsv(tmp_path / "r.tsv", rows), "long_text": "windows", "max_length": 16}
        result = fine_tune(**job(tmp_path, limit_train=None, limit_eval=None, **own))
        sizes = result.summary["splits"]["validation"]
        assert sizes["windows"] > 2 * sizes["examples"]
        assert sizes["truncated_tokens"] == 0
        assert result.summary["examples"] == 27 < result.summary["windows"] / 2
        assert sum(row["support"] for row in result.metrics["per_class"].values()) == sizes["examples"] == 3

        text = rows[0][0]
        features = result.predictor.task.encode_inputs([TextExample(text)], tokenizer(), 16)
        model = result.predictor.model.eval()
        with torch.inference_mode():
            logits = [model(input_ids=torch.tensor([f["input_ids"]])).logits[0] for f in features]
        expected = torch.stack(logits).mean(0).softmax(0)
        scores_ = result.predictor(text, temperature=1.0).scores  # before calibration
        assert len(features) > 2
        assert [scores_["긍정"], scores_["부정"]] == pytest.approx(expected.tolist(), abs=1e-6)


def model_with(logits: list[list[float]]) -> Any:
    """Return a model with these outputs."""
    return lambda **inputs: SimpleNamespace(logits=torch.tensor(logits))


class TestClassWeights:
    def test_balanced(self) -> None:
        statistics = ExampleCounts(rows=10, empty=0, labels={"긍정": 8, "부정": 2})
        task = Classification(class_weights="balanced").fit(statistics, ["긍정", "부정"], [], None)
        assert task.class_weights == (10 / 2 / 8, 10 / 2 / 2)  # rows / classes / rows of the class

    def test_the_weighted_loss_is_that_of_torch(self) -> None:
        logits, labels = [[2.0, -1.0], [0.5, 0.0], [-1.0, 3.0]], torch.tensor([0, 1, 1])
        task = Classification(class_weights=(0.625, 2.5))
        expected = torch.nn.CrossEntropyLoss(weight=torch.tensor([0.625, 2.5]))(torch.tensor(logits), labels)
        assert float(task.loss(model_with(logits), {"labels": labels})) == pytest.approx(float(expected))
        plain = torch.nn.CrossEntropyLoss()(torch.tensor(logits), labels)
        assert float(Classification().loss(model_with(logits), {"labels": labels})) == pytest.approx(float(plain))

    def test_the_loss_of_several_labels_is_that_of_torch(self) -> None:
        logits, labels = [[2.0, -1.0], [0.5, 0.0]], torch.tensor([[1.0, 0.0], [1.0, 1.0]])
        expected = torch.nn.BCEWithLogitsLoss()(torch.tensor(logits), labels)
        task = Classification(multi_label=True)
        assert float(task.loss(model_with(logits), {"labels": labels})) == pytest.approx(float(expected))

    @pytest.mark.slow
    @pytest.mark.parametrize("weights", [None, (0.5, 3.0)])
    def test_the_loss_of_an_evaluation_does_not_depend_on_its_batches(
        self, tmp_path: Path, weights: tuple[float, ...] | None
    ) -> None:
        model = load_model(
            resolve(CHECKPOINT), small_config(), Classification().model_class(), vocabulary=4000, init="random"
        ).eval()
        task = Classification(class_weights=weights)
        found = []
        for size in (3, 64):
            data = TaskDataModule(
                task, SampleSentiment(), tokenizer(), cache=tmp_path, eval_batch_size=size, limit_eval=20
            )
            data.setup("fit")
            module = TaskModule(data.task, model, data.labels or [])
            quiet_trainer(tmp_path).validate(module, data, verbose=False)
            found.append(module.results)
        assert found[0]["loss"] == pytest.approx(found[1]["loss"], abs=1e-6)
        assert found[0]["confusion_matrix"] == found[1]["confusion_matrix"]

    @pytest.mark.slow
    def test_they_reach_the_saved_task(self, tmp_path: Path) -> None:
        rows = [(f"{i}번 글", "긍정" if i % 4 else "부정") for i in range(40)]
        result = fine_tune(**job(tmp_path, corpus=tsv(tmp_path / "r.tsv", rows), class_weights="balanced"))
        described = json.loads((result.best / "task.json").read_text())
        assert described["labels"] == ["긍정", "부정"]
        assert described["fields"]["class_weights"] == [pytest.approx(2 / 3), 2.0]
