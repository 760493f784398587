"""Depth of parameters in a network, for freezing and for learning rates per layer."""

from __future__ import annotations

import re
from typing import Any

from ..errors import InputError

_LAYER = re.compile(r"(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\.")


def depths(model: Any) -> dict[str, int]:
    """Return the depth of each parameter by name: embeddings 0, layers from 1, everything above them the highest.

    An encoder and a decoder that share names of layers share depths. A weight that embeddings and head share is an
    embedding.
    """
    found = {name: int(match[1]) + 1 for name, _ in model.named_parameters() if (match := _LAYER.search(name))}
    top = max(found.values(), default=0) + 1
    first = min((i for i, (name, _) in enumerate(model.named_parameters()) if name in found), default=0)
    return {
        name: found.get(name, 0 if i < first and _is_embedding(name) else top)
        for i, (name, _) in enumerate(model.named_parameters())
    }


def _is_embedding(name: str) -> bool:
    """Return whether a parameter below the layers belongs to the embeddings; a head that is defined first does not."""
    return re.search(r"embed|wte|wpe", name) is not None


def freeze(model: Any, layers: int) -> int:
    """Freeze the embeddings and the lowest layers.

    Args:
        model: of transformers.
        layers: number of layers; 0 freezes the embeddings alone.

    Returns:
        The number of weights that remain trainable.

    Raises:
        InputError: the model has fewer layers.
    """
    depth = depths(model)
    most = max(depth.values()) - 1
    if layers > most:
        raise InputError(f"{layers}", place="--freeze", expected=f"at most {most}, the layers of this model")
    for name, parameter in model.named_parameters():
        if depth[name] <= layers:
            parameter.requires_grad_(False)
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
