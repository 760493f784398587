"""Whether the Hugging Face hub can be reached at all."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from urllib.parse import urlparse


def offline_if_cut_off() -> None:
    """Without a network, tell the hub's libraries so: they would ask six times in half a minute.

    Nothing is asked where a proxy stands between, or where HF_HUB_OFFLINE is set already.
    """
    if os.environ.get("HF_HUB_OFFLINE") or urllib.request.getproxies():
        return
    host = urlparse(os.environ.get("HF_ENDPOINT") or "https://huggingface.co").hostname
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"
        for name in ("huggingface_hub.constants", "datasets.config"):  # they read it when they are imported
            if name in sys.modules:
                sys.modules[name].HF_HUB_OFFLINE = True  # type: ignore[attr-defined]
