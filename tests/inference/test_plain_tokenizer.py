"""The tokenizer without transformers."""

from __future__ import annotations

from pathlib import Path

from helpers import new_tokenizer

from ratsnlp_like.inference.plain_tokenizer import PlainTokenizer
from ratsnlp_like.text.tokens import Template


def test_the_plain_tokenizer_equals_the_one_of_transformers(exported: tuple[Path, Path]) -> None:
    plain, theirs = PlainTokenizer(exported[1], {"input_ids", "token_type_ids"}), new_tokenizer()
    assert Template.of(plain) == Template.of(theirs)
    assert plain("비가 온다", "날이 흐리다") == {
        name: theirs("비가 온다", "날이 흐리다")[name] for name in ("input_ids", "token_type_ids")
    }
    assert len(plain) == len(theirs)
    assert sorted(plain.all_special_ids) == sorted(theirs.all_special_ids)
    for name in ("pad_token_id", "mask_token", "mask_token_id", "unk_token_id", "eos_token_id", "special_tokens_map"):
        assert getattr(plain, name) == getattr(theirs, name)
    assert [plain.decode([i]) for i in range(100, 400)] == [theirs.decode([i]) for i in range(100, 400)]
