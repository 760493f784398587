"""Schemes of token tags: which one a file has, and its conversion to BIO.

BIOES and BILOU mark the last token of an entity and entities of one token; IOB1 writes B- only between neighbours of
one type; IO has no B-; Naver's corpus writes `PER_B` and `-`; other files write `B_PER` or `PER-B`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

TAG = re.compile(r"O|-|[BIESLUMW]-\S+|\S+_[BI]")
"""A tag of any scheme that is recognised by its form."""
_PREFIXED = re.compile(r"[BIESLUMW]-\S+|\S+_[BI]")
_TO_BIO = {"S": "B", "U": "B", "W": "B", "E": "I", "L": "I", "M": "I"}
_NAVER = re.compile(r"(\S+)_([BI])")
_OTHER_FORMS = {
    "B_X": re.compile(r"(?P<prefix>[BI])_(?P<type>\S+)"),
    "X-B": re.compile(r"(?P<type>\S{2,})-(?P<prefix>[BI])"),
}
"""Tags of two parts that are written otherwise than `B-X`."""
_BARE = re.compile(r"\w[\w/.]*(?:-\w+)*")


def is_prefixed(tag: str) -> bool:
    """Return True for a tag that no ordinary last column of a table is taken for."""
    return _PREFIXED.fullmatch(tag) is not None


def detect_scheme(sentences: Iterable[Sequence[str]]) -> str:
    """Return the scheme of the tags of a file: BIO, IOB1, IO, BIOES, BILOU, BMEWO, Naver, B_X or X-B.

    An `I-X` without `B-X` before it is how IOB1 writes an entity, and an error in BIO: in IOB1 every B- follows an
    entity of its type.
    """
    prefixes: set[str] = set()
    others: set[str] = set()
    bare = naver = orphans = free = False
    for tags in sentences:
        before = "O"
        for tag in tags:
            if match := _NAVER.fullmatch(tag):
                naver, tag = True, f"{match[2]}-{match[1]}"
            prefix, _, label = tag.partition("-")
            if label and len(prefix) == 1:
                prefixes.add(prefix)
            else:
                others |= {form for form, pattern in _OTHER_FORMS.items() if pattern.fullmatch(tag)}
                bare |= tag != "O" and _BARE.fullmatch(tag) is not None
            follows = before.partition("-")[2] == label
            orphans |= prefix == "I" and not follows
            free |= prefix == "B" and not follows
            before = tag
    if naver:
        return "Naver"
    if not prefixes:
        return min(others) if others else "IO" if bare else "BIO"
    for scheme, own in (("BMEWO", "MW"), ("BILOU", "LU"), ("BIOES", "ES")):
        if prefixes & set(own):
            return scheme
    return "IOB1" if orphans and not free else "BIO"


def to_bio(tags: Sequence[str], scheme: str) -> list[str]:
    """Return the tags of a sentence in BIO; a tag of another form stays as it is."""
    if scheme == "BIO":
        return list(tags)
    out: list[str] = []
    before = "O"
    for tag in tags:
        converted = _convert(tag, scheme, before)
        out.append(converted)
        before = converted
    return out


def _convert(tag: str, scheme: str, before: str) -> str:
    if scheme == "Naver":
        if tag == "-":
            return "O"
        return _NAVER.sub(r"\2-\1", tag)
    if scheme in _OTHER_FORMS:
        match = _OTHER_FORMS[scheme].fullmatch(tag)
        return f"{match['prefix']}-{match['type']}" if match else "O" if tag == "-" else tag
    if scheme == "IO":
        if tag in {"O", "-"}:
            return "O"
        if _BARE.fullmatch(tag) is None:
            return tag
        return f"I-{tag}" if before.partition("-")[2] == tag else f"B-{tag}"
    prefix, dash, label = tag.partition("-")
    if scheme == "IOB1" and prefix == "I" and before.partition("-")[2] != label:
        return f"B-{label}"
    return _TO_BIO.get(prefix, prefix) + dash + label if dash else tag
