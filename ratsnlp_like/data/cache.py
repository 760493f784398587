"""Folders of results on disk, each named after a digest of everything that could change its content.

A folder is complete or absent: it is written under a lock to a temporary place and renamed. Its files are verified each
time it is opened; a damaged folder is built again.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock
from xxhash import xxh3_128

from ..runtime.files import MAKE_ROOM, atomic_folder, file_digest, make_folder, to_json, write_json
from ..runtime.gc_control import gc_disabled

log = logging.getLogger("ratsnlp_like")

CACHE_VERSION = 10
"""Raise it when the layout of the cache or the meaning of a feature changes."""
_META = "meta.json"


def cached_folder(cache: Path, key: str, build: Callable[[Path], Mapping[str, Any]]) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a key and what `build` returned; built first if it is missing or damaged.

    Safe with many processes: one of them builds, and the others wait for it.
    """
    folder = cache / key
    content = _verified(folder)
    if content is None:
        make_folder(cache, fix="another folder: --cache_dir FOLDER, or the variable RATSNLP_LIKE_CACHE")
        with FileLock(cache / f"{key}.lock"):
            content = _verified(folder)
            if content is None:
                content = _build(folder, build)
    return folder, content


def _build(folder: Path, build: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
    if folder.exists():
        log.warning("%s: the cached corpus is damaged (a file is cut off, missing or altered); built again.", folder)
    full = f"{MAKE_ROOM}, or choose another folder with --cache_dir"
    with atomic_folder(folder, content="the encoded corpus", fix=full) as partial:
        with gc_disabled():  # garbage collection among the rows took a fifth of the time
            content: dict[str, Any] = json.loads(to_json(build(partial)))
        files = {path.name: file_digest(path) for path in sorted(partial.iterdir())}
        write_json(partial / _META, {"content": content, "files": files, "digest": _seal(content, files)})
    return content


def _verified(folder: Path) -> dict[str, Any] | None:
    """Return what `build` returned for a folder; None if it is missing, or a file is not as it was written."""
    try:
        meta = json.loads((folder / _META).read_text(encoding="utf-8"))
        content, files = meta["content"], meta["files"]
        whole = meta["digest"] == _seal(content, files) and all(
            file_digest(folder / name) == digest for name, digest in files.items()
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return dict(content) if whole else None


def _seal(*parts: Any) -> str:
    return xxh3_128(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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
