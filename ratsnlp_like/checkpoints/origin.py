"""The origin of weights: revision, commit and digest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .base import hub_file, read_json
from .revisions import split_revision

_COMMIT = re.compile("[0-9a-f]{40}")
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True)
class Origin:
    """The origin of weights: which files of which state of a checkpoint."""

    revision: str | None
    """Branch, tag or commit that was named."""
    commit: str | None
    """Commit of the hub that the files are of; None for a folder."""
    weights_sha256: str | None
    """Digest of the file with the weights; of several, digest of what `sha256sum` prints for them."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def origin_of(name: str, *, weights: bool = True) -> Origin:
    """Return the origin of a checkpoint whose files are on this machine.

    Args:
        name: a folder or a hub id, as `resolve` returns it.
        weights: False where they are not used.
    """
    config = hub_file(name, "config.json")
    commit = config.absolute().parent.name if config is not None else ""
    return Origin(
        split_revision(name)[1],
        commit if _COMMIT.fullmatch(commit) else None,
        weights_digest(name) if weights else None,
    )


def weights_digest(name: str) -> str | None:
    """Return the sha256 digest of the weights of a checkpoint, as `Origin` states it; None without weights."""
    digests = [(path.name, _digest(path)) for path in _weight_files(name)]
    if len(digests) < 2:
        return digests[0][1] if digests else None
    lines = "".join(f"{digest}  {file}\n" for file, digest in digests)
    return hashlib.sha256(lines.encode()).hexdigest()


def _weight_files(name: str) -> list[Path]:
    for file in ("model.safetensors", "pytorch_model.bin"):  # in the order of transformers
        if (path := hub_file(name, file)) is not None:
            return [path]
        shards = read_json(hub_file(name, f"{file}.index.json")).get("weight_map", {})
        if shards:
            return [path for shard in sorted(set(shards.values())) if (path := hub_file(name, shard)) is not None]
    return []


def _digest(path: Path) -> str:
    stored = path.resolve().name  # the cache of the hub names a file of weights by its digest
    return stored if _SHA256.fullmatch(stored) else _file_digest(path)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
