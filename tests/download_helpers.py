"""A local HTTP host for tests of downloads."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

CONTENT = bytes(range(256)) * 2000
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Host(BaseHTTPRequestHandler):
    """A host whose responses depend on the path."""

    content, tag = CONTENT, '"v1"'
    failures = 0
    """Number of responses that break off in the middle."""
    requests: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        Host.requests.append((self.path, wanted))
        if self.path == "/missing":
            self.send_error(404)
            return
        if self.path == "/page":
            self._send(200, b"<!DOCTYPE html><title>sign in</title>", kind="text/html; charset=utf-8")
            return
        if self.path == "/disguised":
            self._send(200, b"\n <html><body>quota exceeded</body></html>")
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if start and self.headers.get("If-Range") == self.tag:
            if start >= len(self.content):
                self.send_error(416)
                return
            self._send(206, self.content[start:])
        else:
            self._send(200, self.content)

    def _send(self, status: int, body: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.tag)
        self.end_headers()
        if Host.failures:
            Host.failures -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
