"""Files from the network: whole or not there, checked, gone on with where they broke off.

pooch checks and renames but cannot go on with a part; huggingface_hub knows its own hub alone. So the standard library
fetches, and what is not a file (a page that asks for a password, an excuse) is told as such.
"""

from __future__ import annotations

import hashlib
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from filelock import FileLock

from ..errors import InputError, is_full

log = logging.getLogger("ratsnlp_like")

_TRIES = 3
_BLOCK = 1 << 16
_PAGE = (b"<!doctype html", b"<html")


def download(
    url: str,
    path: Path,
    *,
    sha256: str | None = None,
    force: bool = False,
    proxies: Mapping[str, str] | None = None,
    timeout: float = 10,
    progress: bool = True,
) -> Path:
    """Fetch a file, unless it is on this disk. What a broken connection left is gone on with.

    Args:
        url: where from.
        path: where to; the file is there when it is whole, and not before.
        sha256: its digest, in hexadecimal. A file that was there before is not looked into.
        force: fetch it even if it is there.
        proxies: scheme -> address of a proxy; those of the environment by default.
        timeout: seconds without an answer.
        progress: show a bar.

    Raises:
        InputError: the host cannot be reached, answers with an error or a page, breaks off, or the digest is another.
    """
    if path.exists() and not force:
        log.info("%s is on this disk.", path)
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    with FileLock(path.with_name(path.name + ".lock")):
        if path.exists() and not force:
            return path  # another process was faster
        try:
            _fetch(url, part, proxies, timeout, progress)
            _check(url, part, sha256)
        except OSError as error:
            if not is_full(error):
                raise
            raise InputError(f"cannot be written: {error}", place=path, fix="make room on the disk") from error
        part.replace(path)
        _tag(part).unlink(missing_ok=True)
    return path


def _tag(part: Path) -> Path:
    """Beside a part stands which version of the file it is a part of."""
    return part.with_name(part.name + ".etag")


def _fetch(url: str, part: Path, proxies: Mapping[str, str] | None, timeout: float, progress: bool) -> None:
    problem = ""
    for _ in range(_TRIES):
        try:
            got, total = _go_on(url, part, proxies, timeout, progress)
        except HTTPError as error:
            if error.code == 416:  # what is there is no part of it
                _drop(part)
                continue
            raise InputError(f"the host answers {error.code} {error.reason}", place=url, fix=_BY_HAND) from None
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", error) or error)
            continue
        if total is None or got == total:
            return
        problem = f"the connection broke off after {got:,} of {total:,} bytes"
    raise InputError(
        problem or "nothing came", place=url, fix="try again (it goes on where it broke off), or " + _BY_HAND
    )


_BY_HAND = "fetch it with a browser and put it in its place"


def _go_on(
    url: str, part: Path, proxies: Mapping[str, str] | None, timeout: float, progress: bool
) -> tuple[int, int | None]:
    """Fetch what is missing; the size of the part, and of the whole where the host says it."""
    have = part.stat().st_size if part.exists() and _tag(part).exists() else 0
    headers = {"User-Agent": "ratsnlp_like", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": _tag(part).read_text(encoding="utf-8")}
    opener = build_opener(*([ProxyHandler(dict(proxies))] if proxies else []))
    with opener.open(Request(url, headers=headers), timeout=timeout) as answer:
        have = have if answer.status == 206 else 0
        first = answer.read(_BLOCK)
        _refuse_page(url, part, answer.headers.get("Content-Type", ""), b"" if have else first)
        if tag := answer.headers.get("ETag") or answer.headers.get("Last-Modified"):
            _tag(part).write_text(tag, encoding="utf-8")
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        with part.open("ab" if have else "wb") as file, _bar(part.stem, total, have, progress) as advance:
            while first:
                file.write(first)
                advance(len(first))
                first = answer.read(_BLOCK)
    return part.stat().st_size, total


def _refuse_page(url: str, part: Path, kind: str, head: bytes) -> None:
    if part.stem.endswith((".html", ".htm")):
        return
    if kind.startswith("text/html") or head.lstrip()[:20].lower().startswith(_PAGE):
        _drop(part)
        said = " ".join(head[:200].decode("utf-8", "replace").split())
        raise InputError(f"the host answers with a page and not with the file: {said!r}", place=url, fix=_BY_HAND)


def _check(url: str, part: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        _drop(part)
        raise InputError(
            f"the file has the sha256 {found}", place=url, expected=sha256, fix="try again, or " + _BY_HAND
        )


def _drop(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


@contextmanager
def _bar(name: str, total: int | None, have: int, progress: bool) -> Iterator[Any]:
    """Yields what is called with the number of bytes that came."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr="ipykernel" not in sys.modules)
    with Progress(console=console, disable=not progress) as bar:
        task = bar.add_task(name, total=total, completed=have)
        yield lambda size: bar.advance(task, size)
