"""The web application of the book."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from nlpbook_helpers import post_api

from ratsnlp_like.nlpbook import classification, generation, ner, paircls, qa


def echo(*values: Any) -> dict[str, Any]:
    return {"values": list(values)}


APPS: list[tuple[Callable[..., Any], Any, list[Any]]] = [
    (classification.get_web_service_app, "글", ["글"]),
    (ner.get_web_service_app, "글", ["글"]),
    (paircls.get_web_service_app, {"premise": "가", "hypothesis": "나"}, ["가", "나"]),
    (qa.get_web_service_app, {"question": "왜?", "context": "글"}, ["왜?", "글"]),
    (generation.get_web_service_app, {"prompt": "글"}, ["글", 10, 20, 1.0, 50, 1.0, 0, 1.0]),
]


@pytest.mark.parametrize(("make", "body", "values"), APPS)
def test_page_and_api(make: Callable[..., Any], body: Any, values: list[Any]) -> None:
    from starlette.testclient import TestClient

    app = make(echo, is_colab=False)
    answer = post_api(app, body, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()) == (200, {"values": values})
    assert "access-control-allow-origin" not in answer.headers
    client = TestClient(app, base_url="http://localhost")
    page = client.get("/").text
    assert all(f'name="{name}"' in page for name in (body if isinstance(body, dict) else ["sentence"]))
    assert "//" not in page.replace("<!doctype html>", "")  # no external resources
    for name in ("page.js", "page.css"):
        assert client.get(f"/static/{name}").status_code == 200
    script = client.get("/static/page.js").text
    assert "textContent" in script
    assert "innerHTML" not in script


@pytest.mark.parametrize(
    ("make", "body", "status", "message"),
    [
        (paircls.get_web_service_app, {"premise": "가"}, 422, "hypothesis"),
        (paircls.get_web_service_app, "가", 422, "premise"),
        (qa.get_web_service_app, {"question": 3, "context": "글"}, 422, "question"),
        (classification.get_web_service_app, {"sentence": "글"}, 422, "a JSON string"),
        (generation.get_web_service_app, {"prompt": "글", "top_k": "많이"}, 422, "an integer"),
        (generation.get_web_service_app, {"prompt": "글", "min_length": 1.5}, 422, "min_length"),
        (generation.get_web_service_app, {}, 422, "prompt"),
    ],
)
def test_invalid_requests_are_problem_responses(make: Any, body: Any, status: int, message: str) -> None:
    answer = post_api(make(echo), body)
    assert answer.status_code == status
    assert message in json.dumps(answer.json()["error"], ensure_ascii=False)


def test_an_exception_in_the_notebook_is_not_sent_to_the_client() -> None:
    def broken(sentence: str) -> None:
        raise KeyError("비밀")

    answer = post_api(classification.get_web_service_app(broken), "글")
    assert answer.status_code == 500
    assert "비밀" not in answer.text


def test_run_in_a_notebook(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` returns in a notebook; Colab's proxy shows the page, and no tunnel is opened."""
    import asyncio
    import time
    import types
    import urllib.request

    shown: list[int] = []
    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(serve_kernel_port_as_iframe=lambda port, **_: shown.append(port))
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)

    async def cell() -> Any:
        return classification.get_web_service_app(echo).run(port=0)

    server = asyncio.run(cell())
    while not server.started:
        time.sleep(0.01)
    request = urllib.request.Request(
        f"http://127.0.0.1:{shown[0]}/api", json.dumps("글").encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert json.load(answer) == {"values": ["글"]}
    server.should_exit = True
    assert "the page is at http://127.0.0.1:" in caplog.text


def test_a_missing_pyngrok_is_a_warning(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    from ratsnlp_like.nlpbook import ports

    monkeypatch.setattr(ports, "find_spec", lambda name: None)
    ports.open_tunnel(5000)
    assert "pyngrok is not installed; continuing" in caplog.text
