"""Facts about model types of transformers that their configurations do not state: one record per type.

Code that computes differently for a model type stays where it computes; it takes the facts from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError

HEADS = {
    "causal-lm": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "masked-lm": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "question-answering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "sequence-classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "seq2seq-lm": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "token-classification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
}
"""Head -> the table of `transformers.models.auto.modeling_auto` that lists the model types that have it."""


@dataclass(frozen=True)
class Architecture:
    """Facts about one model type."""

    model_type: str
    """As config.json names it."""
    layers: str = ""
    """Path of the list of layers, from the model without its head; empty where it is not known."""
    causal: bool = False
    """A token attends only to the tokens before it."""
    offset_positions: bool = False
    """Positions are counted from the padding id + 1 over the tokens that are no padding: 514 rows serve 512 tokens."""
    unpadded: str = ""
    """Module of `modeling.unpadded` that has a forward without padding for such layers; empty where none has."""
    fp16: bool = True
    """Activations stay within the range of fp16."""
    file_names: tuple[tuple[str, str], ...] = ()
    """Names of weights in transformers 5, and their names in the files of checkpoints, which version 4 knows alone."""
    own_heads: frozenset[str] = frozenset()
    """Heads (of `HEADS`) that transformers lacks and `checkpoints.heads` has."""


_BERT = Architecture("bert", layers="encoder.layer", unpadded="bert")
_ROBERTA = replace(_BERT, model_type="roberta", offset_positions=True)
_LLAMA = Architecture("llama", layers="layers", causal=True)
_TOKENS, _ANSWERS, _TEXTS = "token-classification", "question-answering", "sequence-classification"

ARCHITECTURES = {
    architecture.model_type: architecture
    for architecture in (
        _BERT,
        replace(_BERT, model_type="electra"),
        _ROBERTA,
        replace(_ROBERTA, model_type="xlm-roberta"),
        replace(_ROBERTA, model_type="camembert"),
        replace(_ROBERTA, model_type="xlm-roberta-xl", unpadded=""),
        Architecture("albert"),  # its layers share their weights
        Architecture("big_bird", layers="encoder.layer"),
        Architecture("deberta-v2", layers="encoder.layer", fp16=False),
        Architecture("distilbert", layers="transformer.layer"),
        Architecture("funnel"),
        Architecture("modernbert", layers="layers", unpadded="modernbert"),
        Architecture("gpt2", layers="h", causal=True),
        Architecture("gpt_neox", layers="layers", causal=True, file_names=(("lm_head.weight", "embed_out.weight"),)),
        _LLAMA,
        *(replace(_LLAMA, model_type=name) for name in ("exaone4", "qwen2", "qwen3")),
        replace(_LLAMA, model_type="gemma3_text", own_heads=frozenset({_TOKENS, _ANSWERS})),
        replace(_LLAMA, model_type="hyperclovax", own_heads=frozenset({_TOKENS, _ANSWERS, _TEXTS})),
        Architecture("bart", own_heads=frozenset({_TOKENS})),
        Architecture("t5", fp16=False),
    )
}


def architecture_of(config: Any) -> Architecture:
    """Return the facts about the model type of a configuration of transformers.

    A type without a record is causal if transformers has a causal and no masked language model of it. An encoder
    that its configuration makes a decoder (`is_decoder`) is causal, and has no forward without padding.
    """
    kind = config.model_type
    found = ARCHITECTURES.get(kind)
    if found is None:
        both = getattr(config, "is_encoder_decoder", False) or has_head(kind, "masked-lm")
        found = Architecture(kind, causal=has_head(kind, "causal-lm") and not both)
    if getattr(config, "is_decoder", False) and not getattr(config, "is_encoder_decoder", False):
        found = replace(found, causal=True, unpadded="")
    return found


def has_head(model_type: str, head: str) -> bool:
    """Return whether transformers has a head (one of `HEADS`) for a model type."""
    from transformers.models.auto import modeling_auto

    return model_type in getattr(modeling_auto, HEADS[head])


def check_head(config: Any, model_class: Any) -> None:
    """Check that transformers or this package has a model type with a head.

    Args:
        config: of the checkpoint.
        model_class: an Auto class of transformers; other classes are not checked.

    Raises:
        InputError: it has not.
    """
    head, own = auto_head(model_class), architecture_of(config).own_heads
    if head is not None and head not in own and not has_head(config.model_type, head):
        raise InputError(
            f"transformers has no {model_class.__name__} for {config.model_type}",
            expected="a checkpoint of another architecture, such as bert, roberta or electra"
            if head not in {"causal-lm", "seq2seq-lm"}
            else "a checkpoint that generates text, such as gpt2 or llama",
        )


def auto_head(model_class: Any) -> str | None:
    """Return the head of an Auto class of transformers; None for other classes."""
    return _AUTO_CLASSES.get(getattr(model_class, "__name__", ""))


_AUTO_CLASSES = {
    "AutoModelForCausalLM": "causal-lm",
    "AutoModelForMaskedLM": "masked-lm",
    "AutoModelForQuestionAnswering": "question-answering",
    "AutoModelForSeq2SeqLM": "seq2seq-lm",
    "AutoModelForSequenceClassification": "sequence-classification",
    "AutoModelForTokenClassification": "token-classification",
}


def max_positions(config: Any) -> int | None:
    """Return the length of the longest input in tokens, special tokens included; None where it is unbounded."""
    limit = getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None)
    if limit is not None and architecture_of(config).offset_positions:
        limit -= (config.pad_token_id or 0) + 1
    return limit
