"""Small models with random weights, for trials that load and serve them."""

from __future__ import annotations

from typing import Any

import torch

from ratsnlp_like.inference.checkpoint import load_tokenizer
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS

CHECKPOINT = "ko-blank-bert"
SMALL = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
INPUTS: dict[str, dict[str, Any]] = {
    "classification": {"text": "배송이 빨라요"},
    "ner": {"text": "은별은 여수에 산다"},
    "question-answering": {"question": "누가 사나?", "context": "은별은 여수에 산다"},
    "pair": {"text": "비가 온다", "text_pair": "날씨가 흐리다"},
    "masked-lm": {"text": "국물이 [MASK] 시원하다"},
    "generation": {"prompt": "오늘은"},
}
"""Task -> an input."""
_LABELS = {"classification": ["부정", "긍정"], "pair": ["모순", "중립", "함의"], "ner": ["LC", "PS"]}


def random_model(name: str) -> Predictor:
    """Return a predictor of a task with a model of one layer, whose weights are random and fixed."""
    from transformers import BertConfig, GPT2Config

    tokenizer: Any = load_tokenizer(CHECKPOINT)
    task, labels = TASKS[name](), _LABELS.get(name, [])
    config: Any
    if name == "generation":
        ends = {"bos_token_id": tokenizer.cls_token_id, "eos_token_id": tokenizer.sep_token_id}
        config = GPT2Config(n_positions=512, n_embd=32, n_layer=1, n_head=2, vocab_size=len(tokenizer), **ends)
        config.pad_token_id = tokenizer.pad_token_id
    else:
        config = BertConfig(vocab_size=len(tokenizer), initializer_range=0.3, max_position_embeddings=128, **SMALL)
        task.configure(config, labels)
    torch.manual_seed(3)
    model = task.model_class().from_config(config)
    return Predictor(
        task,
        model,
        tokenizer,
        labels,
        max_length=256 if name == "generation" else 64,
        metrics={"test": {"accuracy": 0.5}},
    )
