"""Names of splits, and the splits that files of a folder are named after."""

from __future__ import annotations

import re
from pathlib import Path

SPLITS = ("train", "validation", "test")
_SPLIT_NAMES = {"valid": "validation", "val": "validation", "dev": "validation", "eval": "validation"}


def canonical_split(name: str) -> str:
    """Return `validation` for `dev`, `val`, `valid` and `eval`; any other name as it is."""
    return _SPLIT_NAMES.get(name, name)


def split_of(path: Path) -> str | None:
    """Return the split that a file is named after (`train`, `klue-nli_dev`, `test-00001`), or None."""
    words = re.split(r"[^a-z]+", path.name.partition(".")[0].lower())
    found = {canonical_split(word) for word in words} & set(SPLITS)
    return found.pop() if len(found) == 1 else None
