"""`get_web_service_app(inference_fn)`: the book's page and POST /api, behind the guard of the project's own server."""

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
from .questions import Question

log = logging.getLogger("ratsnlp")

_PATHS = ["/", "/api", "/static/page.css", "/static/page.js"]


class WebApp:
    """An application (ASGI) with `run()`, as the notebooks call it.

    Args:
        inference_fn: of the notebook; its result is sent as JSON.
        question: what a request holds.
        is_colab: show the page through Colab's own proxy, where this is Colab.
    """

    def __init__(self, inference_fn: Callable[..., Any], question: Question, *, is_colab: bool = True) -> None:
        self.inference_fn, self.question, self.is_colab = inference_fn, question, is_colab
        self._one_at_a_time = threading.Lock()
        self._asgi = self._build(())

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """See ASGI."""
        await self._asgi(scope, receive, send)

    def run(self, host: str = "127.0.0.1", port: int = 5000, *, public: bool = False) -> Any:
        """Serve: until Ctrl-C in a script, beside the notebook in a notebook.

        Args:
            host: address to listen on; others reach it where it is not this machine's own (0.0.0.0 for all).
            port: to listen on; another one where it is taken.
            public: open a tunnel for everybody with the package pyngrok; nothing but this opens one.

        Returns:
            In a notebook, the server: `server.should_exit = True` ends it.
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
            return HTMLResponse(self.question.page())

        async def refused(request: Any, error: Any) -> Any:
            return of_status(error, request.url.path, _PATHS).response()

        async def at_fault(request: Any, error: Any) -> Any:
            return of_input(error, ()).response()

        return Starlette(
            routes=[
                Route("/", page),
                Route("/api", self._answer, methods=["POST"]),
                Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
            ],
            exception_handlers={HTTPException: refused, InputError: at_fault},
            middleware=[Middleware(Guard, limits=Limits(), allowed_hosts=allowed_hosts)],
        )

    async def _answer(self, request: Any) -> Any:
        from ..serve.problems import Json, Problem

        try:
            body = await request.json()
        except ValueError:
            raise Problem(400, "the body is not JSON", place="body", expected="JSON in UTF-8") from None
        values = self.question.values(body)
        return Json(await asyncio.to_thread(self._ask, values))

    def _ask(self, values: Sequence[Any]) -> Any:
        with self._one_at_a_time:
            return self.inference_fn(*values)
