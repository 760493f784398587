"""A model behind HTTP: a page to try it on, and an API with batching, limits and errors that say what to do.

`app(predictor)` makes the application; `ratsnlp-like serve RUN` runs it. FastAPI and uvicorn are imported when they are
needed.
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
    """The application that answers for a model.

    Args:
        predictor: the model; one thread asks it, and nobody else should meanwhile.
        limits: sizes and times.
        name: of the model, as the page shows it; its checkpoint's by default.
        cors: origins whose pages may ask, such as `https://example.com`; none by default.
        allowed_hosts: names under which the server is reached beside localhost, IP addresses and the proxies of
            Colab and ngrok, or `*` for any. Other names are refused: a page elsewhere could point its own name here.
    """
    from .application import build

    return build(predictor, limits or Limits(), name=name, cors=cors, allowed_hosts=allowed_hosts)
