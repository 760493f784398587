"""Runs the application with uvicorn until Ctrl-C."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..inference.model_folder import PredictionPrecision
from ..inference.predictor import Predictor
from ..runtime.gc_control import freeze_loaded
from . import app
from .limits import Limits

log = logging.getLogger("ratsnlp_like")

_GRACE = 3
"""Seconds that running requests have after Ctrl-C."""


def serve(
    model: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: Limits | None = None,
    cors: Sequence[str] = (),
    allowed_hosts: Sequence[str] = (),
    precision: PredictionPrecision = "auto",
    task: str | None = None,
    labels: Sequence[str] = (),
) -> None:
    """Serve a saved model until Ctrl-C or SIGTERM.

    Args:
        model: a run folder (its best model), a model folder or the name of a bundled checkpoint.
        host: address to listen on; 0.0.0.0 makes the server reachable from other machines.
        port: port to listen on; 0 takes a free one.
        limits: of requests.
        cors: origins whose pages may call the API.
        allowed_hosts: see `app`; any if the server is reachable from other machines.
        precision: see `Predictor.from_pretrained`.
        task: name of the task of a folder that transformers saved; see `Predictor.from_pretrained`.
        labels: names of its outputs.

    Raises:
        InputError: the address is in use or invalid, or there is no model.
    """
    with listen(host, port) as listening:  # before the model is loaded: a port in use is reported at once
        import uvicorn

        from .protocol import protocol

        predictor = Predictor.from_pretrained(model, precision=precision, task=task, labels=labels)
        address = listening.getsockname()
        names = allowed_hosts or (() if is_own(address[0]) else ("*",))
        served = app(predictor, limits, name=name_of(model), cors=cors, allowed_hosts=names)
        config: Any = uvicorn.Config(
            served,
            http=protocol((limits or Limits()).request_timeout),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        freeze_loaded()
        log.info("%s at %s (Ctrl-C to stop)", predictor.task.name, url(address))

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: Any = None) -> None:
                served.state.batcher.stop()  # ends running streams; uvicorn would wait for them
                await super().shutdown(sockets)

        if threading.current_thread() is threading.main_thread():
            # uvicorn raises SIGTERM again after the shutdown: it has been handled then, and is no failure
            signal.signal(signal.SIGTERM, lambda *_: None)
        with suppress(KeyboardInterrupt):  # uvicorn raises the signal again after the shutdown, though not always
            Server(config).run(sockets=[listening])
        log.info("stopped")


def name_of(model: str | Path) -> str:
    """Return the name of a model for the page: that of its model folder or run folder."""
    path = Path(model).expanduser().resolve()
    return path.parent.name if path.name in {"best", "last"} else path.name


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        InputError: the port is in use or invalid, or the host is unknown.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"{port}", place="--port", expected="a number from 0 to 65535")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(f"{host!r}: {error}", place="--host", fix="--host 127.0.0.1") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(128)  # requests wait while the model is loaded
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot listen at {host}, port {port}: {error.strerror}",
            place="--port",
            fix=f"--port {port + 1 if port < 65535 else 8000}, or --port 0 for any free port",
        ) from None
    return listening


def is_own(address: str) -> bool:
    """Return True for addresses that only this machine can reach."""
    return address.startswith("127.") or address == "::1"


def url(address: Sequence[Any]) -> str:
    """Return the URL of an address."""
    host, port = address[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
