"""Predictor: inputs of every kind, batches, rows, precision."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from helpers import TEXTS, job

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.training.finetune import FineTuneResult, fine_tune


@pytest.fixture(scope="module")
def predictor(classifier: FineTuneResult) -> Predictor:
    return Predictor.from_pretrained(classifier.best)


def test_predictions_are_in_the_order_of_the_inputs(predictor: Predictor) -> None:
    forwards, backwards = predictor(TEXTS), predictor(TEXTS[::-1])
    assert [p.label for p in forwards] == [p.label for p in backwards[::-1]]
    assert [p.score for p in forwards] == pytest.approx([p.score for p in backwards[::-1]], abs=1e-5)
    assert len({round(p.score, 6) for p in forwards}) > 15  # the model is no constant


def test_predictions_do_not_depend_on_the_batch_size(predictor: Predictor) -> None:
    one, many = predictor(TEXTS, batch_size=1), predictor(TEXTS, batch_size=32)
    assert [p.score for p in one] == pytest.approx([p.score for p in many], abs=1e-5)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_entities_do_not_depend_on_the_batch_size(recognizer: FineTuneResult) -> None:
    one, many = recognizer.predictor(TEXTS, batch_size=1), recognizer.predictor(TEXTS, batch_size=32)
    for a, b in zip(one, many, strict=True):
        assert [(e.start, e.end, e.label) for e in a.entities] == [(e.start, e.end, e.label) for e in b.entities]
        assert [e.score for e in a.entities] == pytest.approx([e.score for e in b.entities], abs=1e-5)


def test_one_text_gives_one_prediction(predictor: Predictor) -> None:
    assert predictor(TEXTS[0]).label == predictor([TEXTS[0]])[0].label


def test_empty_texts(predictor: Predictor, recognizer: FineTuneResult) -> None:
    assert predictor("").label in {"긍정", "부정"}
    assert len(predictor(["", " \t", "좋아요"])) == 3
    assert recognizer.predictor(["", " ", "\u200b"]) == [recognizer.predictor("")] * 3
    assert recognizer.predictor("").entities == ()


def test_an_empty_list(predictor: Predictor, recognizer: FineTuneResult) -> None:
    assert predictor([]) == []
    assert recognizer.predictor([]) == []
    assert list(predictor.rows([])) == []


def test_mappings_and_examples(predictor: Predictor) -> None:
    expected = predictor("좋아요")
    assert predictor({"text": "좋아요"}) == expected
    assert predictor(TextExample("좋아요", "부정")) == expected
    with pytest.raises(InputError, match="no field 'txt'"):
        predictor({"txt": "좋아요"})


def test_scores(predictor: Predictor) -> None:
    prediction = predictor("좋아요")
    assert set(prediction.scores) == {"긍정", "부정"}
    assert sum(prediction.scores.values()) == pytest.approx(1)
    assert prediction.score == max(prediction.scores.values()) == prediction.scores[prediction.label]  # type: ignore[index]


def test_entities_are_found_in_all_windows_of_a_long_text(recognizer: FineTuneResult) -> None:
    sentence = "김하늘은 부산에서 태어났다. "
    found = recognizer.predictor(sentence * 30).entities
    assert found
    assert found[-1].start > len(sentence) * 28
    assert all((sentence * 30)[e.start : e.end] == e.text for e in found)


def test_rows(predictor: Predictor, recognizer: FineTuneResult) -> None:
    (row,) = predictor.rows(["좋아요"])
    assert list(row) == ["text", "label", "score", "scores"]
    many = list(predictor.rows(map(str, range(50)), chunk_size=7))
    assert [row["text"] for row in many] == [str(i) for i in range(50)]
    (row,) = recognizer.predictor.rows(["김하늘은 부산에서"])
    assert list(row) == ["text", "entities"]


def test_saved_and_loaded(predictor: Predictor, tmp_path: Path) -> None:
    predictor.save_pretrained(tmp_path / "copy")
    assert Predictor.from_pretrained(tmp_path / "copy")(TEXTS) == predictor(TEXTS)


def test_bf16(classifier: FineTuneResult, recognizer: FineTuneResult, tmp_path: Path) -> None:
    for result in (classifier, recognizer):
        exact = Predictor.from_pretrained(result.best, device="cpu")
        half = Predictor.from_pretrained(result.best, device="cpu", precision="bf16")
        assert next(half.model.parameters()).dtype == torch.bfloat16
        texts = ["정말 재미있어요", "한빛전자는 3월에 새 공장을 연다"]
        features = exact.task.encode_inputs([exact.task.example.of(t) for t in texts], exact.tokenizer, 32)
        for one, other in zip(exact.raw_outputs(features), half.raw_outputs(features), strict=True):
            assert other == pytest.approx(one, abs=0.05)
            assert (other != one).any()
    with pytest.raises(InputError, match="auto, 32 or bf16"):
        Predictor.from_pretrained(classifier.best, precision="16")  # type: ignore[arg-type]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_normalization_is_saved_with_the_model(tmp_path: Path) -> None:
    own = {"task": "ner", "corpus": "sample-ner", "normalization": ("html", "nfc"), "learning_rate": 5e-3}
    result = fine_tune(**job(tmp_path, limit_train=None, epochs=3, **own))
    predictor = Predictor.from_pretrained(result.output)
    assert predictor.task.normalization == ("html", "nfc")
    text = "&lt;김하늘&gt;은 부산에서 한빛전자를 다닌다"
    assert all(text[e.start : e.end] == e.text for e in predictor(text).entities)
