"""Download of files: atomic, verified, resumed after a broken connection.

pooch verifies and renames but cannot resume a partial file, and huggingface_hub serves its own hub only; so this uses
the standard library. A web page in place of the file (a login form, an error) is refused.
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
from .files import MAKE_ROOM, move_into_place

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
    """Download a file, unless it exists. A partial download is resumed.

    Args:
        url: address of the file.
        path: destination; it appears when the file is complete.
        sha256: its digest, in hexadecimal. A file that exists already is not verified.
        force: download it even if it exists.
        proxies: scheme -> address of a proxy; those of the environment by default.
        timeout: seconds without a response.
        progress: show a bar.

    Raises:
        InputError: the host cannot be reached, responds with an error or a web page, the connection breaks, or the
            digest differs.
    """
    if path.exists() and not force:
        log.info("%s exists already.", path)
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
            raise InputError(f"cannot be written: {error}", place=path, fix=MAKE_ROOM) from error
        move_into_place(part, path)
        _etag(part).unlink(missing_ok=True)
    return path


def _etag(part: Path) -> Path:
    """File next to a partial download that holds the version it is a part of."""
    return part.with_name(part.name + ".etag")


def _fetch(url: str, part: Path, proxies: Mapping[str, str] | None, timeout: float, progress: bool) -> None:
    problem = ""
    for _ in range(_TRIES):
        try:
            got, total = _resume(url, part, proxies, timeout, progress)
        except HTTPError as error:
            if error.code == 416:  # the partial file is not a part of this version
                _discard(part)
                continue
            raise InputError(f"the host responds {error.code} {error.reason}", place=url, fix=_BY_HAND) from None
        except (URLError, HTTPException, TimeoutError, ConnectionError) as error:
            problem = str(getattr(error, "reason", error) or error)
            continue
        if total is None or got == total:
            return
        problem = f"the connection broke after {got:,} of {total:,} bytes"
    raise InputError(
        problem or "no data was received", place=url, fix="try again (the download is resumed), or " + _BY_HAND
    )


_BY_HAND = "download it with a browser and move it to its place"


def _resume(
    url: str, part: Path, proxies: Mapping[str, str] | None, timeout: float, progress: bool
) -> tuple[int, int | None]:
    """Download what is missing; return the size of the partial file, and of the whole where the host states it."""
    have = part.stat().st_size if part.exists() and _etag(part).exists() else 0
    headers = {"User-Agent": "ratsnlp_like", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": _etag(part).read_text(encoding="utf-8")}
    opener = build_opener(*([ProxyHandler(dict(proxies))] if proxies else []))
    with opener.open(Request(url, headers=headers), timeout=timeout) as response:
        have = have if response.status == 206 else 0
        first = response.read(_BLOCK)
        _refuse_page(url, part, response.headers.get("Content-Type", ""), b"" if have else first)
        if version := response.headers.get("ETag") or response.headers.get("Last-Modified"):
            _etag(part).write_text(version, encoding="utf-8")
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None else None
        with part.open("ab" if have else "wb") as file, _bar(part.stem, total, have, progress) as advance:
            while first:
                file.write(first)
                advance(len(first))
                first = response.read(_BLOCK)
    return part.stat().st_size, total


def _refuse_page(url: str, part: Path, kind: str, head: bytes) -> None:
    if part.stem.endswith((".html", ".htm")):
        return
    if kind.startswith("text/html") or head.lstrip()[:20].lower().startswith(_PAGE):
        _discard(part)
        start = " ".join(head[:200].decode("utf-8", "replace").split())
        raise InputError(f"the host responds with a web page in place of the file: {start!r}", place=url, fix=_BY_HAND)


def _check(url: str, part: Path, sha256: str | None) -> None:
    if sha256 is None:
        return
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        _discard(part)
        raise InputError(
            f"the file has the sha256 {found}", place=url, expected=sha256, fix="try again, or " + _BY_HAND
        )


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _etag(part).unlink(missing_ok=True)


@contextmanager
def _bar(name: str, total: int | None, have: int, progress: bool) -> Iterator[Any]:
    """Yield a function to call with the number of bytes received."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr="ipykernel" not in sys.modules)
    with Progress(console=console, disable=not progress) as bar:
        task = bar.add_task(name, total=total, completed=have)
        yield lambda size: bar.advance(task, size)
