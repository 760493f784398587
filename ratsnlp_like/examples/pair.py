"""Pairs of texts, with a class or a score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ..errors import InputError
from .base import Example, Labelled, Place
from .text import TextExample
from .values import as_labels, as_string


class OfTwoTexts(Example):
    """Base class of examples with two texts."""

    text: str
    text_pair: str

    @property
    def is_empty(self) -> bool:
        """True if one of the two texts is blank."""
        return not (self.text.strip() and self.text_pair.strip())


_FIRST_TEXTS = (
    "sentence1",
    "premise",
    "question1",
    "text_a",
    "text1",
    "문장1",
    "전제",
    "질문1",
    "sentence_a",
    "sent1",
    "문장a",
)
_SECOND_TEXTS = (
    "sentence2",
    "hypothesis",
    "question2",
    "text_b",
    "text2",
    "문장2",
    "가설",
    "질문2",
    "sentence_b",
    "sent2",
    "문장b",
)


@dataclass(frozen=True)
class PairExample(OfTwoTexts, Labelled):
    """Two texts and the class of the pair; None where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _FIRST_TEXTS,
        "text_pair": _SECOND_TEXTS,
        "label": ("gold_label", *TextExample.aliases["label"], "is_duplicate"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"label"})

    text: str = ""
    text_pair: str = ""
    label: str | tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        first, second = (as_string(row.get(name), name, place) for name in ("text", "text_pair"))
        return cls(text=first, text_pair=second, label=as_labels(row.get("label"), place), place=place)


@dataclass(frozen=True)
class ScoredPairExample(OfTwoTexts):
    """Two texts and their similarity score; None where it is to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": _FIRST_TEXTS,
        "text_pair": _SECOND_TEXTS,
        "score": ("label", "similarity", "labels", "점수", "유사도"),
    }
    optional: ClassVar[frozenset[str]] = frozenset({"score"})

    text: str = ""
    text_pair: str = ""
    score: float | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row; a score is a number, as text too, or the `label` of a mapping (KLUE).

        Raises:
            InputError: it is neither.
        """
        first, second = (as_string(row.get(name), name, place) for name in ("text", "text_pair"))
        given: Any = row.get("score")
        if isinstance(given, Mapping) and "label" in given:
            given = given["label"]
        if given is None or (isinstance(given, str) and not given.strip()):
            return cls(text=first, text_pair=second, place=place)
        try:
            score = float(given)
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if isinstance(given, bool) or not math.isfinite(score):
            raise InputError(
                f"the score is {given!r}", place=place, expected="a number", fix="name the column: --score_column"
            )
        return cls(text=first, text_pair=second, score=score, place=place)
