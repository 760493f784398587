"""Cells as texts and class names."""

from __future__ import annotations

import datetime
import math
import unicodedata
from decimal import Decimal
from typing import Any

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.values import ClassName, as_label, as_labels, as_string, clean_label, is_missing, parse_json

PLACE = Place("a.csv", 3)


@pytest.mark.parametrize(("value", "text"), [("가", "가"), (3, "3"), (2.5, "2.5"), (None, ""), (math.nan, "")])
def test_texts(value: Any, text: str) -> None:
    assert as_string(value, "text", PLACE) == text


@pytest.mark.parametrize("value", [b"a", True, Decimal(1), datetime.date(2024, 1, 1), ["a"], {"a": 1}, object()])
def test_values_that_are_no_texts(value: Any) -> None:
    with pytest.raises(InputError, match=f"the text is {type(value).__name__}") as caught:
        as_string(value, "text", PLACE)
    assert caught.value.place == PLACE


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("추천", "추천"),
        (" 추천 ", "추천"),
        (unicodedata.normalize("NFD", "추천"), "추천"),
        ("추\u200b천\ufeff", "추천"),
        (3, "3"),
        ("007", "007"),
        (True, "true"),
        ("", None),
        (None, None),
        (math.nan, None),
        (ClassName("3.10"), "3.10"),
        (ClassName("1e3"), "1e3"),
    ],
)
def test_labels(value: Any, label: str | None) -> None:
    assert as_label(value, PLACE) == label


@pytest.mark.parametrize(
    ("value", "fix"),
    [("1.0", "write 1"), (1.0, "write 1"), ("1E3", "write 1000"), ("0.5", "--label_column"), (0.5, "--label_column")],
)
def test_decimal_numbers_are_no_labels(value: Any, fix: str) -> None:
    with pytest.raises(InputError, match="the label is the decimal number") as caught:
        as_label(value, PLACE)
    assert fix in str(caught.value.fix)
    assert "--label_type class" in str(caught.value.fix)


def test_lists_of_labels() -> None:
    assert as_labels(["나", None, " 가 "], PLACE) == ("나", "가")
    assert as_labels([], PLACE) == ()
    assert as_labels("나", PLACE) == "나"


class NAType:
    """Named as pandas names its missing value."""


@pytest.mark.parametrize(
    ("value", "missing"), [(None, True), (math.nan, True), (NAType(), True), ("", False), (0, False)]
)
def test_missing(value: Any, missing: bool) -> None:
    assert is_missing(value) is missing


def test_clean_labels_keep_case_and_inner_spaces() -> None:
    assert clean_label("\u00ad 아주  Good\u200d") == "아주  Good"


def test_json_in_cells() -> None:
    assert parse_json('[1, {"a": 2}]', PLACE) == [1, {"a": 2}]
    assert parse_json("[1, 2", PLACE) == "[1, 2"  # not JSON
    assert parse_json("3", PLACE) == "3"
    with pytest.raises(InputError, match="nested too deeply"):
        parse_json("[" * 100_000, PLACE)
