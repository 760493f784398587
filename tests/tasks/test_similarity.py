"""Similarity: metrics, the scale, the loss."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.pair import ScoredPairExample
from ratsnlp_like.metrics.similarity import similarity_scores
from ratsnlp_like.tasks.base import ExampleCounts, Window
from ratsnlp_like.tasks.similarity import ScorePrediction, Similarity

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


class TestSimilarity:
    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("seed", range(20))
    def test_equals_scipy_and_scikit_learn(self, seed: int) -> None:
        from scipy.stats import pearsonr, spearmanr
        from sklearn.metrics import f1_score

        dice = random.Random(seed)
        size = dice.randint(2, 60)
        gold = [1.0, 4.0, *(dice.choice([0, 0.5, 1, 2.4, 3, 3.6, 5]) for _ in range(size))]  # many ties
        predicted = [
            0.0,
            2.0,
            *(round(dice.uniform(0, 5), 1) if seed % 2 else float(dice.randint(0, 5)) for _ in gold[2:]),
        ]
        threshold = dice.choice([1.0, 3.0, 3.5])
        result = similarity_scores(gold, predicted, threshold)
        assert result["pearson"] == near(pearsonr(gold, predicted).statistic)
        assert result["spearman"] == near(spearmanr(gold, predicted).statistic)
        right, found = np.array(gold) >= threshold, np.array(predicted) >= threshold
        assert result["f1_at_threshold"] == near(f1_score(right, found, zero_division=0))

    def test_by_hand(self) -> None:
        # deviations -1 0 1 and -1 1 0: covariance 1, variances 2 and 2; the ranks are the same numbers
        result = similarity_scores([1, 2, 3], [2, 4, 3], threshold=3)
        assert result["pearson"] == near(1 / 2)
        assert result["spearman"] == near(1 / 2)
        assert result["f1_at_threshold"] == near(2 * 1 / (1 + 2))  # a score of 3 is a paraphrase

    @pytest.mark.parametrize(("gold", "predicted"), [([1, 2, 3], [2, 2, 2]), ([4, 4], [1, 5]), ([1], [1]), ([], [])])
    @pytest.mark.filterwarnings("error")
    def test_constant_scores(self, gold: list[float], predicted: list[float]) -> None:
        result = similarity_scores(gold, predicted, 3.0)
        assert (result["pearson"], result["spearman"]) == (0, 0)

    def test_no_paraphrases(self) -> None:
        assert similarity_scores([1, 2], [2, 1], 3.0) == near({"pearson": -1, "spearman": -1, "f1_at_threshold": 0})

    def test_unequal_lengths(self) -> None:
        with pytest.raises(ValueError, match="gold has 2, predicted has 1"):
            similarity_scores([1, 2], [1], 3.0)

    def test_the_threshold_of_the_task(self) -> None:
        examples = [ScoredPairExample("가", "나", score) for score in (1.0, 2.0, 4.0)]
        predictions = [ScorePrediction(score) for score in (2.5, 1.0, 4.0)]
        assert Similarity().score(predictions, examples, [])["f1_at_threshold"] == 1
        assert Similarity(threshold=2.0).score(predictions, examples, [])["f1_at_threshold"] == 2 * 1 / (2 + 2)

    @pytest.mark.parametrize(
        ("raw", "score"), [(0.0, 1.0), (0.5, 2.0), (1.0, 3.0), (-0.5, 1.0), (7.0, 3.0), (0.25, 1.5)]
    )
    def test_decode(self, raw: float, score: float) -> None:
        prediction = Similarity(lowest=1, highest=3).decode(ScoredPairExample("", ""), [Window({}, raw)], [])
        assert prediction == ScorePrediction(near(score))

    @pytest.mark.parametrize(("lowest", "highest"), [(5, 0), (1, 1)])
    def test_no_range(self, lowest: float, highest: float) -> None:
        with pytest.raises(InputError, match=f"--lowest, --highest: scores from {lowest} to {highest}"):
            Similarity(lowest=lowest, highest=highest)

    @pytest.mark.parametrize("threshold", [17.0, 0.0, -1.0])
    def test_a_threshold_outside_the_scale(self, threshold: float) -> None:
        with pytest.raises(InputError, match=r"--threshold: .*\n.*above 0.0, at most 5.0"):
            Similarity(threshold=threshold)

    def test_the_default_threshold_scales(self) -> None:
        examples = [ScoredPairExample("가", "나", score) for score in (0.2, 0.7)]
        predictions = [ScorePrediction(score) for score in (0.59, 0.61)]
        assert Similarity(highest=1.0).score(predictions, examples, [])["f1_at_threshold"] == 1

    @pytest.mark.parametrize("score", [-0.1, 5.1, None])
    def test_a_score_out_of_range(self, score: float | None, tiny_tokenizer: Any) -> None:
        row = ScoredPairExample("가", "나", score, place=Place("sts.tsv", 12))
        with pytest.raises(InputError) as caught:
            Similarity().encode([row], tiny_tokenizer, [], 16)
        message = str(caught.value)
        assert message.startswith(f"sts.tsv, line 12: the score is {score}\n")
        assert "from 0.0 to 5.0" in message
        assert "--lowest and --highest" in message
        with pytest.raises(InputError, match=r"sts\.tsv, line 12"):
            Similarity().fit(ExampleCounts(rows=2, empty=0), [], [row], tiny_tokenizer)

    def test_scores_that_are_all_equal(self, tiny_tokenizer: Any) -> None:
        rows = [ScoredPairExample("가", "나", 2.5)] * 3
        with pytest.raises(InputError, match="all training rows have one score"):
            Similarity().fit(ExampleCounts(rows=3, empty=0), [], rows, tiny_tokenizer)
        differ = [*rows, ScoredPairExample("가", "나", 2.6)]
        assert Similarity().fit(ExampleCounts(rows=4, empty=0), [], differ, tiny_tokenizer) == Similarity()

    def test_loss(self, tiny_tokenizer: Any, tiny_model_folder: Callable[..., Path]) -> None:
        """The mean of the squared differences of the raw outputs."""
        import torch
        from transformers import AutoModelForSequenceClassification

        task = Similarity()
        model = AutoModelForSequenceClassification.from_pretrained(tiny_model_folder(), num_labels=1).eval()
        pairs = [ScoredPairExample("가 나", "다", 5.0), ScoredPairExample("고", "공 구 국", 1.0)]
        batch = task.collate(task.encode(pairs, tiny_tokenizer, [], 16), tiny_tokenizer)
        with torch.inference_mode():
            output = task.evaluate_batch(model, batch)
            loss = float(task.loss(model, batch))
        expected = ((output.raw[0] - 1.0) ** 2 + (output.raw[1] - 0.2) ** 2) / 2
        assert loss == near(float(expected))
        assert (float(output.loss), output.targets) == (near(loss), 2)
