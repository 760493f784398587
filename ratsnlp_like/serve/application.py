"""Routes: the pages and their files, the API, and the endpoints of monitoring."""

# Without `from __future__ import annotations`: FastAPI evaluates the annotations, which are models made per task.

from collections.abc import AsyncIterator, Callable, Sequence
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
from .batcher import Batcher
from .guard import Guard
from .inputs import ErrorBody, input_fields, many_model, one_model
from .limits import Limits
from .problems import Json, of_input, of_status, of_validation
from .service import Service

_STATIC = Path(__file__).parent / "static"
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": text}
    for status, text in {
        400: "the body is not valid JSON",
        413: "the body, a text or the list of inputs is too long",
        422: "a field, an option or a text is invalid",
        503: "too many inputs are waiting; Retry-After states when to retry",
    }.items()
}


def build(
    predictor: Predictor, limits: Limits, *, name: str | None, cors: Sequence[str], allowed_hosts: Sequence[str]
) -> FastAPI:
    """Build the application; the arguments are those of `ratsnlp_like.serve.app`."""
    batcher = Batcher(limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await batcher.close()

    title = name or str(predictor.about.get("checkpoint") or predictor.task.name)
    service = Service(predictor, limits, batcher, name=title)
    made = FastAPI(title=title, version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    _add_pages(made)
    _add_api(made, service)
    made.add_api_route("/model", _json(service.describe), methods=["GET"], summary="Description of the model")
    made.add_api_route("/healthz", _json(service.health), methods=["GET"], summary="Status of the server")
    _add_errors(made, predictor)
    made.state.batcher = batcher
    made.add_middleware(Guard, limits=limits, allowed_hosts=allowed_hosts)
    if cors:
        made.add_middleware(
            CORSMiddleware, allow_origins=list(cors), allow_methods=["GET", "POST"], allow_headers=["content-type"]
        )
    return made


def _json(content: Callable[[], Any]) -> Callable[[], Any]:
    async def endpoint() -> Response:
        return Json(content())

    return endpoint


def _add_api(made: FastAPI, service: Service) -> None:
    one: Any = one_model(service.task, service.limits)
    many: Any = many_model(service.task, service.limits)

    async def predict(body: one, view: bool = False, explain: bool = False) -> Response:
        value, options = _parts(body)
        (outcome,) = await service.predict([value], options, explain=explain)
        if isinstance(outcome, Exception):
            raise service.problem(outcome)
        return Json(outcome.to_row(view=view))

    async def predict_batch(body: many, view: bool = False) -> Response:
        values = [value.model_dump() for value in body.inputs]
        outcomes = await service.predict(values, body.options.model_dump(exclude_unset=True))
        rows = [
            service.problem(outcome).content if isinstance(outcome, Exception) else outcome.to_row(view=view)
            for outcome in outcomes
        ]
        return Json({"predictions": rows})

    async def stream(body: one) -> Response:
        return StreamingResponse(await service.stream(*_parts(body)), media_type="text/event-stream")

    def add(path: str, endpoint: Callable[..., Any], summary: str, description: str, *, listed: bool = True) -> None:
        made.add_api_route(
            path,
            endpoint,
            methods=["POST"],
            summary=summary,
            description=description,
            responses=_ERRORS,
            response_class=Json,
            include_in_schema=listed,
        )

    add(
        "/api",
        predict,
        "Predict one input",
        "The default of an option is the value that the model was saved with. view=true adds a view for the page, "
        "explain=true the part of each word in each decision (classes, pairs, scores, entities, answers).",
    )
    add(
        "/api/batch",
        predict_batch,
        "Predict several inputs",
        "Predictions in the order of the inputs; an input that fails has an error in its place.",
    )
    add(
        "/api/stream",
        stream,
        "Stream generated text",
        'Events `data: {"text": ...}`, then `event: done`, or `event: error` with an error.',
        listed=service.streams,
    )


def _parts(body: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields of an input, and the options that were set."""
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
    options, names = predictor.task.usable_options(), input_fields(predictor.task)

    async def refused(request: Request, error: Any) -> Response:
        return of_status(error, request.url.path, paths).response()

    async def invalid(request: Request, error: Any) -> Response:
        return of_validation(error.errors(), names, options).response()

    async def bad_input(request: Request, error: Any) -> Response:
        return of_input(error, options).response()

    made.add_exception_handler(HTTPException, refused)
    made.add_exception_handler(RequestValidationError, invalid)
    made.add_exception_handler(InputError, bad_input)
