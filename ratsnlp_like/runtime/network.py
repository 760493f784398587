"""Offline mode of the Hugging Face libraries where the hub cannot be reached."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from urllib.parse import urlparse


def offline_if_cut_off() -> None:
    """Switch the hub's libraries to offline mode if its host has no address; they would retry for half a minute.

    Nothing is checked where a proxy is configured, or where HF_HUB_OFFLINE is set already.
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
