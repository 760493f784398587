"""Two texts in one window."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.pair import PairExample, ScoredPairExample
from ratsnlp_like.tasks.pair import PairClassification
from ratsnlp_like.tasks.pair_encoding import share_capacity
from ratsnlp_like.tasks.similarity import Similarity

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


@pytest.mark.parametrize(
    ("first", "second", "capacity", "kept"),
    [
        (3, 4, 7, (3, 4)),
        (0, 0, 1, (0, 0)),
        (3, 4, 6, (3, 3)),
        (9, 2, 6, (4, 2)),  # the longer one gives way
        (2, 9, 6, (2, 4)),
        (9, 9, 6, (3, 3)),
        (9, 9, 7, (4, 3)),  # the odd token goes to the first
        (9, 3, 7, (4, 3)),
        (3, 9, 7, (3, 4)),
        (0, 9, 4, (0, 4)),
        (9, 0, 4, (4, 0)),
        (9, 9, 1, (1, 0)),
        (0, 9, 1, (0, 1)),
    ],
)
def test_share_capacity(first: int, second: int, capacity: int, kept: tuple[int, int]) -> None:
    assert share_capacity(first, second, capacity) == kept


@given(LENGTHS, LENGTHS, st.integers(1, 300))
def test_capacity_is_shared_fairly(first: int, second: int, capacity: int) -> None:
    kept, kept_pair = share_capacity(first, second, capacity)
    assert 0 <= kept <= first
    assert 0 <= kept_pair <= second
    assert kept + kept_pair == min(capacity, first + second)  # all of it is used
    assert kept >= min(first, capacity // 2)
    assert kept_pair >= min(second, capacity // 2)
    if kept < first and kept_pair < second:
        assert abs(kept - kept_pair) <= 1  # the longer one gives way until both are of one length


def ids(tokenizer: Any, text: str) -> list[int]:
    """Of words that are tokens."""
    found: list[int] = tokenizer.convert_tokens_to_ids(text.split())
    assert tokenizer.unk_token_id not in found
    return found


class TestEncode:
    def test_a_pair(self, tiny_tokenizer: Any) -> None:
        (features,) = PairClassification().encode(
            [PairExample("가 나 다", "고 공", "b")], tiny_tokenizer, ["a", "b"], 16
        )
        assert features == {
            "input_ids": [2, *ids(tiny_tokenizer, "가 나 다"), 3, *ids(tiny_tokenizer, "고 공"), 3],
            "token_type_ids": [0, 0, 0, 0, 0, 1, 1, 1],
            "example": 0,
            "lost": 0,
            "labels": 1,
        }

    @pytest.mark.parametrize(
        ("texts", "kept", "types", "lost"),
        [
            (("가 나 다 고 공", "구 국"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 3),
            (("가", "구 국 기 김 나"), ("가", "구 국 기"), [0] * 3 + [1] * 4, 2),
            (("가 나 다 고 공", "구 국 기 김"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 5),
            (("", "구 국 기 김 나"), ("", "구 국 기 김"), [0] * 2 + [1] * 5, 1),
            (("가 나", "구 국"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 0),
        ],
    )
    def test_a_pair_that_is_too_long(
        self, texts: tuple[str, str], kept: tuple[str, str], types: list[int], lost: int, tiny_tokenizer: Any
    ) -> None:
        """Four tokens of text in a window of seven."""
        first, second = (ids(tiny_tokenizer, text) for text in kept)
        (features,) = PairClassification().encode_inputs([PairExample(*texts)], tiny_tokenizer, 7)
        assert features == {
            "input_ids": [2, *first, 3, *second, 3],
            "token_type_ids": types,
            "example": 0,
            "lost": lost,
        }

    def test_each_pair_is_numbered(self, tiny_tokenizer: Any) -> None:
        pairs = [PairExample("가", "나", "a"), PairExample("다", "고", "b"), PairExample("공", "구", "a")]
        windows = PairClassification().encode(pairs, tiny_tokenizer, ["a", "b"], 16)
        assert [(w["example"], w["labels"]) for w in windows] == [(0, 0), (1, 1), (2, 0)]

    def test_without_token_types(self, tiny_bpe_tokenizer: Any) -> None:
        (features,) = PairClassification().encode_inputs([PairExample("ab", "cd")], tiny_bpe_tokenizer, 16)
        both = [tiny_bpe_tokenizer(text)["input_ids"] for text in ("ab", "cd")]
        assert features == {"input_ids": both[0] + both[1], "example": 0, "lost": 0}

    def test_both_texts_are_normalised(self, tiny_tokenizer: Any) -> None:
        task = PairClassification(normalization=("nfc",))
        composed, taken_apart = "가", "\u1100\u1161"
        (features,) = task.encode_inputs([PairExample(taken_apart, taken_apart)], tiny_tokenizer, 16)
        one = ids(tiny_tokenizer, composed)
        assert features["input_ids"] == [2, *one, 3, *one, 3]

    def test_an_unknown_label_names_the_row(self, tiny_tokenizer: Any) -> None:
        pair = PairExample("가", "나", "c", place=Place("pairs.tsv", 7))
        with pytest.raises(InputError, match=r"pairs\.tsv, line 7: the label 'c' is not among .*"):
            PairClassification().encode([pair], tiny_tokenizer, ["a", "b"], 16)

    @pytest.mark.parametrize("length", [0, 3])
    def test_no_capacity(self, length: int, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="no room for text besides the special tokens") as caught:
            PairClassification().encode_inputs([PairExample("가", "나")], tiny_tokenizer, length)
        assert "at least 4" in str(caught.value)

    def test_targets_are_from_0_to_1(self, tiny_tokenizer: Any) -> None:
        pairs = [ScoredPairExample("가", "나", score) for score in (0.0, 1.0, 5.0)]
        assert [w["labels"] for w in Similarity().encode(pairs, tiny_tokenizer, [], 16)] == [0, 0.2, 1]
        other = Similarity(lowest=-5, highest=15)
        assert [w["labels"] for w in other.encode(pairs, tiny_tokenizer, [], 16)] == [0.25, 0.3, 0.5]
        assert "labels" not in Similarity().encode_inputs(pairs, tiny_tokenizer, 16)[0]
