"""Requests that are refused, and the shape of their errors."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from helpers_serve import INPUTS, JSON, client, error, predictor
from starlette.testclient import TestClient

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.serve import Limits


@pytest.mark.parametrize(
    ("body", "status", "place", "problem"),
    [
        (b"{", 400, "body, character 1", "not valid JSON"),
        (b"", 422, "body", "missing"),
        (b"\xff\xfe\x00", 400, "body", "JSON"),
        (b"[" * 4000, 400, "body", "JSON"),
        (b'{"text": ' + b"[" * 900 + b"]" * 900 + b"}", 422, "text", "list"),
        (b"[1]", 422, "body", "list"),
        (b"null", 422, "body", "None"),
        (b'{"text": 3}', 422, "text", "3"),
        (b'{"text": null}', 422, "text", "None"),
        (b'{"text": NaN}', 422, "text", "nan"),
        (b'{"text": ' + b"9" * 4900 + b"}", 400, "body", "JSON"),
        (b'{"text": {"text": "a"}}', 422, "text", "dict"),
        (b"{}", 422, "text", "missing"),
        (b'{"txt": "a"}', 422, "txt", "unknown field 'txt'"),
        (b'{"text": "a", "label": "b"}', 422, "label", "unknown field"),
        (b'{"text": "a", "\\ud800": 1}', 422, "body", "surrogate"),
        (b'{"text": "\\ud800"}', 422, "text", "surrogate"),
        (b'{"text": "a", "options": {"treshold": 0.1}}', 422, "options.treshold", "unknown option"),
        (b'{"text": "a", "options": {"threshold": "0.1"}}', 422, "options.threshold", "0.1"),
        (b'{"text": "a", "options": {"threshold": 7}}', 422, "options.threshold", "7"),
        (b'{"text": "a", "options": []}', 422, "options", "list"),
        (json.dumps({"text": "가" * 101}).encode(), 413, "text", "101"),
        (b'{"text": "' + b"a" * 6000 + b'"}', 413, "body", "bytes"),
    ],
)
def test_invalid_bodies(small: TestClient, body: bytes, status: int, place: str, problem: str) -> None:
    found = error(small.post("/api", content=body, headers=JSON), status)
    assert found["place"] == place
    assert problem in found["problem"]


def test_misspelled_names_get_a_suggestion(small: TestClient) -> None:
    assert "'text'" in error(small.post("/api", json={"txt": "a"}), 422)["fix"]
    misspelt = small.post("/api", json={"text": "a", "options": {"treshold": 0.2}})
    assert "'threshold'" in error(misspelt, 422)["fix"]


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"inputs": ["가"]}, 422, "inputs[0]"),
        ({"inputs": [{"text": "a"}, {"text": 1}]}, 422, "inputs[1].text"),
        ({"inputs": [{"text": "a"}, {"text": "a", "b": 1}]}, 422, "inputs[1].b"),
        ({"inputs": [{"text": "a"}] * 5}, 413, "inputs"),
        ({"inputs": [{"text": "가" * 101}]}, 413, "inputs[0].text"),
        ({"input": []}, 422, "input"),
    ],
)
def test_invalid_batches(small: TestClient, body: Any, status: int, place: str) -> None:
    assert error(small.post("/api/batch", json=body), status)["place"] == place


def test_empty_batch(small: TestClient) -> None:
    assert small.post("/api/batch", json={"inputs": []}).json() == {"predictions": []}


def test_size_of_a_chunked_body_is_limited(small: TestClient) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 1000

    found = error(small.post("/api", content=chunks(), headers=JSON), 413)
    assert "more than 5000" in found["problem"]


def test_ten_megabytes_are_refused_by_default() -> None:
    with client() as one:
        error(one.post("/api", content=b'{"text": "' + b"a" * 10_000_000 + b'"}', headers=JSON), 413)
        lying = JSON | {"content-length": "-5"}
        error(one.post("/api", content=b"{}", headers=lying), 413)


def test_unknown_paths_methods_and_content_types(small: TestClient) -> None:
    assert "'/api'" in error(small.post("/apii", json={}), 404)["fix"]
    error(small.get("/static/../application.py"), 404)
    error(small.get("/static/%2e%2e/application.py"), 404)
    refused = small.get("/api")
    assert error(refused, 405)["expected"] == refused.headers["allow"] == "POST"
    error(small.put("/api", json={}), 405)
    assert (
        error(small.post("/api", content=b"{}", headers={"content-type": "text/plain"}), 415)["place"] == "Content-Type"
    )


def test_options_have_a_maximum() -> None:
    with client(predictor("generation"), Limits(max_options={"max_new_tokens": 5})) as one:
        found = error(one.post("/api", json={"prompt": "a", "options": {"max_new_tokens": 6}}), 422)
        fine = one.post("/api", json={"prompt": "a", "options": {"max_new_tokens": 5}})
    assert (found["place"], found["expected"]) == ("options.max_new_tokens", "less than or equal to 5")
    assert fine.status_code == 200


def test_errors_name_options_instead_of_flags() -> None:
    with client(predictor("generation")) as one:
        found = error(one.post("/api", json={"prompt": "a", "options": {"sample": False, "top_k": 3}}), 422)
    assert "options.sample" in found["problem"]
    assert "--" not in json.dumps(found)


def test_internal_errors_have_a_number_that_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Predictor, "predict", broken)
    monkeypatch.setattr(logging.getLogger("ratsnlp_like"), "propagate", True)
    with client() as one:
        found = error(one.post("/api", json={"text": "a"}), 500)
        row = one.post("/api/batch", json={"inputs": [{"text": "a"}]}).json()["predictions"][0]
        monkeypatch.setattr("ratsnlp_like.serve.service.option_texts", broken)
        error(one.get("/model"), 500)
    number = re.search(r"number (\w{8})", found["problem"])
    assert number is not None
    assert "secret" not in json.dumps([found, row])
    assert f"error {number[1]}" in caplog.text
    assert "secret detail" in caplog.text


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("ner", '{"offset": NaN}'),
        ("ner", '{"offset": Infinity}'),
        ("ner", '{"temperature": 1e-300}'),
        ("classification", '{"temperature": 1e-300}'),
        ("classification", '{"temperature": NaN}'),
        ("generation", '{"temperature": 1e-300}'),
        ("generation", '{"repetition_penalty": 1e300}'),
    ],
)
def test_options_that_overflow(task: str, options: str) -> None:
    (value,) = INPUTS[task].values()
    body = f'{{"{next(iter(INPUTS[task]))}": "{value}", "options": {options}}}'
    with client(predictor(task)) as one:
        found = error(one.post("/api", content=body.encode(), headers=JSON), 422)
    assert found["place"].removeprefix("options.") in options
