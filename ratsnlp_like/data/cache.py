"""Folders of results on disk, each named after a digest of everything that could change its content.

A folder is complete or absent: it is written under a lock to a temporary place and renamed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from ..runtime.files import MAKE_ROOM, atomic_folder, make_folder, write_json
from ..runtime.gc_control import gc_disabled

CACHE_VERSION = 9
"""Raise it when the layout of the cache or the meaning of a feature changes."""


def cached_folder(cache: Path, key: str, build: Callable[[Path], Mapping[str, Any]]) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a key and its meta.json, built first if it is missing; safe with many processes."""
    folder = cache / key
    meta = folder / "meta.json"
    if not meta.exists():
        make_folder(cache, fix="another folder: --cache_dir FOLDER, or the variable RATSNLP_LIKE_CACHE")
        with FileLock(cache / f"{key}.lock"):
            if not meta.exists():
                full = f"{MAKE_ROOM}, or choose another folder with --cache_dir"
                with atomic_folder(folder, content="the encoded corpus", fix=full) as partial:
                    with gc_disabled():  # garbage collection among the rows took a fifth of the time
                        content = build(partial)
                    write_json(partial / "meta.json", content)
    return folder, json.loads(meta.read_text(encoding="utf-8"))


def cache_key(name: str, *parts: object) -> str:
    """Return the folder name of a cache entry: a digest over everything that could change its content."""
    digest = hashlib.sha256(json.dumps([CACHE_VERSION, *parts], ensure_ascii=False, default=repr).encode())
    return f"{name}-{digest.hexdigest()[:32]}"


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """Return a digest of the behavior of a tokenizer: its files as one JSON, or the vocabulary of a slow one."""
    if tokenizer.is_fast:
        described = json.loads(tokenizer.backend_tokenizer.to_str())
        content = json.dumps(described | {"truncation": None, "padding": None})  # an earlier call may have set these
    else:
        content = json.dumps([type(tokenizer).__qualname__, sorted(tokenizer.get_vocab().items())])
    extra = [sorted(tokenizer.special_tokens_map.items()), tokenizer.model_input_names]
    extra.append(getattr(tokenizer, "chat_template", None))
    return hashlib.sha256((content + repr(extra)).encode()).hexdigest()
