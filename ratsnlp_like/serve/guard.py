"""What stands before the application: who may ask under which name, how much, and what no answer goes without."""

from __future__ import annotations

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
"""Names that are led here by a proxy and that nobody can point at another address: Colab's and ngrok's."""
_HEADERS = {
    # no frame-ancestors: Colab shows the page in a frame
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Guard:
    """Refuses what is not to be read, and answers what escapes with a number in place of a stack trace.

    Args:
        app: the application behind.
        limits: how long a body may be.
        allowed_hosts: names of this server beside localhost, addresses and known proxies; `*` for any.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, allowed_hosts: Sequence[str]) -> None:
        self._app, self._limits, self._hosts = app, limits, frozenset(name.lower() for name in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
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
            await self._app(scope, self._measured(receive), sending)
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
                f"this server does not go by the name {headers.get('host', '')[:80]!r}",
                place="Host",
                fix="ask under localhost or an address; `ratsnlp-like serve` takes --allowed_hosts NAME",
            )
        if method != "POST":
            return
        kind = headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() != "application/json":
            raise Problem(
                415,
                f"the body is {kind[:80] or 'of no stated kind'}",
                place="Content-Type",
                expected="application/json",
                fix="curl -H 'Content-Type: application/json' ...",
            )
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > self._limits.max_body_bytes:
            raise self._too_long(length[:20])

    def _is_own(self, host: str) -> bool:
        """Whether a page that asks under this name can have come from here (DNS rebinding)."""
        found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(:\d+)?", host)
        name = found[1].lower() if found else ""
        if "*" in self._hosts or name in self._hosts or name == "localhost" or name.endswith(_PROXIES):
            return True
        try:
            ipaddress.ip_address(name.strip("[]"))
        except ValueError:
            return False
        return True

    def _measured(self, receive: Receive) -> Receive:
        """The body as it comes, as far as it is not too long; not every client says its length."""
        seen = 0

        async def receiving() -> Any:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limits.max_body_bytes:
                raise self._too_long(f"more than {self._limits.max_body_bytes}")
            return message

        return receiving

    def _too_long(self, length: str) -> Problem:
        return Problem(
            413,
            f"the body has {length} bytes",
            place="body",
            expected=f"at most {self._limits.max_body_bytes:,} bytes",
            fix="send less at once",
        )


def unexpected(error: BaseException) -> Problem:
    """What a client is told of a defect: a number under which the log has it whole."""
    number = secrets.token_hex(4)
    log.error("error %s", number, exc_info=error)
    return Problem(500, f"something went wrong here (number {number})", fix="the server's log says more")
