"""Replacing the forward of a model by one without padding, and restoring it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

from ...checkpoints.architectures import architecture_of
from ..dropout import install as install_dropout
from . import bert
from .packing import Unpadded


def install(model: Any) -> bool:
    """Replace the forward of a model by one without padding; models of other types are not changed.

    Calls without an `attention_mask` of (batch, tokens), or with attentions or hidden states as outputs, are computed
    as before.

    Args:
        model: of transformers.

    Returns:
        True if the model was changed.
    """
    attention = model.config._attn_implementation
    if not _is_encoder(model) or attention not in {"eager", "sdpa"}:
        return False
    base = model.base_model
    base.unpadded = Unpadded(eager=attention == "eager", first=_reads_first(model))
    base.forward = MethodType(bert.forward, base)
    for layer in base.encoder.layer:
        layer.forward = MethodType(bert.layer_forward, layer)
    install_dropout(model)
    return True


def remove(model: Any) -> None:
    """Restore the forward of transformers."""
    if installed(model):
        base = model.base_model
        base.unpadded = None
        for module in (base, *base.encoder.layer):
            del module.forward


def installed(model: Any) -> bool:
    """Return whether a model runs without padding."""
    return getattr(getattr(model, "base_model", None), "unpadded", None) is not None


@contextmanager
def first_alone(model: Any) -> Iterator[None]:
    """Compute the last layer of the padded forward for first tokens only, where the head reads no others (for export).

    Models of other types are not changed.

    Args:
        model: with eager attention, and in evaluation.
    """
    if not _is_encoder(model) or not _reads_first(model):
        yield
        return
    last = model.base_model.encoder.layer[-1]
    last.forward = MethodType(bert.first_of_padded, last)
    try:
        yield
    finally:
        del last.forward


def _is_encoder(model: Any) -> bool:
    """Return whether the layers are wired as those of BERT, without a causal mask."""
    return architecture_of(model.config).unpadded


def _reads_first(model: Any) -> bool:
    """Return whether the head reads only the first token of a text."""
    return type(model).__name__.endswith("ForSequenceClassification")
