"""The routes: the page and its files, the API, what monitors ask."""

# Annotations are evaluated here: the models of requests are made for the task at hand.

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request

from .. import __version__
from ..errors import InputError
from ..inference.predictor import Predictor
from ..tasks.base import Task
from .batcher import Batcher, answers, started
from .guard import Guard, unexpected
from .inputs import ErrorBody, input_fields, many_model, one_model, option_texts
from .limits import Limits
from .problems import Json, Problem, as_json, of_input, of_status, of_validation

_STATIC = Path(__file__).parent / "static"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in {
        400: "the body is not JSON",
        413: "the body, a text or the list of inputs is too long",
        422: "a field, an option or a text is not what it should be",
        503: "too many inputs are waiting; Retry-After says when to come back",
    }.items()
}


def build(
    predictor: Predictor, limits: Limits, *, name: str | None, cors: Sequence[str], allowed_hosts: Sequence[str]
) -> FastAPI:
    """See `ratsnlp_like.serve.app`."""
    batcher = Batcher(limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await batcher.close()

    title = name or str(predictor.about.get("checkpoint") or predictor.task.name)
    made = FastAPI(title=title, version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    _add_pages(made)
    _add_api(made, Asking(predictor, limits, batcher))
    looks: dict[str, tuple[str, Callable[[], Any]]] = {
        "/model": ("The model", lambda: describe(predictor, title, limits)),
        "/healthz": ("Whether it runs", lambda: {"status": "ok", "waiting": batcher.waiting}),
    }
    for path, (summary, look) in looks.items():
        made.add_api_route(path, _answering(look), methods=["GET"], summary=summary)
    _add_errors(made, predictor)
    made.state.batcher = batcher
    made.add_middleware(Guard, limits=limits, allowed_hosts=allowed_hosts)
    if cors:
        made.add_middleware(
            CORSMiddleware, allow_origins=list(cors), allow_methods=["GET", "POST"], allow_headers=["content-type"]
        )
    return made


def _answering(look: Callable[[], Any]) -> Callable[[], Any]:
    async def endpoint() -> Response:
        return Json(look())

    return endpoint


class Asking:
    """The API of one model.

    Args:
        predictor: the model.
        limits: of a request.
        batcher: the queue before the model.
    """

    def __init__(self, predictor: Predictor, limits: Limits, batcher: Batcher) -> None:
        self.predictor, self.task, self.limits, self._batcher = predictor, predictor.task, limits, batcher

    async def predict(self, inputs: Sequence[dict[str, Any]], options: dict[str, Any]) -> list[Any]:
        """Rows of predictions; an exception in the place of an input that failed."""
        asked = self.predictor.with_options(**options) if options else self.predictor
        key = tuple(sorted(options.items()))

        def rows(values: list[Any]) -> list[Any]:
            return [self.task.to_row(p) for p in asked.predict(values, batch_size=self.limits.batch_size)]

        return await self._batcher.ask(inputs, lambda values: answers(rows, values), key=key)

    async def stream(self, value: dict[str, Any], options: dict[str, Any]) -> AsyncGenerator[bytes, None]:
        """Events: `data: {"text": piece}`, then `event: done`, or `event: error` where it breaks off."""
        pieces = await started(self._batcher.stream(lambda: self.predictor.stream(value, **options)))

        async def events() -> AsyncGenerator[bytes, None]:
            try:
                async for piece in pieces:
                    yield _event(None, {"text": piece})
                yield _event("done", {})
            except Exception as error:
                yield _event("error", self.problem(error).content)
            finally:
                await pieces.aclose()

        return events()

    def problem(self, error: Exception) -> Problem:
        """What a client is told of an outcome that is an exception."""
        if isinstance(error, Problem):
            return error
        return of_input(error, self.task.inference_options) if isinstance(error, InputError) else unexpected(error)


def _event(name: str | None, content: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {as_json(content)}\n\n".encode("utf-8", "backslashreplace")


def _add_api(made: FastAPI, asking: Asking) -> None:
    one: Any = one_model(asking.task, asking.limits)
    many: Any = many_model(asking.task, asking.limits)

    async def ask(body: one) -> Response:
        value, options = _parts(body)
        (outcome,) = await asking.predict([value], options)
        if isinstance(outcome, Exception):
            raise asking.problem(outcome)
        return Json(outcome)

    async def ask_many(body: many) -> Response:
        values = [value.model_dump() for value in body.inputs]
        outcomes = await asking.predict(values, body.options.model_dump(exclude_unset=True))
        rows = [asking.problem(row).content if isinstance(row, Exception) else row for row in outcomes]
        return Json({"predictions": rows})

    async def stream(body: one) -> Response:
        return StreamingResponse(await asking.stream(*_parts(body)), media_type="text/event-stream")

    texts = {
        "/api": (ask, "Ask about one input", "Options that are left out are the model's own."),
        "/api/batch": (
            ask_many,
            "Ask about several inputs",
            "Predictions in the order of the inputs; an input that fails has its own error in its place.",
        ),
        "/api/stream": (
            stream,
            "Text as it is written",
            'For models that write: events `data: {"text": ...}`, then `event: done`, or `event: error` with an error.',
        ),
    }
    for path, (endpoint, summary, description) in texts.items():
        made.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            summary=summary,
            description=description,
            responses=_ERRORS,
            response_class=Json,
        )


def _parts(body: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of an input, and the options that were set."""
    whole = body.model_dump(exclude_unset=True)
    options = whole.pop("options", {})
    return whole, options


def _add_pages(made: FastAPI) -> None:
    for path, file in {"/": "index.html", "/docs": "docs.html"}.items():
        made.add_api_route(path, _file(_STATIC / file), methods=["GET"], include_in_schema=False)
    made.mount("/static", StaticFiles(directory=_STATIC))


def _file(path: Path) -> Callable[[], Any]:
    async def endpoint() -> Response:
        return FileResponse(path)

    return endpoint


def _add_errors(made: FastAPI, predictor: Predictor) -> None:
    paths = ["/", "/docs", "/openapi.json", "/model", "/healthz", "/api", "/api/batch", "/api/stream"]
    asking, names = predictor.task.inference_options, input_fields(predictor.task)

    async def refused(request: Request, error: Any) -> Response:
        return of_status(error, request.url.path, paths).response()

    async def invalid(request: Request, error: Any) -> Response:
        return of_validation(error.errors(), names, asking).response()

    async def at_fault(request: Request, error: Any) -> Response:
        return of_input(error, asking).response()

    made.add_exception_handler(HTTPException, refused)
    made.add_exception_handler(RequestValidationError, invalid)
    made.add_exception_handler(InputError, at_fault)


def describe(predictor: Predictor, name: str, limits: Limits) -> dict[str, Any]:
    """What the page shows of a model."""
    task, texts = predictor.task, option_texts(predictor.task)
    split = next((s for s in ("test", "validation") if s in predictor.metrics), None)
    metrics = predictor.metrics[split] if split else {}
    numbers = {key: value for key, value in metrics.items() if isinstance(value, float)}
    best = {task.best_metric: numbers[task.best_metric]} if task.best_metric in numbers else {}
    return {
        "name": name,
        "task": task.name,
        "fields": list(input_fields(task)),
        "labels": predictor.labels,
        "settings": task.to_dict(),
        "options": [
            {
                "name": option,
                "default": getattr(task, option),
                "most": limits.max_options.get(option),
                "description": texts.get(option),
            }
            for option in sorted(task.inference_options)
        ],
        "checkpoint": predictor.about.get("checkpoint"),
        "corpus": predictor.about.get("corpus"),
        "split": split,
        "metrics": best | numbers,
        "max_length": predictor.max_length,
        "max_text_chars": limits.max_text_chars,
        "streams": type(task).stream is not Task.stream,
    }
