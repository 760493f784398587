"""The files of a run folder: their names, and reading them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from ..errors import InputError, with_article

CONFIG, RESULT, FOUND, SPLITS = "config.yaml", "result.json", "found.json", "splits.json"
RESUME_FILE = "resume.ckpt"
"""State that `--resume` continues from: weights, optimizer, schedule, position in the epoch, random generators."""

_FIX = "--overwrite to train again, or another --output"
_SPLIT: dict[str, type | tuple[type, ...]] = {
    "source": str,
    "split": str,
    "fingerprint": str,
    "rows": (list, type(None)),
}
"""Fields of a split in splits.json -> their types."""


def read_config(path: Path) -> dict[str, Any]:
    """Return the options in config.yaml.

    Raises:
        InputError: it is not a mapping in YAML.
    """
    try:
        content = yaml.safe_load(_text(path))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"invalid YAML ({' '.join(str(error).split())})", place=path, fix=_FIX) from None
    if not isinstance(content, dict):
        raise InputError("the file has no options", place=path, expected="lines like `task: ner`", fix=_FIX)
    return content


def read_result(path: Path) -> dict[str, Any]:
    """Return the content of result.json.

    Raises:
        InputError: it is damaged.
    """
    content = _mapping(path)
    if not isinstance(content.get("metrics"), dict) or "test_metrics" not in content:
        raise InputError("no metrics", place=path, expected="the results of a finished run", fix=_FIX)
    return content


_FOUND: dict[str, type] = {"batch_size": int, "epochs": int, "learning_rate": float, "reasons": dict}
"""Values in found.json -> their types."""


def read_found(path: Path) -> dict[str, Any]:
    """Return the values found for `auto` options, with their `reasons`.

    Raises:
        InputError: it is damaged.
    """
    content = _mapping(path)
    for name, value in content.items():
        if type(value) is not _FOUND.get(name) or (isinstance(value, (int, float)) and value <= 0):
            raise InputError(f"{name} is {str(value)[:60]!r}", place=path, expected="a number above 0", fix=_FIX)
    return content


def read_splits(path: Path) -> dict[str, Any]:
    """Return the labels and the splits of a run; see `TaskDataModule.description`.

    Raises:
        InputError: it is damaged.
    """
    content = _mapping(path)
    labels, splits = content.get("labels"), content.get("splits")
    if not isinstance(labels, list) or not isinstance(splits, dict) or not all(map(_is_split, splits.values())):
        raise InputError(
            "not the labels and splits of a run", place=path, expected='{"labels": [...], "splits": {...}}', fix=_FIX
        )
    return content


def _is_split(value: Any) -> bool:
    if not isinstance(value, dict) or not all(isinstance(value.get(name), kind) for name, kind in _SPLIT.items()):
        return False
    return all(type(row) is int for row in value["rows"] or ())


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON ({error})", place=path, fix=_FIX) from None
    if not isinstance(content, dict):
        raise InputError(
            f"holds {with_article(type(content).__name__)}", place=path, expected="a JSON object", fix=_FIX
        )
    return content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", place=path, fix=_FIX) from None
