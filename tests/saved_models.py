"""Saved models with random weights, one for each task that can be exported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from helpers import new_tokenizer

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.runtime.places import default_root

SMALL = {
    "num_hidden_layers": 1,
    "hidden_size": 32,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
LONG = "국물이 시원하고 반찬이 많아서 온 식구가 배불리 먹고 왔는데 주차장이 좁은 것이 하나 아쉬웠다"
"""Longer than a window."""
INPUTS: dict[str, list[Any]] = {
    "classification": ["좋다", "다시는 가지 않겠다", LONG],
    "ner": ["민수가 서울에 갔다", LONG],
    "pair": [("비가 온다", "날씨가 흐리다"), (LONG, "맛있다")],
    "similarity": [("방이 넓어요", "방이 크네요"), (LONG, "맛있다")],
    "question-answering": [("누가 갔나", "민수가 서울에 갔다"), ("무엇이 좁은가", 3 * LONG)],
    "masked-lm": ["국물이 [MASK] 시원하다", f"{LONG} [MASK]", "[MASK] 좋고 [MASK] 싸다"],
}
"""Task -> inputs of several lengths."""
_MODELS: dict[str, tuple[str, str, list[str]]] = {
    "classification": ("bert", "sample-sentiment", ["긍정", "부정"]),
    "ner": ("electra", "sample-ner", ["PS", "LC", "OG", "DT", "QT"]),
    "pair": ("bert", "sample-nli", ["모순", "중립", "함의"]),
    "similarity": ("roberta", "sample-sts", []),
    "question-answering": ("roberta", "sample-qa", []),
    "masked-lm": ("bert", "sample-raw", []),
}
"""Task -> model type, corpus, labels."""


def save_random_model(name: str, folder: Path, **fields: Any) -> Path:
    """Save a model of a task, with random weights large enough that predictions differ between inputs."""
    from transformers import AutoConfig

    model_type, corpus, labels = _MODELS[name]
    tokenizer, task = new_tokenizer(), TASKS[name](**fields)
    labels = list(CORPORA[corpus].labels(default_root()) or labels)
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        type_vocab_size=1 if model_type == "roberta" else 2,
        **SMALL,
    )
    task.configure(config, labels)
    torch.manual_seed(3)
    model = task.model_class().from_config(config)
    task.prepare_model(model)
    length = 48 if name == "question-answering" else 24
    predictor = Predictor(task, model, tokenizer, labels, max_length=length, about={"corpus": corpus})
    return predictor.save_pretrained(folder)
