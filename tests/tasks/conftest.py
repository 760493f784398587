"""Fixtures of the tests of tasks."""

from __future__ import annotations

from typing import Any

import pytest
from task_helpers import TOKENIZERS, Load, tokenizer_of


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Load:
    """A tokenizer of the table by its name."""
    return lambda name: tokenizer_of(request, name)


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest) -> Any:
    """Each tokenizer of the table."""
    return tokenizer_of(request, request.param)


@pytest.fixture
def letters() -> Any:
    """WordPiece with a vocabulary of 14: 가 = 4, 나 = 5, ... 차 = 13."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"가나다라마바사아자차"]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")},
    )
