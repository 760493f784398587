"""The verdict after training: baselines are fitted on the training rows, and the line states what to try."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from helpers import job

from ratsnlp_like.arguments import TrainingArguments
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.metrics.baselines import tfidf_classes
from ratsnlp_like.tasks.sequence_classifier import ClassPrediction
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune
from ratsnlp_like.training.verdict import Baseline, Verdict, judge


def rows(path: Path, number: int, *, first: int = 0) -> Path:
    kinds = [("정말 좋아요", "긍정") if k % 3 else ("아주 별로예요", "부정") for k in range(first, first + number)]
    lines = [f"{k}번 손님 {text}\t{label}\n" for k, (text, label) in enumerate(kinds, first)]
    path.write_text("text\tlabel\n" + "".join(lines), encoding="utf-8")
    return path


class Seen:
    """Records what the TF-IDF baseline is fitted on."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, train: list[tuple[str]], labels: list[str], texts: list[tuple[str]]) -> list[str]:
        self.texts = [text for (text,) in train]
        return tfidf_classes(train, labels, texts)


@pytest.mark.slow
def test_a_weak_model_is_no_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two steps teach nothing, and the words decide the class."""
    seen = Seen()
    monkeypatch.setattr("ratsnlp_like.metrics.baselines.tfidf_classes", seen)
    train, held_out = rows(tmp_path / "train.tsv", 90), rows(tmp_path / "eval.tsv", 60, first=1000)
    result = fine_tune(**job(tmp_path, corpus=train, eval_corpus=str(held_out), max_steps=2, limit_eval=None))
    assert result.verdict is not None
    assert set(seen.texts) <= set(texts_of(train)) - set(texts_of(held_out))
    assert len(seen.texts) == 48  # limit_train
    by_name = {baseline.name: baseline for baseline in result.verdict.baselines}
    assert by_name["TF-IDF and logistic regression"].score == 1.0
    assert not by_name["TF-IDF and logistic regression"].beaten
    text = str(result.verdict)
    assert text.startswith(f"macro_f1 {result.metrics['macro_f1']:.4f} is no better than ")
    assert "try --learning_rate 0.01" not in text  # 1e-3 is high already
    assert "--epochs" in text
    stored = json.loads((result.output / "result.json").read_text())["verdict"]
    assert stored["text"] == text
    assert {own["name"] for own in stored["baselines"]} == set(by_name)


def texts_of(path: Path) -> list[str]:
    return [line.split("\t")[0] for line in path.read_text("utf-8").splitlines()[1:]]


class Stop(pl.Callback):
    """Ends training after the first epoch, as early stopping does."""

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = True


@pytest.mark.slow
def test_a_weak_model_that_stopped_early(tmp_path: Path) -> None:
    train, held_out = rows(tmp_path / "train.tsv", 90), rows(tmp_path / "eval.tsv", 60, first=1000)
    options = job(tmp_path, corpus=train, eval_corpus=str(held_out), limit_eval=None) | {"epochs": 9, "warmup": 1.0}
    result = fine_tune(**options, callbacks=[Stop()])
    assert result.summary["steps"] == 48 / 8
    assert result.verdict is not None
    assert result.verdict.relation == "no better than"
    assert result.verdict.advice == ("more examples, or another --checkpoint",)


@pytest.mark.slow
def test_the_flag_turns_it_off(tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path, max_steps=1, baselines=False))
    assert result.verdict is None
    assert json.loads((result.output / "result.json").read_text())["verdict"] is None


@pytest.mark.slow
def test_a_good_model_is_better(classifier: FineTuneResult, tmp_path: Path) -> None:
    """A model that is always right, on 40 rows of which half have the other class."""
    data = data_of(classifier, tmp_path)
    examples = list(data.train.examples())[:40]
    predictions = [ClassPrediction(str(example.label), 1.0, {}) for example in examples]
    verdict = judge_of(classifier.predictor, data, predictions, examples)
    majority = next(own for own in verdict.baselines if own.name == "the most frequent label")
    assert majority.beaten
    assert majority.p is not None
    assert majority.p < 0.01
    assert verdict.advice == ()  # no model is better than one that is always right


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "advice"), [(20, "--epochs 30"), (None, "more examples, or another --checkpoint")])
def test_a_run_that_stopped_early_needs_no_more_epochs(
    steps: int | None, advice: str, classifier: FineTuneResult, tmp_path: Path
) -> None:
    """3 epochs of 20 steps are too few, unless scores no longer improved."""
    data = data_of(classifier, tmp_path)
    examples = list(data.train.examples())[:40]
    constant = [ClassPrediction("긍정", 1.0, {}) for _ in examples]
    arguments = TrainingArguments(epochs=3, learning_rate=0.01)
    metrics = classifier.predictor.task.score(constant, examples, classifier.predictor.labels)
    verdict = judge(classifier.predictor, data, constant, examples, metrics, arguments, steps=steps)
    assert verdict is not None
    assert verdict.advice == (advice,)


@pytest.mark.slow
def test_classes_that_are_never_predicted(classifier: FineTuneResult, tmp_path: Path) -> None:
    data = data_of(classifier, tmp_path)
    examples = list(data.train.examples())[:40]
    constant = [ClassPrediction("긍정", 1.0, {}) for _ in examples]
    verdict = judge_of(classifier.predictor, data, constant, examples)
    assert verdict.warnings == ("부정 is never predicted: --class_weights balanced",)
    assert str(verdict).endswith("; 부정 is never predicted: --class_weights balanced")
    assert "is no better than the most frequent label" in str(verdict)


def data_of(result: FineTuneResult, tmp_path: Path) -> TaskDataModule:
    from ratsnlp_like.corpora.opening import open_corpus
    from ratsnlp_like.examples.text import TextExample

    corpus = open_corpus("sample-sentiment", TextExample, "classification")
    data = TaskDataModule(result.predictor.task, corpus, result.predictor.tokenizer, cache=tmp_path / "cache")
    data.setup("fit")
    return data


def judge_of(predictor: Predictor, data: TaskDataModule, predictions: list, examples: list) -> Verdict:
    metrics = predictor.task.score(predictions, examples, predictor.labels)
    verdict = judge(predictor, data, predictions, examples, metrics, TrainingArguments(), steps=500)
    assert verdict is not None
    return verdict


def test_wording() -> None:
    close = Baseline("the mean score", 0.5, 0.2, better=True, beaten=False)
    far = Baseline("the first word", 0.1, 0.001, better=True, beaten=True)
    assert str(Verdict("pearson", 0.6, (close, far), ("--epochs 9",))) == (
        "pearson 0.6000 is not significantly better than the mean score (0.5000): try --epochs 9"
    )
    equal = Baseline("the most frequent label", 1.0, 1.0, better=False, beaten=False)
    assert (
        str(Verdict("accuracy", 1.0, (equal,), ())) == "accuracy 1.0000 is as good as the most frequent label (1.0000)"
    )
    assert Verdict("accuracy", 1.0, (equal,), ()).to_dict()["relation"] == "as good as"
    assert str(Verdict("pearson", 0.6, (far,), ())) == "pearson 0.6000 is better than the first word (0.1000)"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "corpus", "name"),
    [
        ("ner", "sample-ner", "the most frequent tag of each word"),
        ("similarity", "sample-sts", "the mean score"),
        ("question-answering", "sample-qa", "the first word"),
        ("masked-lm", "sample-raw", "the unigram distribution"),
        ("generation", "sample-prompts", "the unigram distribution"),
        ("pair", "sample-nli", "TF-IDF and logistic regression"),
    ],
)
def test_every_task_has_a_baseline(task: str, corpus: str, name: str, tmp_path: Path) -> None:
    options: dict[str, Any] = {"max_length": 96} if task == "question-answering" else {}
    options |= {"checkpoint": "ko-tiny-gpt", "config_overrides": {}, "max_length": 96} if task == "generation" else {}
    result = fine_tune(**job(tmp_path, task=task, corpus=corpus, max_steps=1, limit_train=16, **options))
    assert result.verdict is not None
    assert name in [baseline.name for baseline in result.verdict.baselines]
    assert result.verdict.metric == result.predictor.task.best_metric
