"""The share of unknown tokens is counted and reported, with an example."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from helpers import tsv

from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.unknown import UnknownTokens, count_unknown, unknown_id

KNOWN = "안녕하세요 한국어 문장입니다"
STRANGE = "안녕하세요 (뷁) 한국어"
REPORT = "1 of 20 tokens (5.0%) are unknown to the tokenizer, such as '뷁'"


def test_special_tokens_are_no_tokens_of_a_text(tiny_tokenizer: Any) -> None:
    task, examples = Classification(), [TextExample(KNOWN), TextExample(STRANGE)]
    windows = task.encode_inputs(examples, tiny_tokenizer, 64)
    plain = [len(tokens.ids) for _, tokens in task.tokenize([KNOWN, STRANGE], tiny_tokenizer)]
    found = count_unknown(task, examples, windows, tiny_tokenizer)
    assert found.tokens == sum(plain)
    assert found.unknown == [i for window in windows for i in window["input_ids"]].count(1)
    assert found.word == "(뷁)"


def test_only_more_than_one_percent_is_reported() -> None:
    assert UnknownTokens(100, 1, "뷁").report() is None
    assert UnknownTokens().report() is None
    sum_ = UnknownTokens(19, 0) + UnknownTokens(1, 1, "뷁")
    assert str(sum_.report()).startswith(REPORT)


def test_an_unknown_token_with_another_role_is_not_counted(tiny_bpe_tokenizer: Any) -> None:
    tiny_bpe_tokenizer.unk_token = tiny_bpe_tokenizer.eos_token
    assert unknown_id(tiny_bpe_tokenizer) is None


def test_training_reports_it_once(
    tmp_path: Path, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
    rows = [(STRANGE, "긍정"), (KNOWN, "부정"), (STRANGE + " 뷁뷁", "긍정")]
    for name in ("a.tsv", "b.tsv"):
        tsv(tmp_path / name, rows)
    data = TaskDataModule(
        Classification(), tmp_path / "a.tsv", tiny_tokenizer, eval_corpus=tmp_path / "b.tsv", cache=tmp_path / "cache"
    )
    with caplog.at_level(logging.WARNING, "ratsnlp_like"):
        data.setup("fit")
    reports = [record.getMessage() for record in caplog.records if "unknown to the tokenizer" in record.getMessage()]
    assert len(reports) == 1
    assert reports[0].startswith("train: ")
    assert "such as '(뷁)'" in reports[0]


def test_a_predictor_counts_over_its_calls(tiny_tokenizer: Any, tiny_model_folder: Any) -> None:
    from transformers import AutoModelForSequenceClassification

    model = AutoModelForSequenceClassification.from_pretrained(tiny_model_folder(), num_labels=2)
    predictor = Predictor(Classification(), model, tiny_tokenizer, ["긍정", "부정"])
    predictor(KNOWN)
    assert predictor.unknown.report() is None
    predictor([KNOWN, STRANGE])
    assert predictor.unknown.tokens > predictor.unknown.unknown > 0
    assert "such as '(뷁)'" in str(predictor.unknown.report())
