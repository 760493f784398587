"""Where a page is reached: ports, notebooks, Colab, tunnels."""

from __future__ import annotations

import asyncio
import logging
from importlib.util import find_spec
from typing import Any

from ..errors import InputError
from ..serve import server

log = logging.getLogger("ratsnlp")


def listen(host: str, port: int) -> Any:
    """A socket that is bound, to another port where this one is taken."""
    try:
        return server.listen(host, port)
    except InputError:
        log.warning("port %d is taken, by a cell that ran before it may be; taking another one.", port)
        return server.listen(host, 0)


def in_notebook() -> bool:
    """Whether an event loop runs already, as in the cells of a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def show_in_colab(port: int) -> None:
    """The page below the cell, through Colab's own proxy; nothing elsewhere."""
    try:
        from google.colab import output
    except ImportError:
        return
    output.serve_kernel_port_as_iframe(port, height="720")


def open_tunnel(port: int) -> None:
    """A public address, where the package that makes one is installed."""
    if find_spec("pyngrok") is None:
        log.warning("public=True: the package pyngrok is not installed; going on without a public address.")
        return
    from pyngrok import ngrok

    log.warning("everybody reaches the page at %s", ngrok.connect(port).public_url)
