"""Revisions of checkpoints of the hub: `owner/name@revision`."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError


def split_revision(name: str) -> tuple[str, str | None]:
    """Return a hub id and the revision after its `@`; the path of a folder is returned unchanged.

    Raises:
        InputError: nothing follows the `@`.
    """
    if "@" not in name or Path(name).expanduser().exists():
        return name, None
    repository, _, revision = name.partition("@")
    if not revision:
        raise InputError(f"no revision after the @ of {name!r}", expected="owner/name@revision")
    return repository, revision


def with_revision(name: str, revision: str | None) -> str:
    """Return `name@revision`.

    Raises:
        InputError: the name has another revision.
    """
    own = split_revision(name)[1]
    if revision is None or own == revision:
        return name
    if own is not None:
        raise InputError(f"{name!r} and the revision {revision!r}", place="--revision", fix="leave out one of them")
    return f"{name}@{revision}"
