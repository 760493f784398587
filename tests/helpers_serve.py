"""Shared by the tests of the server: small models, clients, errors."""

from __future__ import annotations

from typing import Any

import torch
from helpers import TINY, tokenizer
from starlette.testclient import TestClient
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
)

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS
from ratsnlp_like.serve import Limits, app

JSON = {"content-type": "application/json"}

SCRIPT = "<script>alert(1)</script>"

HEADS = {
    "classification": (BertForSequenceClassification, ["부정", "긍정"], 2),
    "pair": (BertForSequenceClassification, ["contradiction", "entailment", "neutral"], 3),
    "similarity": (BertForSequenceClassification, [], 1),
    "ner": (BertForTokenClassification, ["OG", "PS"], 5),
    "question-answering": (BertForQuestionAnswering, [], 2),
    "masked-lm": (BertForMaskedLM, [], 2),
}


def predictor(task: str = "classification", **fields: Any) -> Predictor:
    """A small model of random weights for a task."""
    torch.manual_seed(0)
    words = tokenizer()
    if task in {"generation", "causal-lm"}:
        config = GPT2Config(
            vocab_size=len(words), n_positions=128, n_embd=32, n_layer=1, n_head=2,
            bos_token_id=words.cls_token_id, eos_token_id=words.sep_token_id, pad_token_id=words.pad_token_id,
        )  # fmt: skip
        return Predictor(TASKS[task](**fields), GPT2LMHeadModel(config), words, [], max_length=64)
    head, labels, outputs = HEADS[task]
    model = head(BertConfig(vocab_size=len(words), num_labels=outputs, **TINY))
    return Predictor(TASKS[task](**fields), model, words, labels, max_length=64, metrics={"test": {"accuracy": 0.5}})


INPUTS = {
    "classification": {"text": "배송이 빨라요"},
    "pair": {"text": "비가 온다", "text_pair": "우산을 편다"},
    "similarity": {"text": "비가 온다", "text_pair": "우산을 편다"},
    "ner": {"text": "하늘이는 강릉에 산다"},
    "question-answering": {"question": "어디에 사는가?", "context": "하늘이는 강릉에 산다."},
    "masked-lm": {"text": "오늘은 [MASK] 좋다"},
    "causal-lm": {"text": "오늘은"},
    "generation": {"prompt": "오늘은"},
}

KEYS = {
    "classification": {"label", "score", "scores"},
    "pair": {"label", "score", "scores"},
    "similarity": {"score"},
    "ner": {"entities"},
    "question-answering": {"answer", "start", "end", "score", "candidates"},
    "masked-lm": {"filled", "candidates"},
    "causal-lm": {"generated", "continuations"},
    "generation": {"generated", "continuations"},
}


def client(model: Predictor | None = None, limits: Limits | None = None, **options: Any) -> TestClient:
    """To be entered: a client of an application of its own."""
    return TestClient(app(model or predictor(), limits, **options), base_url="http://localhost:8000")


def error(response: Any, status: int) -> dict[str, str]:
    """The error of a response of that status, which has the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    content = response.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"problem", "place", "expected", "fix"}
    assert "Traceback" not in response.text
    return content["error"]
