"""Middleware: checks of host names, content types and body sizes, security headers, and unexpected errors."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders

from .limits import Limits
from .problems import Problem

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("ratsnlp_like")

_PROXIES = (
    *(".localhost", ".googleusercontent.com", ".colab.dev"),
    *(".ngrok.io", ".ngrok.app", ".ngrok.dev", ".ngrok-free.app", ".ngrok-free.dev"),
)
"""Domains of the proxies of Colab and ngrok, whose names cannot be pointed at other addresses."""
_HEADERS = {
    # without frame-ancestors, since Colab shows the page in a frame
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuse requests before their bodies are parsed, and turn unexpected errors into a response with a number.

    Args:
        app: application to wrap.
        limits: largest size of a body.
        allowed_hosts: host names besides localhost, IP addresses and known proxies; `*` for any.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, allowed_hosts: Sequence[str]) -> None:
        self._app, self._limits, self._hosts = app, limits, frozenset(name.lower() for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            self._check(Headers(scope=scope), scope["method"])
            await self._app(scope, self._limited(receive), sending)
        except Problem as problem:
            await problem.response()(scope, receive, sending)
        except Exception as error:
            if begun:
                raise
            await unexpected(error).response()(scope, receive, sending)

    def _check(self, headers: Headers, method: str) -> None:
        if not self._is_own(headers.get("host", "")):
            raise Problem(
                403,
                f"unknown host name {headers.get('host', '')[:80]!r}",
                place="Host",
                fix="use localhost or an IP address, or start the server with --allowed_hosts NAME",
            )
        if method != "POST":
            return
        kind = headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise Problem(
                415,
                f"content type {kind[:80]!r}" if kind else "no content type",
                place="Content-Type",
                expected="application/json",
                fix="curl -H 'Content-Type: application/json' ...",
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._limits.max_body_bytes:
            raise self._too_long(length[:20])

    def _is_own(self, host: str) -> bool:
        """Return True for host names that cannot be pointed at this address by others (DNS rebinding)."""
        found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:\d+)?", host)
        name = found[1].lower() if found else ""
        if "*" in self._hosts or name in self._hosts or name == "localhost" or name.endswith(_PROXIES):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _limited(self, receive: Receive) -> Receive:
        """Limit the size of a body and the time of each part, while it is received."""
        seen, more = 0, True

        async def receiving() -> Any:
            nonlocal seen, more
            try:  # once the body is complete, `receive` waits for the client to disconnect
                message = await asyncio.wait_for(receive(), self._limits.request_timeout if more else None)
            except TimeoutError:
                raise self._too_slow() from None
            seen += len(message.get("body", b""))
            more = message.get("more_body", False)
            if seen > self._limits.max_body_bytes:
                raise self._too_long(f"more than {self._limits.max_body_bytes}")
            return message

        return receiving

    def _too_slow(self) -> Problem:
        limit = f"{self._limits.request_timeout:g} s"
        return Problem(
            408, "the body was not received in time", place="body", expected=f"each part within {limit}",
            headers={"Connection": "close"},
        )  # fmt: skip

    def _too_long(self, length: str) -> Problem:
        return Problem(
            413,
            f"the body has {length} bytes",
            place="body",
            expected=f"at most {self._limits.max_body_bytes:,} bytes",
            fix="send several smaller requests",
        )


def unexpected(error: BaseException) -> Problem:
    """Return the error of a defect; its number is in the log, together with the traceback."""
    number = secrets.token_hex(4)
    log.error("error %s", number, exc_info=error)
    return Problem(500, f"internal error (number {number})", fix="details are in the log of the server")
