"""Traces and models that the tests of `anatomy` share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from helpers import new_tokenizer
from transformers import AutoModelForMaskedLM, BertConfig, ElectraConfig, RobertaConfig

from ratsnlp_like import anatomy
from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.checkpoints.model import load_model
from ratsnlp_like.checkpoints.tokenizer import load_tokenizer

MASKED = "이 영화는 [MASK] 재미있다"
PLAIN = "이 영화는 정말 재미있고 배우들의 연기가"


@lru_cache
def traced(name: str, text: str) -> anatomy.Trace:
    return anatomy.trace(name, text)


def bert() -> anatomy.Trace:
    return traced("ko-tiny-bert", MASKED)


def gpt() -> anatomy.Trace:
    return traced("ko-tiny-gpt", PLAIN)


def loaded(name: str, auto: Any) -> tuple[Any, Any]:
    folder = resolve(name)
    config = load_config(folder)
    tokenizer = load_tokenizer(folder, config)
    return load_model(folder, config, auto, vocabulary=len(tokenizer)).eval(), tokenizer


def close(a: torch.Tensor, b: Any, tolerance: float = 1e-5) -> None:
    torch.testing.assert_close(a, torch.as_tensor(b, dtype=a.dtype), rtol=tolerance, atol=tolerance)


def small(kind: str) -> tuple[Any, Any]:
    """A model of random weights in two layers, and a tokenizer for it."""
    tokenizer = new_tokenizer()
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    size |= {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "initializer_range": 0.3}
    configs = {"bert": BertConfig, "roberta": RobertaConfig, "electra": ElectraConfig}
    config = configs[kind](**size, **({"embedding_size": 8} if kind == "electra" else {}))
    torch.manual_seed(5)
    return AutoModelForMaskedLM.from_config(config), tokenizer
