"""Confidence intervals in the results of every task."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.training.finetune import fine_tune

UNITS = {
    "classification": ("sample-sentiment", {}, "texts", {"accuracy", "macro_f1", "micro_f1", "weighted_f1"}),
    "ner": ("sample-ner", {}, "sentences", {"entity_f1", "klue_entity_f1", "klue_char_f1", "conll_f1"}),
    "similarity": ("sample-sts", {}, "pairs", {"pearson", "spearman", "f1_at_threshold"}),
    "question-answering": ("sample-qa", {"max_length": 96}, "documents", {"korquad_em", "char_f1"}),
    "generation": ("sample-prompts", {"eval_prompts": 0}, "texts", {"perplexity", "accuracy"}),
}


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("task", UNITS)
def test_every_score_has_an_interval(task: str, tmp_path: Path) -> None:
    corpus, options, unit, names = UNITS[task]
    options = {"cache_dir": tmp_path / "cache", "progress": False, **options}
    result = fine_tune(
        task=task,
        corpus=corpus,
        checkpoint="ko-tiny-gpt" if task == "generation" else "ko-blank-bert",
        output=tmp_path / "run",
        max_steps=1,
        limit_train=16,
        limit_eval=30,
        init="pretrained" if task == "generation" else "random",
        precision="32",
        **options,
    )
    assert result.test_metrics is not None
    for metrics in (result.metrics, result.test_metrics):
        assert names <= metrics["intervals"].keys()
        assert metrics["interval_settings"]["unit"] == unit
        for name, (low, high) in metrics["intervals"].items():
            assert low <= metrics[name] <= high, name
    assert result.predictor.metrics["test"]["intervals"] == result.test_metrics["intervals"]
    again = evaluate(tmp_path / "run", corpus=corpus, split="test", limit_eval=30, seed=7, **options)
    assert again["intervals"].keys() == result.test_metrics["intervals"].keys()
    for name in names:
        assert again["intervals"][name] == pytest.approx(result.test_metrics["intervals"][name], rel=1e-4), name
