"""Examples of a corpus by its name."""

from __future__ import annotations

import pytest

from ratsnlp_like import InputError, TextExample, read_examples


def test_examples_of_registered_corpora_and_of_rows() -> None:
    examples = list(read_examples("sample-sentiment", "classification", "test"))
    assert len(examples) == 120
    assert isinstance(examples[0], TextExample)
    (raw,) = read_examples([{"text": "바람이 시원하다"}], "masked-lm")
    assert raw.text == "바람이 시원하다"
    with pytest.raises(InputError, match="sample-sentiment"):
        read_examples("sample-sentimant", "classification")
