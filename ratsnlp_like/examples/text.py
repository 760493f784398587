"""Texts, with a class or without."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from .base import Example, Labelled, Place
from .values import as_labels, as_string

TEXT_NAMES = (
    "text", "document", "sentence", "review", "comments", "comment", "content", "body", "utterance",
    "문장", "텍스트", "내용", "본문", "리뷰", "후기", "댓글", "코멘트", "의견", "발화", "글", "title", "제목",
)  # fmt: skip

_MARKS = re.compile(r"</?(?:subj|obj)>")
"""Marks of the entities of a relation, as KLUE's baseline writes them."""


@dataclass(frozen=True)
class RawExample(Example):
    """A text and nothing else, for language modelling."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": (*TEXT_NAMES[:-2], "context", "paragraph", "passage", "지문", "문단", *TEXT_NAMES[-2:])
    }

    text: str = ""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        return cls(text=as_string(row.get("text"), "text", place), place=place)


def has_marks(text: str) -> bool:
    """Return whether the two entities of a relation are marked in a text."""
    return set(_MARKS.findall(text)) == {"<subj>", "</subj>", "<obj>", "</obj>"}


@dataclass(frozen=True)
class TextExample(Labelled):
    """A text and its class, its classes (a tuple), or None where they are to be predicted."""

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "text": TEXT_NAMES,
        "label": (
            "label", "labels", "class", "category", "sentiment", "target", "y", "intent", "topic", "emotion",
            "relation", "rating", "stars",
            "라벨", "레이블", "분류", "감정", "감성", "카테고리", "정답",
            "유형", "의도", "주제", "관계", "별점", "평점", "점수",
        ),
    }  # fmt: skip
    optional: ClassVar[frozenset[str]] = frozenset({"label"})

    text: str = ""
    label: str | tuple[str, ...] | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row; a list of labels makes it a multi-label one."""
        text = as_string(row.get("text"), "text", place)
        return cls(text=text, label=as_labels(row.get("label"), place), place=place)

    @property
    def group(self) -> str:
        """The text without the marks of a relation: a sentence stays on one side of a cut with all of its relations."""
        group = super().group
        return _MARKS.sub("", group) if "<subj>" in group else group
