"""From rows of `token<TAB>tag` to a text with entities: shared by CoNLL and KLUE."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...errors import InputError
from ...examples.base import Place
from .base import shorten

_TAG = re.compile(r"O|[BI]-\S+")
_OTHER_SCHEMES = (  # tags of other schemes -> the same in BIO
    (re.compile(r"[SU]-(\S+)"), r"B-\1"),  # a whole entity in BIOES, BILOU
    (re.compile(r"[EL]-(\S+)"), r"I-\1"),  # its last token
    (re.compile(r"([^\s_-]+)_([BI])"), r"\2-\1"),  # Naver NER: PER_B
    (re.compile(r"b-(\S+)"), r"B-\1"),
    (re.compile(r"i-(\S+)"), r"I-\1"),
    (re.compile(r"-|_|o|0"), "O"),
)


class Token(NamedTuple):
    """A word or a character with its tag."""

    text: str
    tag: str
    place: Place
    line: str
    """The row as written in the file, for messages."""


def text_and_entities(tokens: Sequence[Token], joiner: str) -> tuple[str, list[list[int | str]]]:
    """Join the tokens and turn their tags into `[start, end, label]`, in characters of the joined text.

    Raises:
        InputError: a tag is not BIO, or an `I-X` follows neither `B-X` nor `I-X`.
    """
    entities: list[list[int | str]] = []
    position, inside = 0, ""
    for token in tokens:
        end = position + len(token.text)
        kind, _, label = token.tag.partition("-")
        if not _TAG.fullmatch(token.tag):
            raise _unknown_tag(token)
        if kind == "B":
            entities.append([position, end, label])
        elif kind == "I" and label == inside:
            entities[-1][1] = end
        elif kind == "I":
            raise _orphan(token, label)
        position, inside = end + len(joiner), label
    return joiner.join(token.text for token in tokens), entities


def _with_tag(token: Token, tag: str) -> str:
    return token.line.removesuffix(token.tag) + tag


def _orphan(token: Token, label: str) -> InputError:
    return InputError(
        f"the tag {token.tag} has no B-{label} or I-{label} before it: {shorten(token.line)}",
        place=token.place,
        expected=f"an entity starts with B-{label}",
        fix=f"write {shorten(_with_tag(token, f'B-{label}'))}",
    )


def _unknown_tag(token: Token) -> InputError:
    fix = "write O, or B- or I- and the type"
    for pattern, replacement in _OTHER_SCHEMES:
        if match := pattern.fullmatch(token.tag):
            fix = f"write {shorten(_with_tag(token, match.expand(replacement)))}, and all tags of the file so"
            break
    return InputError(
        f"unknown tag {shorten(token.tag)} in {shorten(token.line)}",
        place=token.place,
        expected="O, B-<type> or I-<type> in the last column",
        fix=fix,
    )
