"""KoBART: a BART whose tokenizer.json adds no special tokens.

BART's classification head reads the state at the last </s>, and fails where there is none.
https://github.com/SKT-AI/KoBART
"""

from typing import Any

from ..registry import CHECKPOINTS
from .base import Checkpoint


def load_tokenizer(name: str, **kwargs: Any) -> Any:
    """Load tokenizer.json, with </s> after each text."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(name, **kwargs)
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A {end} $B {end}", special_tokens=[(end, tokenizer.eos_token_id)]
    )
    return tokenizer


CHECKPOINTS.register(
    "gogamza/kobart-base-v2",
    Checkpoint(
        "BART base, BPE, modified MIT; also hyunwoongko/kobart",
        pattern="((gogamza|hyunwoongko)/)?kobart(-base-v[12])?",
        load_tokenizer=load_tokenizer,
        model_type="bart",
        vocabulary=30_000,
        positions=1_026,
        checked=frozenset({"vocabulary"}),
    ),
)
