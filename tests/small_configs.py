"""Configurations of small models of any type."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig

SMALL = {
    "hidden_size": 16,
    "n_embd": 16,
    "d_model": 16,
    "dim": 16,
    "embedding_size": 16,
    "intermediate_size": 16,
    "hidden_dim": 16,
    "num_attention_heads": 2,
    "n_head": 2,
    "n_heads": 2,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_hidden_layers": 3,
    "n_layer": 3,
    "n_layers": 3,
    "vocab_size": 99,
    "pad_token_id": 1,
}


def small(model_type: str) -> Any:
    """A configuration of a model type with three narrow layers."""
    known = AutoConfig.for_model(model_type)
    return AutoConfig.for_model(model_type, **{key: value for key, value in SMALL.items() if hasattr(known, key)})
