"""Heads for model types that lack one in transformers, where it is one linear layer on the hidden states of AutoModel.

The classes are built from those that transformers uses for its own decoders. A saved model loads again here; outside,
`AutoModel.from_pretrained` opens it without the head, whose weights are in the same file under `score` or `qa_outputs`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from .architectures import architecture_of, auto_head, check_head, has_head

_ENDINGS = {
    "question-answering": "ForQuestionAnswering",
    "sequence-classification": "ForSequenceClassification",
    "token-classification": "ForTokenClassification",
}
"""Head -> end of the name of its class; with `Generic` before it, the base class in transformers."""


def with_head(config: Any, model_class: Any) -> Any:
    """Return the class of a model with a head: an Auto class of transformers, or a class of this package.

    Args:
        config: of the checkpoint.
        model_class: an Auto class; other classes are returned unchanged.

    Raises:
        InputError: neither has the head for this model type.
    """
    check_head(config, model_class)
    head = auto_head(model_class)
    if head is None or has_head(config.model_type, head) or head not in architecture_of(config).own_heads:
        return model_class
    kind: Any = type(config)
    return _Loader(_head_class(kind, head))


class _Loader:
    """The constructors of an Auto class, for one class of models."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.from_pretrained = kind.from_pretrained

    def from_config(self, config: Any, *, attn_implementation: str | None = None) -> Any:
        """Return a model with random weights."""
        return self.kind._from_config(config, attn_implementation=attn_implementation)


@cache
def _head_class(config_class: Any, head: str) -> Any:
    """Return the class of a model type with a head; its family sets initial weights and kinds of attention."""
    from transformers import MODEL_MAPPING, PreTrainedModel, modeling_layers

    base: Any = MODEL_MAPPING[config_class]
    family = next(kind for kind in base.__mro__ if kind.__name__.endswith("PreTrainedModel"))
    assert issubclass(family, PreTrainedModel)
    generic = getattr(modeling_layers, f"Generic{_ENDINGS[head]}")
    mixins = (_encoder_decoder_head(generic), family) if _is_encoder_decoder(config_class) else (generic, family)
    name = base.__name__.removesuffix("Model") + _ENDINGS[head]
    return type(name, mixins, {"config_class": config_class, "base_model_prefix": "model", "__module__": __name__})


def _is_encoder_decoder(config_class: Any) -> bool:
    return bool(getattr(config_class(), "is_encoder_decoder", False))


def _encoder_decoder_head(generic: Any) -> Any:
    """Return a base class that reads the states of the decoder, which is given the text shifted by one token."""
    from transformers.modeling_outputs import TokenClassifierOutput

    class EncoderDecoderHead(generic):
        def forward(self, input_ids: Any, attention_mask: Any = None, **_: Any) -> TokenClassifierOutput:
            """Return the logits of each token. Shape: (batch, tokens, classes)."""
            states = self.model(input_ids, attention_mask=attention_mask, use_cache=False).last_hidden_state
            return TokenClassifierOutput(logits=self.score(self.dropout(states)))

    return EncoderDecoderHead
