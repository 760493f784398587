"""Hostile requests to the server, in this process: each gets an answer in the documented shape, and none is a 500."""

from __future__ import annotations

import copy
import json
import logging
from contextlib import ExitStack
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from ratsnlp_like.registry import TASKS
from ratsnlp_like.serve import app

from .damage import VALUES, damaged, damaged_value, dumped
from .models import INPUTS, random_model
from .report import Report, WrongResultError, until

_TASKS = ("classification", "ner", "question-answering", "generation")
_PATHS = (
    "/api",
    "/api",
    "/api/batch",
    "/api/stream",
    "/model",
    "/healthz",
    "/openapi.json",
    "/",
    "/docs",
    "/static/page.js",
)
_STRANGE = (
    "/api/../model",
    "/static/../../setup.py",
    "/%00",
    "/api?view=x",
    "/api?view=true",
    "//api",
    "/가",
    "/api/" + "a" * 3000,
)
_METHODS = ("POST", "POST", "POST", "POST", "GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH")
_TYPES = ("application/json",) * 8 + (
    "text/plain",
    "",
    "application/json; charset=cp949",
    "multipart/form-data",
    "é" * 3,
)
_STATUS = frozenset({200, 307, 400, 403, 404, 405, 408, 413, 415, 422, 503})


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Send requests until the time is over."""
    logging.disable(logging.CRITICAL)
    with ExitStack() as stack:
        clients = {}
        for task in _TASKS:
            made = TestClient(app(random_model(task)), base_url="http://localhost:8000", raise_server_exceptions=False)
            clients[task] = stack.enter_context(made)
        for rng in until(seconds, at_least, seed):
            task = _TASKS[rng.integers(0, len(_TASKS))]
            _try(report, clients[task], task, rng)
    logging.disable(logging.NOTSET)


def _try(report: Report, client: TestClient, task: str, rng: np.random.Generator) -> None:
    path = (
        _STRANGE[rng.integers(0, len(_STRANGE))] if rng.integers(0, 20) == 0 else _PATHS[rng.integers(0, len(_PATHS))]
    )
    method = _METHODS[rng.integers(0, len(_METHODS))]
    kind = _TYPES[rng.integers(0, len(_TYPES))]
    body = _body(task, rng, batch=path == "/api/batch")
    headers = {"content-type": kind.encode()} if kind else {}
    with report.trial("requests", lambda: ("body", f"{task} {method} {path} {kind}\n".encode() + body)):
        response = client.request(method, path, content=body, headers=headers, follow_redirects=False)
        _check(response)


def _check(response: Any) -> None:
    if response.status_code not in _STATUS:
        raise WrongResultError(f"status {response.status_code}: {response.text[:200]}")
    if response.status_code >= 400 and response.request.method != "HEAD":
        error = response.json()["error"]
        if set(error) != {"problem", "place", "expected", "fix"} or not error["problem"]:
            raise WrongResultError(f"an error of another shape: {response.text[:200]}")
    if "event: error" in response.text and "internal error" in response.text:
        raise WrongResultError(f"an internal error in a stream: {response.text[:200]}")
    if '"internal error' in response.text:
        raise WrongResultError(f"an internal error in a batch: {response.text[:200]}")


def _body(task: str, rng: np.random.Generator, *, batch: bool) -> bytes:
    one = copy.deepcopy(INPUTS[task])
    options: dict[str, Any] = {"max_new_tokens": 2} if task == "generation" else {}
    known = sorted(TASKS[task]().usable_options())
    if task == "generation" and rng.integers(0, 2):
        options["sample"] = True
    if rng.integers(0, 2):
        name = known[rng.integers(0, len(known))]
        number = [0.0, 1e-300, 1e300, 0.5, 1, 2, 10**9, -1][rng.integers(0, 8)]
        options[name] = number if rng.integers(0, 2) else VALUES[rng.integers(0, len(VALUES))]
    value: Any = {"inputs": [one] * int(rng.integers(0, 4))} if batch else one
    value["options"] = options
    match rng.integers(0, 4):
        case 0:
            return dumped(damaged_value(value, rng), rng, lines=False)
        case 1:
            return damaged(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"), rng)
        case 2:
            value = damaged_value(value, rng)
            return damaged(dumped(value, rng, lines=False), rng)
        case _:
            return json.dumps(value, ensure_ascii=True).encode()
