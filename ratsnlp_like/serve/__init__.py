"""HTTP server for a model: a web page, and an API with dynamic batching, limits and readable errors.

`app(predictor)` builds the application; `ratsnlp-like serve RUN` runs it. FastAPI and uvicorn are imported where they
are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..inference.predictor import Predictor

__all__ = ["Limits", "app"]


def app(
    predictor: Predictor,
    limits: Limits | None = None,
    *,
    name: str | None = None,
    cors: Sequence[str] = (),
    allowed_hosts: Sequence[str] = (),
) -> FastAPI:
    """Build the application of a model.

    Args:
        predictor: the model; it is called from one thread, and must not be called from others at the same time.
        limits: sizes and times of requests.
        name: name of the model on the page; that of its checkpoint by default.
        cors: origins whose pages may call the API, such as `https://example.com`; none by default.
        allowed_hosts: host names of the server besides localhost, IP addresses and the proxies of Colab and ngrok, or
            `*` for any. Others are refused, which prevents DNS rebinding.
    """
    from .application import build

    return build(predictor, limits or Limits(), name=name, cors=cors, allowed_hosts=allowed_hosts)
