"""`trace`: run a text through a model and record attention, states and candidates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoints import adapters
from ..checkpoints.architectures import architecture_of, max_positions
from ..checkpoints.base import load_config, resolve
from ..checkpoints.model import load_model
from ..checkpoints.tokenizer import load_tokenizer
from ..errors import InputError, with_article
from ..inference.predictor import Predictor
from ..text.normalization import Normalizer
from .forward import copy_norms, evaluation_mode, read_states, record
from .module_paths import has_head, head_of, module_paths
from .records import Trace
from .tokens import readable


def trace(model: Any, text: str, *, tokenizer: Any = None, text_pair: str | None = None, candidates: int = 10) -> Trace:
    """Run a text through a model and record what it computes; the model itself is left unchanged.

    Args:
        model: name or folder of a checkpoint, a `Predictor`, or a transformers model with its `tokenizer`: BERT,
            RoBERTa, ELECTRA or GPT-2, with any head or none.
        text: one text. `[MASK]` denotes the mask token of the model, whatever its tokenizer calls it.
        tokenizer: of the model; not needed with a name or a `Predictor`.
        text_pair: a second text, for models of text pairs.
        candidates: number of most probable words kept for each layer.

    Raises:
        InputError: the model cannot be loaded or its type is not supported, or the text is empty or longer than the
            model's positions.
    """
    text = _checked_text(text)
    if candidates < 1:
        raise InputError(f"{candidates}", place="candidates", expected="at least 1")
    name, model, tokenizer, normalization = _open(model, tokenizer)
    paths = module_paths(model.config)
    normalizer = Normalizer(normalization)
    encoded = _encode(tokenizer, [normalizer(_checked_text(t)).text for t in (text, text_pair) if t is not None])
    _check_length(encoded["input_ids"], model.config)
    with torch.no_grad(), evaluation_mode(model):
        recorded = record(model, paths, encoded)
        logits, lens_ids, lens_probabilities = read_states(head_of(model, paths), recorded["states"], candidates)
    ids = encoded["input_ids"][0].cpu()
    return Trace(
        model=f"{model.config.model_type} ({name})",
        text=text,
        tokens=tuple(readable(tokenizer, i) for i in ids.tolist()),
        ids=ids,
        causal=architecture_of(model.config).causal,
        mask_id=tokenizer.mask_token_id,
        name_of=lambda i: readable(tokenizer, i),
        **{key: value.float().cpu() for key, value in recorded.items()},
        post_norms=copy_norms(model, paths),
        logits=logits,
        lens_ids=lens_ids,
        lens_probabilities=lens_probabilities,
    )


def _checked_text(text: Any) -> str:
    if not isinstance(text, str):
        raise InputError(with_article(type(text).__name__), place="text", expected="one text")
    return text


def _open(model: Any, tokenizer: Any) -> tuple[str, Any, Any, tuple[str, ...]]:
    """Return name, model, tokenizer and normalisation steps of the `model` argument of `trace`."""
    if isinstance(model, Predictor):
        name = str(model.about.get("checkpoint", model.task.name))
        return f"{name}, {model.task.name}", adapters.merged(model.model), model.tokenizer, model.task.normalization
    if isinstance(model, (str, Path)):
        return (str(model), *_load(str(model)), ())
    if not hasattr(model, "base_model") or not hasattr(model, "config"):
        raise InputError(
            with_article(type(model).__name__),
            place="model",
            expected="the name or folder of a checkpoint, a Predictor, or a model of transformers",
        )
    if tokenizer is None:
        raise InputError("a model without its tokenizer", place="trace", fix="add tokenizer=...")
    return type(model).__name__, model, tokenizer, ()


def _load(given: str) -> tuple[Any, Any]:
    """Load a checkpoint's model and tokenizer; with a language model head if its weights have one."""
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM

    name = resolve(given)
    config = load_config(name)
    module_paths(config)  # an unsupported type is refused before the weights are loaded
    tokenizer = load_tokenizer(name, config)
    with_head = AutoModelForCausalLM if architecture_of(config).causal else AutoModelForMaskedLM
    model = load_model(name, config, with_head if has_head(config) else AutoModel, vocabulary=len(tokenizer))
    return model, tokenizer


def _encode(tokenizer: Any, texts: Sequence[str]) -> dict[str, Tensor]:
    if (mask := tokenizer.mask_token) is not None:
        texts = [text.replace("[MASK]", mask) for text in texts]
    # no truncation: a text that is too long is refused
    encoded = dict(tokenizer(*texts, return_tensors="pt", truncation=False, verbose=False))
    if not encoded["input_ids"].numel():
        raise InputError(f"{texts[0]!r} has no tokens", place="text", expected="a text that is not empty")
    return {key: value for key, value in encoded.items() if key in tokenizer.model_input_names}


def _check_length(ids: Tensor, config: Any) -> None:
    limit = max_positions(config)
    if limit is not None and ids.shape[1] > limit:
        raise InputError(
            f"the text has {ids.shape[1]} tokens, special tokens included",
            place="text",
            expected=f"at most {limit}, the positions of this model",
            fix="trace a part of it",
        )
