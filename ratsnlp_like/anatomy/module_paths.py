"""Paths of the sub-modules that `trace` reads, by model type of transformers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from ..errors import InputError


@dataclass(frozen=True)
class ModulePaths:
    """Attribute paths of the sub-modules of one model type."""

    attention: str
    """Module whose output attention adds to the residual stream, from a layer."""
    between: str
    """Module whose input is the residual stream between attention and feed-forward network, from a layer."""
    feed_forward: str
    """Module whose output the feed-forward network adds to the residual stream, from a layer."""
    norms: tuple[str, ...]
    """The two norms after the residual connections, from a layer; empty for pre-norm models."""
    final_norm: str | None
    """Norm after the last layer, from the model without its head."""
    head: tuple[str, ...]
    """Modules that compute logits of the last state, in order, from the model with its head."""


_BERT = ModulePaths(
    attention="attention.output.dropout",
    between="intermediate",
    feed_forward="output.dropout",
    norms=("attention.output.LayerNorm", "output.LayerNorm"),
    final_norm=None,
    head=("cls.predictions",),
)
_ROBERTA = replace(_BERT, head=("lm_head",))
_ELECTRA = replace(_BERT, head=("generator_predictions", "generator_lm_head"))
_GPT2 = ModulePaths(
    attention="attn",
    between="ln_2",
    feed_forward="mlp",
    norms=(),
    final_norm="ln_f",
    head=("lm_head",),
)
MODULE_PATHS = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": _ELECTRA,
    "gpt2": _GPT2,
}


def module_paths(config: Any) -> ModulePaths:
    """Return the paths for a model by its configuration.

    Raises:
        InputError: the model type is not supported.
    """
    model_type = getattr(config, "model_type", None)
    if model_type not in MODULE_PATHS:
        raise InputError(
            f"unsupported model type {model_type!r}", place="trace", expected=f"one of {', '.join(MODULE_PATHS)}"
        )
    return MODULE_PATHS[model_type]


def has_head(config: Any) -> bool:
    """Return True if a checkpoint's weights include a language model head, by the class that saved them."""
    saved = getattr(config, "architectures", None) or ()
    heads = ("ForMaskedLM", "LMHeadModel", "ForCausalLM", "BertForPreTraining")
    return any(name.endswith(heads) for name in saved)


def head_of(model: Any, paths: ModulePaths) -> Callable[[Any], Any] | None:
    """Return the head that computes logits of a state, the final norm included; None if the model has none."""
    try:
        parts = [attrgetter(path)(model) for path in paths.head]
    except AttributeError:
        return None
    norm = [attrgetter(paths.final_norm)(model.base_model)] if paths.final_norm else []

    def apply(state: Any) -> Any:
        for part in (*norm, *parts):
            state = part(state)
        return state

    return apply
