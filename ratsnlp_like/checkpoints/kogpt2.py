"""skt/kogpt2-base-v2 and the first KoGPT2: GPT-2 with special tokens that the files do not all name.

AutoTokenizer makes a byte-level tokenizer of the first one, whose vocabulary consists of characters: the ids
are wrong for every word. https://github.com/SKT-AI/KoGPT2
"""

from typing import Any

from ..registry import CHECKPOINTS
from .base import Checkpoint


def load_tokenizer(name: str, **kwargs: Any) -> Any:
    """Load tokenizer.json unchanged, with the base class of fast tokenizers."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(name, **kwargs)


CHECKPOINTS.register(
    "skt/kogpt2-base-v2",
    Checkpoint(
        "GPT-2 base, BPE, CC BY-NC-SA 4.0",
        pattern="skt/kogpt2-base-v2|kogpt2-base-v2",
        tokenizer_kwargs={
            "bos_token": "</s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "mask_token": "<mask>",
        },
        drop_inputs=frozenset({"token_type_ids"}),
        load_tokenizer=load_tokenizer,
        model_type="gpt2",
        vocabulary=51_200,
        positions=1_024,
    ),
)
CHECKPOINTS.register(
    "kogpt2-v1",
    Checkpoint(
        "the first KoGPT2: GPT-2 base, BPE, CC BY-NC-SA 4.0",
        pattern="kogpt2(-v1)?",
        tokenizer_kwargs={"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
        drop_inputs=frozenset({"token_type_ids"}),
        load_tokenizer=load_tokenizer,
        model_type="gpt2",
        vocabulary=50_124,
        positions=1_024,
        checked=frozenset({"model_type", "vocabulary", "positions"}),
    ),
)
