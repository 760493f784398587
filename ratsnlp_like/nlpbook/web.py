"""`get_web_service_app(inference_fn)`: the book's page and POST /api, with the limits of `ratsnlp_like.serve`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..serve import Limits
from .ports import in_notebook, listen, open_tunnel, show_in_colab
from .request_fields import RequestFields

log = logging.getLogger("ratsnlp")

_PATHS = ["/", "/api", "/static/page.css", "/static/page.js"]


class WebApp:
    """An application (ASGI) with `run()`, as the notebooks call it.

    Args:
        inference_fn: function of the notebook; its result is sent as JSON.
        fields: fields of a request.
        is_colab: on Colab, show the page through its proxy.
    """

    def __init__(self, inference_fn: Callable[..., Any], fields: RequestFields, *, is_colab: bool = True) -> None:
        self.inference_fn, self.fields, self.is_colab = inference_fn, fields, is_colab
        self._lock = threading.Lock()
        self._asgi = self._build(())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Handle an ASGI request."""
        await self._asgi(scope, receive, send)

    def run(self, host: str = "127.0.0.1", port: int = 5000, *, public: bool = False) -> Any:
        """Serve until Ctrl-C; in a notebook, serve from a background thread.

        Args:
            host: address to listen on; 0.0.0.0 makes the page reachable from other machines.
            port: port to listen on; another one is used if it is taken.
            public: open a public tunnel with the package pyngrok.

        Returns:
            In a notebook, the server: `server.should_exit = True` stops it.
        """
        import uvicorn

        from ..serve.server import is_own, url

        taken = listen(host, port)
        address = taken.getsockname()
        if not is_own(address[0]):
            self._asgi = self._build(("*",))
        server = uvicorn.Server(uvicorn.Config(self, log_level="warning", access_log=False, server_header=False))
        log.warning("the page is at %s", url(address))
        if public:
            open_tunnel(address[1])
        if not in_notebook():
            with taken:
                return server.run(sockets=[taken])
        threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True).start()
        if self.is_colab:
            show_in_colab(address[1])
        return server

    def _build(self, allowed_hosts: Sequence[str]) -> Any:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.middleware import Middleware
        from starlette.responses import HTMLResponse
        from starlette.routing import Mount, Route
        from starlette.staticfiles import StaticFiles

        from ..serve.guard import Guard
        from ..serve.problems import of_input, of_status

        async def page(request: Any) -> Any:
            return HTMLResponse(self.fields.page())

        async def http_error(request: Any, error: Any) -> Any:
            return of_status(error, request.url.path, _PATHS).response()

        async def input_error(request: Any, error: Any) -> Any:
            return of_input(error, ()).response()

        return Starlette(
            routes=[
                Route("/", page),
                Route("/api", self._api, methods=["POST"]),
                Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
            ],
            exception_handlers={HTTPException: http_error, InputError: input_error},
            middleware=[Middleware(Guard, limits=Limits(), allowed_hosts=allowed_hosts)],
        )

    async def _api(self, request: Any) -> Any:
        from ..serve.problems import Json, Problem

        try:
            body = await request.json()
        except ValueError:
            raise Problem(400, "the body is not JSON", place="body", expected="JSON in UTF-8") from None
        values = self.fields.values(body)
        return Json(await asyncio.to_thread(self._predict, values))

    def _predict(self, values: Sequence[Any]) -> Any:
        with self._lock:
            return self.inference_fn(*values)
