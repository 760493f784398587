"""Replacing the forward of a model by one without padding, and restoring it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from types import MethodType
from typing import Any

from ...checkpoints.architectures import architecture_of
from ..dropout import install as install_dropout
from . import bert, modernbert
from .packing import Unpadded

_FAMILIES = {"bert": bert, "modernbert": modernbert}


def install(model: Any) -> bool:
    """Replace the forward of a model by one without padding; models of other types are not changed.

    Calls without an `attention_mask` of (batch, tokens), or with attentions or hidden states as outputs, are computed
    as before.

    Args:
        model: of transformers.

    Returns:
        True if the model was changed.
    """
    attention, family = model.config._attn_implementation, _family(model)
    if family is None or attention not in {"eager", "sdpa"}:
        return False
    base = model.base_model
    base.unpadded = Unpadded(eager=attention == "eager", first=_reads_first(model))
    base.forward = MethodType(family.forward, base)
    for layer in _layers(model):
        layer.forward = MethodType(family.layer_forward, layer)
    install_dropout(model)
    return True


def remove(model: Any) -> None:
    """Restore the forward of transformers."""
    if installed(model):
        base = model.base_model
        base.unpadded = None
        for module in (base, *_layers(model)):
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
    family = _family(model)
    if family is None or not _reads_first(model):
        yield
        return
    last = _layers(model)[-1]
    last.forward = MethodType(family.first_of_padded, last)
    try:
        yield
    finally:
        del last.forward


def _family(model: Any) -> Any:
    """Return the module with the forward of a model, None where there is none."""
    return _FAMILIES.get(architecture_of(model.config).unpadded)


def _layers(model: Any) -> Any:
    """Return the layers of a model."""
    return attrgetter(architecture_of(model.config).layers)(model.base_model)


def _reads_first(model: Any) -> bool:
    """Return whether the head reads only the first token of a text."""
    pooling = getattr(model.config, "classifier_pooling", "cls")
    return type(model).__name__.endswith("ForSequenceClassification") and pooling == "cls"
