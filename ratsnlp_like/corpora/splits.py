"""Names of splits, and the splits that files and folders are named after."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePath

SPLITS = ("train", "validation", "test")
_NAMES = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev", "eval"),
    "test": ("test", "testing"),
}
_SPLIT_OF_WORD = {word: split for split, words in _NAMES.items() for word in words}
_KOREAN = (
    ("train", re.compile(r"(?:학습|훈련)(?:용|셋|세트|데이터|데이터셋|자료|집합)*")),
    ("validation", re.compile(r"검증(?:용|셋|세트|데이터|데이터셋|자료|집합)*")),
    ("test", re.compile(r"(?:평가|시험|테스트)(?:용|셋|세트|데이터|데이터셋|자료|집합)*")),
)


def canonical_split(name: str) -> str:
    """Return `train`, `validation` or `test` for other names of theirs (`dev`, `Training`, `검증`); else the name."""
    return _split_of_word(_composed(name).lower()) or name


def canonical_splits(names: Iterable[str]) -> dict[str, str]:
    """Return canonical name -> name; a name that two splits would get stays with neither."""
    names = list(names)
    canonical = [split_of_name(name) or name for name in names]
    return {
        split if canonical.count(split) == 1 or name == split else name: name
        for split, name in zip(canonical, names, strict=True)
    }


def split_of(path: PurePath) -> str | None:
    """Return the split that a file is named after, or else the innermost of its folders; None where none is.

    Args:
        path: of the file, relative to the folder of the corpus.
    """
    own = split_of_name(path.name.partition(".")[0])
    if own is not None:
        return own
    folders = (split_of_name(folder) for folder in reversed(path.parts[:-1]))
    return next((split for split in folders if split is not None), None)


def split_of_name(name: str) -> str | None:
    """Return the split that a name states: `klue-nli_dev`, `test-00001`, `1.Training`, `학습데이터`; None else."""
    words = re.split(r"[^a-z가-힣]+|(?<=[a-z])(?=[가-힣])|(?<=[가-힣])(?=[a-z])", _composed(name).lower())
    found = {split for word in words if (split := _split_of_word(word)) is not None}
    return found.pop() if len(found) == 1 else None


def _split_of_word(word: str) -> str | None:
    if (split := _SPLIT_OF_WORD.get(word)) is not None:
        return split
    return next((split for split, pattern in _KOREAN if pattern.fullmatch(word)), None)


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)
