"""A server that runs until Ctrl-C."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..inference.model_folder import PredictionPrecision
from ..inference.predictor import Predictor
from ..serve import app
from .limits import Limits

log = logging.getLogger("ratsnlp_like")

_GRACE = 3
"""Seconds that requests under way have after Ctrl-C."""


def serve(
    model: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    cors: Sequence[str] = (),
    allowed_hosts: Sequence[str] = (),
    precision: PredictionPrecision = "32",
) -> None:
    """Serve a saved model until Ctrl-C.

    Args:
        model: a run folder (its best model), a model folder or the name of a bundled checkpoint.
        host: address to listen on; others reach the server where it is not this machine's own (0.0.0.0 for all).
        port: to listen on; 0 takes a free one.
        limits: of requests.
        cors: origins whose pages may ask.
        allowed_hosts: see `app`; any where the server listens to others.
        precision: see `Predictor.from_pretrained`.

    Raises:
        InputError: the address is taken or is none, or there is no model.
    """
    with listen(host, port) as taken:  # before the model is loaded: a taken port is told at once
        import uvicorn

        predictor = Predictor.from_pretrained(model, precision=precision)
        address = taken.getsockname()
        names = allowed_hosts or (() if is_own(address[0]) else ("*",))
        served = app(predictor, limits, name=name_of(model), cors=cors, allowed_hosts=names)
        config: Any = uvicorn.Config(
            served, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE
        )
        log.info("%s is served at %s (Ctrl-C ends it)", predictor.task.name, url(address))

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: Any = None) -> None:
                served.state.batcher.stop()  # a text that is being written ends here; uvicorn would wait for its end
                await super().shutdown(sockets)

        with suppress(KeyboardInterrupt):  # uvicorn hands the signal on when all is done, though not always
            Server(config).run(sockets=[taken])
        log.info("ended")


def name_of(model: str | Path) -> str:
    """What a page calls a model: the name of its folder, or of the run that it is the best of."""
    path = Path(model).expanduser().resolve()
    return path.parent.name if path.name in {"best", "last"} else path.name


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        InputError: the port is taken or is none, or there is no such host.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"{port}", place="--port", expected="a number from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"{host!r}: {error}", place="--host", fix="--host 127.0.0.1") from None
    taken = socket.socket(family, kind, protocol)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind(address)
        taken.listen(128)  # who asks while the model is being loaded waits
    except OSError as error:
        taken.close()
        raise InputError(
            f"cannot listen at {host}, port {port}: {error.strerror}",
            place="--port",
            fix=f"another one: --port {port + 1 if port < 65535 else 8000}, or --port 0 for any that is free",
        ) from None
    return taken


def is_own(address: str) -> bool:
    """Whether only this machine reaches an address."""
    return address.startswith("127.") or address == "::1"


def url(address: Sequence[Any]) -> str:
    """An address as a browser takes it."""
    host, port = address[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
