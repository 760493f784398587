"""HTTP protocol of uvicorn with deadlines for idle and slow clients, and with errors in the shape of the API."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .problems import Problem


class Protocol(H11Protocol):
    """Closes connections whose next request is not received in time.

    uvicorn has a time limit between two requests only, none for the first request nor for the head of any.
    """

    request_timeout = 30.0
    """Seconds until the head of a request must be complete."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the deadline of the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Parse data, and start or cancel the deadline."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._cancel()
        super().connection_lost(exc)

    @property
    def _is_serving(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _watch(self) -> None:
        if self._is_serving:
            self._cancel()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.request_timeout, self._close)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if not self._is_serving:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Send the error of a request that is not valid HTTP."""
        response = Problem(400, "the request is not valid HTTP", place="request", expected="HTTP/1.1").response()
        headers = [*response.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()


def protocol(request_timeout: float) -> type[Protocol]:
    """Return the protocol with a time limit, in seconds."""
    return type("Protocol", (Protocol,), {"request_timeout": request_timeout})
