"""Training on pairs, from a file to predictions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from helpers import TINY, job, tsv
from hypothesis import strategies as st

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.pair import PairExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.similarity import ScorePrediction
from ratsnlp_like.training.finetune import fine_tune

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


def same(one: list[Any], other: list[Any]) -> bool:
    """Whether predictions are alike but for the last digits."""
    if isinstance(one[0], ScorePrediction):
        return [p.score for p in one] == near([p.score for p in other], abs=1e-5)
    return [p.scores for p in one] == [near(p.scores, abs=1e-5) for p in other]


LIVELY = TINY | {"initializer_range": 0.5}
"""Random weights with a different output for each pair."""
TUPLES = [("비가 온다", "비가 내린다"), ("가게는 열 시에 연다", "문이 닫혀 있다"), ("가", "")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "corpus", "best", "metrics"),
    [
        ("pair", "sample-nli", "macro_f1", {"accuracy", "macro_f1", "micro_f1", "weighted_f1"}),
        ("similarity", "sample-sts", "pearson", {"pearson", "spearman", "f1_at_threshold"}),
    ],
)
def test_from_pairs_to_predictions(task: str, corpus: str, best: str, metrics: set[str], tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path, task=task, corpus=corpus, max_steps=2, config_overrides=LIVELY))
    assert result.summary["steps"] == 2
    assert metrics <= set(result.metrics)
    assert metrics <= set(result.test_metrics or {})
    assert result.predictor.task.best_metric == best
    predictor = result.predictor
    several = predictor(TUPLES)
    assert same([predictor(pair) for pair in TUPLES], several)
    assert same([predictor({"text": first, "text_pair": second}) for first, second in TUPLES], several)
    assert not same([predictor(("비가 내린다", "비가 온다"))], several[:1])  # the order of the texts matters
    if task == "similarity":
        assert all(0 <= prediction.score <= 5 for prediction in several)
        assert predictor.model.config.num_labels == 1
    else:
        assert predictor.labels == ["entailment", "contradiction", "neutral"]
        assert all(sum(prediction.scores.values()) == near(1) for prediction in several)
    for folder in (result.best, predictor.save_pretrained(tmp_path / "saved")):
        assert same(Predictor.from_pretrained(folder, device="cpu")(TUPLES), several)
    (row,) = predictor.rows([TUPLES[0]])
    assert (row["text"], row["text_pair"]) == TUPLES[0]


@pytest.mark.slow
def test_scores_of_another_range(tmp_path: Path) -> None:
    rows = [("가 나", "나 다", "-1"), ("다", "다", "1"), ("고", "가", "-0.5"), ("고", "고", "0.9")] * 4
    for split in ("train", "dev"):
        tsv(tmp_path / "own" / f"{split}.tsv", rows, "sentence1\tsentence2\tscore")
    changes = {"task": "similarity", "corpus": tmp_path / "own", "max_steps": 2}
    with pytest.raises(InputError, match=r"train\.tsv, line 2: the score is -1"):
        fine_tune(**job(tmp_path, **changes))
    result = fine_tune(**job(tmp_path, **changes, lowest=-1, highest=1, threshold=0.5, overwrite=True))
    assert -1 <= result.predictor(("가", "나")).score <= 1


class TestOneTokenType:
    """Of klue/roberta: the tokenizer gives 1 to the second text, but the model has one token type."""

    @pytest.fixture(params=["klue-roberta-base", "named-otherwise"])
    def folder(self, request: pytest.FixtureRequest, tmp_path: Path, tiny_tokenizer: Any) -> Path:
        """A checkpoint without weights."""
        from transformers import RobertaConfig

        folder = tmp_path / request.param
        sizes: dict[str, Any] = TINY | {"vocab_size": len(tiny_tokenizer), "max_position_embeddings": 66}
        RobertaConfig(**sizes, type_vocab_size=1, pad_token_id=0).save_pretrained(folder)
        tiny_tokenizer.save_pretrained(folder)
        return folder

    def check(self, folder: Path, tmp_path: Path, **overrides: Any) -> None:
        result = fine_tune(
            **job(
                tmp_path,
                task="pair",
                corpus="sample-nli",
                checkpoint=folder,
                max_steps=2,
                config_overrides=LIVELY | overrides,
            )
        )
        predictor = result.predictor
        assert predictor.model.config.model_type == "roberta"
        assert predictor.model.config.type_vocab_size == 1
        (features,) = predictor.task.encode_inputs([PairExample("가", "나")], predictor.tokenizer, 16)
        assert features.keys() == {"input_ids", "example", "lost"}
        assert same(Predictor.from_pretrained(result.best, device="cpu")(TUPLES), predictor(TUPLES))

    @pytest.mark.slow
    def test_it_trains_on_pairs(self, folder: Path, tmp_path: Path) -> None:
        self.check(folder, tmp_path)

    @pytest.mark.slow
    def test_the_real_configuration(self, tokenizers_root: Path, tmp_path: Path, tiny_tokenizer: Any) -> None:
        folder = tmp_path / "own"
        tiny_tokenizer.save_pretrained(folder)
        shutil.copy(tokenizers_root / "config_only" / "klue-roberta-base" / "config.json", folder)
        self.check(folder, tmp_path, max_position_embeddings=66)


@pytest.mark.slow
def test_rows_with_an_empty_text_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
    rows = [("비가 온다", "", "같음"), ("눈이 온다", "눈 온다", "같음"), ("해가 뜬다", "달이 뜬다", "다름")]
    path = tsv(tmp_path / "pairs.tsv", rows, header="text\ttext_pair\tlabel")
    fine_tune(**job(tmp_path, task="pair", corpus=path, eval_corpus=str(path), max_steps=1))
    assert f"train: 1 of 3 rows have an empty text, the first at {path}, line 2" in caplog.text
