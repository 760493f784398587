"""Very long texts are tokenized in pieces, with the tokens and offsets of the whole."""

from __future__ import annotations

from typing import Any

import pytest

from ratsnlp_like.text.tokens import tokenize

TEXT = "김민준은 서울에서  기차를 탔다.\n\n안녕하세요 [SEP] 한국어 문장입니다 " * 5 + "가" * 70 + " 끝 "


class Counted:
    """A backend that counts the texts it encodes."""

    def __init__(self, backend: Any) -> None:
        self._backend, self.longest = backend, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def encode_batch(self, texts: list[str], **options: Any) -> Any:
        self.longest = max(self.longest, *map(len, texts))
        return self._backend.encode_batch(texts, **options)


@pytest.mark.parametrize("kind", ["tiny_tokenizer", "tiny_bpe_tokenizer"])
def test_the_tokens_are_those_of_the_whole(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = request.getfixturevalue(kind)
    whole = tokenize(tokenizer, [TEXT, "안녕"])
    monkeypatch.setattr("ratsnlp_like.text.tokens._LONG", 20)
    counted = Counted(tokenizer.backend_tokenizer)
    monkeypatch.setattr("ratsnlp_like.text.tokens._backend", lambda tokenizer: counted)
    assert tokenize(tokenizer, [TEXT, "안녕"]) == whole
    assert counted.longest == 71  # a space and the word; pieces are not longer than 20 otherwise


def test_a_tokenizer_that_marks_the_start_of_a_text_gets_it_whole(
    tiny_tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenizers import normalizers

    backend = tiny_tokenizer.backend_tokenizer
    backend.normalizer = normalizers.Prepend("가")
    whole = tokenize(tiny_tokenizer, [TEXT])
    monkeypatch.setattr("ratsnlp_like.text.tokens._LONG", 20)
    assert tokenize(tiny_tokenizer, [TEXT]) == whole
