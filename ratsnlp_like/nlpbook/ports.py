"""Access to the web page: ports, notebooks, Colab's proxy, tunnels."""

from __future__ import annotations

import asyncio
import logging
from importlib.util import find_spec
from typing import Any

from ..errors import InputError
from ..serve import server

log = logging.getLogger("ratsnlp")


def listen(host: str, port: int) -> Any:
    """Return a bound socket; another port is used if this one is taken."""
    try:
        return server.listen(host, port)
    except InputError:
        log.warning("port %d is in use, perhaps by an earlier cell; using another one.", port)
        return server.listen(host, 0)


def in_notebook() -> bool:
    """Return True if an event loop is running, as in the cells of a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def show_in_colab(port: int) -> None:
    """Show the page below the cell through Colab's proxy; do nothing outside Colab."""
    try:
        from google.colab import output
    except ImportError:
        return
    output.serve_kernel_port_as_iframe(port, height="720")


def open_tunnel(port: int) -> None:
    """Open a public tunnel if the package pyngrok is installed."""
    if find_spec("pyngrok") is None:
        log.warning("public=True: the package pyngrok is not installed; continuing without a public address.")
        return
    from pyngrok import ngrok

    log.warning("the page is public at %s", ngrok.connect(port).public_url)
