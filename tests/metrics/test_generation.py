"""chrF and its statistics against sacreBLEU."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pytest
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from ratsnlp_like.metrics.bootstrap import percentiles, resampled_scores
from ratsnlp_like.metrics.generation import chrf_statistics, generation_scores
from ratsnlp_like.metrics.significance import randomization_test


class TestChrf:
    REFERENCES: ClassVar = [["오늘 정말 좋았다", "참 좋았다"], ["또 보고 싶다"], ["가"], ["나쁘지 않다"], [""]]
    TEXTS: ClassVar = ["정말 좋았어", "또 보고 싶어", "", "나쁘다 않다 나쁘지", "없다"]

    @staticmethod
    def sacrebleu(references: list[list[str]], texts: list[str]) -> float:
        most = max(map(len, references))
        streams: Any = [[own[k] if k < len(own) else None for own in references] for k in range(most)]
        return CHRF().corpus_score(texts, streams).score / 100

    def test_as_sacrebleu(self) -> None:
        expected = self.sacrebleu(self.REFERENCES, self.TEXTS)
        assert 0.2 < expected < 0.8
        assert generation_scores(self.REFERENCES, self.TEXTS)["chrf"] == pytest.approx(expected, abs=1e-12)
        for own, text in zip(self.REFERENCES, self.TEXTS, strict=True):
            one = chrf_statistics([own], [text]).observed()["chrf"]
            assert one == pytest.approx(self.sacrebleu([own], [text]), abs=1e-12)

    def test_tests_as_sacrebleu(self) -> None:
        """Approximate randomisation of two models, and the half width of the bootstrap interval."""
        words = ["오늘", "영화", "정말", "좋았다", "나빴다", "배우", "연기", "다시", "보고", "싶다", "그냥", "그랬다"]
        rng = random.Random(1)
        gold = [rng.choices(words, k=6) for _ in range(60)]
        first, second = (
            [" ".join(rng.choice(words) if rng.random() < share else word for word in own) for own in gold]
            for share in (0.45, 0.6)
        )
        references = [[" ".join(own)] for own in gold]
        systems = [("first", first), ("second", second)]
        _, found = PairedTest(
            systems, {"chrf": CHRF()}, [[own for (own,) in references]], "ar", 4000, n_ar_confidence=2000
        )()
        theirs: Any = found["chrF2"][1]
        ours = [chrf_statistics(references, texts) for texts in (first, second)]
        assert randomization_test(*ours)["chrf"] == pytest.approx(theirs.p_value, abs=0.02)
        assert 0.001 < theirs.p_value < 0.5
        low, high = percentiles(resampled_scores([ours[1]])[0]["chrf"])
        assert (high - low) / 2 == pytest.approx(theirs.ci / 100, rel=0.08)
