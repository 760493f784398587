"""Checkpoints by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

import ratsnlp_like
from ratsnlp_like import InputError, Predictor, checkpoint_path, load_checkpoint, load_tokenizer
from ratsnlp_like.registry import TASKS


def test_path_and_tokenizer(tmp_path: Path) -> None:
    path = checkpoint_path("ko-tiny-bert")
    ids = load_tokenizer("ko-tiny-bert")("영화").input_ids
    assert AutoTokenizer.from_pretrained(path)("영화").input_ids == ids
    assert checkpoint_path("klue/bert-base") == "klue/bert-base"
    with pytest.raises(InputError, match="ko-tiny-bert"):
        checkpoint_path("ko-tiny-brt")


@pytest.mark.slow
def test_a_language_model_without_fine_tuning() -> None:
    loaded = load_checkpoint("ko-tiny-bert", "masked-lm", device="cpu")
    text = "배우들 [MASK]가 너무 어색했다"
    assert loaded(text).text == Predictor.from_pretrained("ko-tiny-bert", device="cpu")(text).text
    writer = load_checkpoint("ko-tiny-gpt", TASKS["causal-lm"](max_new_tokens=4), device="cpu")  # type: ignore[call-arg]
    (prediction,) = writer(["이 영화는"], sample=False)
    assert len(writer.tokenizer(prediction.continuations[0]).input_ids) <= 5
    with pytest.raises(InputError, match="fine-tuned"):
        load_checkpoint("ko-tiny-bert", "classification")


def test_all_public_names_exist() -> None:
    for name in ratsnlp_like.__all__:
        assert getattr(ratsnlp_like, name) is not None
