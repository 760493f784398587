"""Where the parts of a Transformer stand in the models of transformers, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from ..errors import InputError


@dataclass(frozen=True)
class Build:
    """The paths of the parts of one architecture."""

    attention: str
    """What attention adds to the residual stream, from a block."""
    between: str
    """Its input is the residual stream between attention and feed-forward network, from a block."""
    feed_forward: str
    """What the feed-forward network adds, from a block."""
    norms: tuple[str, ...]
    """The two norms behind the residual connections (none where they stand before the sub-layers), from a block."""
    final_norm: str | None
    """The norm behind the last block, from the model without its head."""
    head: tuple[str, ...]
    """What makes logits of the last state, in order, from the model with its head."""


_BERT = Build(
    attention="attention.output.dropout",
    between="intermediate",
    feed_forward="output.dropout",
    norms=("attention.output.LayerNorm", "output.LayerNorm"),
    final_norm=None,
    head=("cls.predictions",),
)
_ROBERTA = Build(**(vars(_BERT) | {"head": ("lm_head",)}))
_ELECTRA = Build(**(vars(_BERT) | {"head": ("generator_predictions", "generator_lm_head")}))
_GPT2 = Build(
    attention="attn",
    between="ln_2",
    feed_forward="mlp",
    norms=(),
    final_norm="ln_f",
    head=("lm_head",),
)
BUILDS = {
    "bert": _BERT,
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "camembert": _ROBERTA,
    "electra": _ELECTRA,
    "gpt2": _GPT2,
}


def build_of(config: Any) -> Build:
    """The build of a model by its configuration.

    Raises:
        InputError: it is of a type that is not known here.
    """
    kind = getattr(config, "model_type", None)
    if kind not in BUILDS:
        raise InputError(
            f"a model of type {kind!r} cannot be taken apart", place="trace", expected=f"one of {', '.join(BUILDS)}"
        )
    return BUILDS[kind]


def has_head(config: Any) -> bool:
    """Whether the weights of a checkpoint have the head of a language model, by the class that wrote them."""
    written = getattr(config, "architectures", None) or ()
    heads = ("ForMaskedLM", "LMHeadModel", "ForCausalLM", "BertForPreTraining")
    return any(name.endswith(heads) for name in written)


def head_of(model: Any, build: Build) -> Callable[[Any], Any] | None:
    """The head that makes logits of a state, the final norm included; None where the model has none."""
    try:
        parts = [attrgetter(path)(model) for path in build.head]
    except AttributeError:
        return None
    norm = [attrgetter(build.final_norm)(model.base_model)] if build.final_norm else []

    def apply(state: Any) -> Any:
        for part in (*norm, *parts):
            state = part(state)
        return state

    return apply
