"""Messages of errors."""

from __future__ import annotations

import pytest

from ratsnlp_like.errors import with_article


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bert", "a bert"),
        ("gpt2", "a gpt2"),
        ("albert", "an albert"),
        ("electra", "an electra"),
        ("exaone4", "an exaone4"),
        ("xlm-roberta", "an xlm-roberta"),
        ("int", "an int"),
        ("NoneType", "a NoneType"),
    ],
)
def test_article(name: str, expected: str) -> None:
    assert with_article(name) == expected
