"""The server: the API, its limits and errors, batching, streams, the command."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import COMMAND, TINY, command, environment, python, tokenizer
from starlette.testclient import TestClient
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForQuestionAnswering,
    BertForSequenceClassification,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
)

from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS
from ratsnlp_like.serve import Limits, app
from ratsnlp_like.serve.batcher import Batcher, answers
from ratsnlp_like.serve.problems import Problem
from ratsnlp_like.serve.server import listen, name_of

JSON = {"content-type": "application/json"}
SCRIPT = "<script>alert(1)</script>"
HEADS = {
    "classification": (BertForSequenceClassification, ["부정", "긍정"], 2),
    "pair": (BertForSequenceClassification, ["contradiction", "entailment", "neutral"], 3),
    "similarity": (BertForSequenceClassification, [], 1),
    "ner": (BertForTokenClassification, ["OG", "PS"], 5),
    "question-answering": (BertForQuestionAnswering, [], 2),
    "masked-lm": (BertForMaskedLM, [], 2),
}


def predictor(task: str = "classification", **fields: Any) -> Predictor:
    """A small model of random weights for a task."""
    torch.manual_seed(0)
    words = tokenizer()
    if task in {"generation", "causal-lm"}:
        config = GPT2Config(
            vocab_size=len(words), n_positions=128, n_embd=32, n_layer=1, n_head=2,
            bos_token_id=words.cls_token_id, eos_token_id=words.sep_token_id, pad_token_id=words.pad_token_id,
        )  # fmt: skip
        return Predictor(TASKS[task](**fields), GPT2LMHeadModel(config), words, [], max_length=64)
    head, labels, outputs = HEADS[task]
    model = head(BertConfig(vocab_size=len(words), num_labels=outputs, **TINY))
    return Predictor(TASKS[task](**fields), model, words, labels, max_length=64, metrics={"test": {"accuracy": 0.5}})


INPUTS = {
    "classification": {"text": "배송이 빨라요"},
    "pair": {"text": "비가 온다", "text_pair": "우산을 편다"},
    "similarity": {"text": "비가 온다", "text_pair": "우산을 편다"},
    "ner": {"text": "하늘이는 강릉에 산다"},
    "question-answering": {"question": "어디에 사는가?", "context": "하늘이는 강릉에 산다."},
    "masked-lm": {"text": "오늘은 [MASK] 좋다"},
    "causal-lm": {"text": "오늘은"},
    "generation": {"prompt": "오늘은"},
}
KEYS = {
    "classification": {"label", "score", "scores"},
    "pair": {"label", "score", "scores"},
    "similarity": {"score"},
    "ner": {"entities"},
    "question-answering": {"answer", "start", "end", "score", "candidates"},
    "masked-lm": {"filled", "candidates"},
    "causal-lm": {"generated", "continuations"},
    "generation": {"generated", "continuations"},
}


def client(model: Predictor | None = None, limits: Limits | None = None, **options: Any) -> TestClient:
    """To be entered: a client of an application of its own."""
    return TestClient(app(model or predictor(), limits, **options), base_url="http://localhost:8000")


@pytest.fixture(scope="module")
def asked() -> Iterator[TestClient]:
    with client(limits=Limits(max_body_bytes=5000, max_text_chars=100, max_inputs=4)) as one:
        yield one


def error(response: Any, status: int) -> dict[str, str]:
    """The error of a response of that status, which has the one shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    content = response.json()
    assert set(content) == {"error"}
    assert set(content["error"]) == {"problem", "place", "expected", "fix"}
    assert "Traceback" not in response.text
    return content["error"]


class Counting:
    """A predictor that notes what goes through the model together, and waits for a signal before it does."""

    def __init__(self, model: Predictor) -> None:
        self.model, self.batches, self.go = model, [], threading.Event()
        self.go.set()
        self._predict = Predictor.predict

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counting = self

        def predict(self: Predictor, inputs: Sequence[Any], *, batch_size: int = 32) -> list[Any]:
            counting.batches.append([value["text"] for value in inputs])
            assert counting.go.wait(10)
            return counting._predict(self, inputs, batch_size=batch_size)

        monkeypatch.setattr(Predictor, "predict", predict)


# Answers


@pytest.mark.parametrize("task", INPUTS)
def test_each_task_answers_as_the_predictor_does(task: str) -> None:
    model = predictor(task)
    expected = model.task.to_row(model(INPUTS[task]))
    with client(model) as one:
        assert one.get("/model").json()["fields"] == list(INPUTS[task])
        row = one.post("/api", json=INPUTS[task])
        many = one.post("/api/batch", json={"inputs": [INPUTS[task]]})
    assert row.status_code == 200
    assert set(row.json()) == KEYS[task]
    assert row.json() == json.loads(json.dumps(expected))
    assert many.json() == {"predictions": [row.json()]}


def test_options_are_those_of_the_task() -> None:
    with client(predictor(multi_label=True)) as one:
        low = one.post("/api", json=INPUTS["classification"] | {"options": {"threshold": 0.01}}).json()
        high = one.post("/api", json=INPUTS["classification"] | {"options": {"threshold": 0.99}}).json()
        plain = one.post("/api", json=INPUTS["classification"]).json()
        again = one.post("/api/batch", json={"inputs": [{"text": "가"}], "options": {"threshold": 0.01}}).json()
    assert low["label"] == ["부정", "긍정"]
    assert high["label"] == []
    assert plain["scores"] == low["scores"]
    assert again["predictions"][0]["label"] == ["부정", "긍정"]


def test_inputs_of_a_batch_keep_their_order_and_fail_alone() -> None:
    model = predictor("masked-lm")
    texts = ["하나 [MASK]", "빈칸이 없다", "둘 [MASK] [MASK]"]
    with client(model) as one:
        rows = one.post("/api/batch", json={"inputs": [{"text": text} for text in texts]}).json()["predictions"]
    assert [len(row["candidates"]) for row in (rows[0], rows[2])] == [1, 2]
    assert rows[0]["filled"].startswith("하나")
    assert "nothing to fill in" in rows[1]["error"]["problem"]


def test_what_is_described(asked: TestClient) -> None:
    told = asked.get("/model").json()
    assert (told["task"], told["labels"], told["metrics"]) == ("classification", ["부정", "긍정"], {"accuracy": 0.5})
    assert [option["name"] for option in told["options"]] == ["threshold"]
    assert asked.get("/healthz").json() == {"status": "ok", "waiting": 0}


def test_the_api_documents_itself() -> None:
    with client(predictor("question-answering")) as one:
        api = one.get("/openapi.json").json()
        page = one.get("/docs")
    assert {"/api", "/api/batch", "/api/stream", "/healthz", "/model"} == set(api["paths"])
    schemas = api["components"]["schemas"]
    assert list(schemas["Request"]["properties"]) == ["question", "context", "options"]
    assert schemas["Request"]["required"] == ["question", "context"]
    assert schemas["Request"]["example"] == {"question": "언제 열었나?", "context": "도서관은 1998년에 문을 열었다."}
    assert set(schemas["Options"]["properties"]) == set(TASKS["question-answering"].inference_options)
    assert "Longest answer" in schemas["Options"]["properties"]["max_answer_length"]["description"]
    assert "413" in api["paths"]["/api"]["post"]["responses"]
    assert page.status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", "/static/page.js", "/static/views.js", "/static/style.css"])
def test_pages_need_no_other_host(asked: TestClient, path: str) -> None:
    page = asked.get(path)
    assert page.status_code == 200
    addresses = set(re.findall(r"https?://[^\s\"'`]+", page.text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


# Refusals


@pytest.mark.parametrize(
    ("body", "status", "place", "said"),
    [
        (b"{", 400, "body, character 1", "not JSON"),
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
def test_what_cannot_be_asked(asked: TestClient, body: bytes, status: int, place: str, said: str) -> None:
    told = error(asked.post("/api", content=body, headers=JSON), status)
    assert told["place"] == place
    assert said in told["problem"]


def test_misspelt_names_are_mended(asked: TestClient) -> None:
    assert "'text'" in error(asked.post("/api", json={"txt": "a"}), 422)["fix"]
    misspelt = asked.post("/api", json={"text": "a", "options": {"treshold": 0.2}})
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
def test_what_cannot_be_asked_at_once(asked: TestClient, body: Any, status: int, place: str) -> None:
    assert error(asked.post("/api/batch", json=body), status)["place"] == place


def test_no_inputs_no_answers(asked: TestClient) -> None:
    assert asked.post("/api/batch", json={"inputs": []}).json() == {"predictions": []}


def test_a_body_that_does_not_say_its_length_is_measured_as_it_comes(asked: TestClient) -> None:
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 1000

    told = error(asked.post("/api", content=chunks(), headers=JSON), 413)
    assert "more than 5000" in told["problem"]


def test_ten_megabytes_are_refused_by_the_default() -> None:
    with client() as one:
        error(one.post("/api", content=b'{"text": "' + b"a" * 10_000_000 + b'"}', headers=JSON), 413)
        lying = JSON | {"content-length": "-5"}
        error(one.post("/api", content=b"{}", headers=lying), 413)


def test_paths_methods_and_kinds_of_body(asked: TestClient) -> None:
    assert "'/api'" in error(asked.post("/apii", json={}), 404)["fix"]
    error(asked.get("/static/../application.py"), 404)
    error(asked.get("/static/%2e%2e/application.py"), 404)
    refused = asked.get("/api")
    assert error(refused, 405)["expected"] == refused.headers["allow"] == "POST"
    error(asked.put("/api", json={}), 405)
    assert (
        error(asked.post("/api", content=b"{}", headers={"content-type": "text/plain"}), 415)["place"] == "Content-Type"
    )


HOSTILE = ["", " ", SCRIPT, "😀👨‍👩‍👧", "\u0000\u202e", "' OR 1=1 --", "가" * 1000]


@pytest.mark.parametrize("task", INPUTS)
def test_any_text_gets_an_answer_or_an_error(task: str) -> None:
    with client(predictor(task)) as one:
        responses = [one.post("/api", json=dict.fromkeys(INPUTS[task], text)) for text in HOSTILE]
    for response in responses:
        if response.status_code == 200:
            assert set(response.json()) == KEYS[task]
        else:
            assert error(response, 422)["problem"]
    answered = [response.status_code == 200 for response in responses]
    assert any(answered) is (task != "masked-lm")  # which wants a blank to fill in


def test_offsets_are_those_of_the_text_as_it_was_sent() -> None:
    text = f"😀 {SCRIPT} 하늘이는 강릉에 산다"
    with client(predictor("ner")) as one:
        found = one.post("/api", json={"text": text}).json()["entities"]
    assert found
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in found)


def test_options_have_a_highest_value() -> None:
    with client(predictor("generation"), Limits(max_options={"max_new_tokens": 5})) as one:
        told = error(one.post("/api", json={"prompt": "a", "options": {"max_new_tokens": 6}}), 422)
        fine = one.post("/api", json={"prompt": "a", "options": {"max_new_tokens": 5}})
    assert (told["place"], told["expected"]) == ("options.max_new_tokens", "less than or equal to 5")
    assert fine.status_code == 200


def test_errors_speak_of_options_and_not_of_flags() -> None:
    with client(predictor("generation")) as one:
        told = error(one.post("/api", json={"prompt": "a", "options": {"sample": False, "top_k": 3}}), 422)
    assert "options.sample" in told["problem"]
    assert "--" not in json.dumps(told)


def test_a_defect_is_told_by_a_number_that_is_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Predictor, "predict", broken)
    monkeypatch.setattr(logging.getLogger("ratsnlp_like"), "propagate", True)
    with client() as one:
        told = error(one.post("/api", json={"text": "a"}), 500)
        row = one.post("/api/batch", json={"inputs": [{"text": "a"}]}).json()["predictions"][0]
        monkeypatch.setattr("ratsnlp_like.serve.application.describe", broken)
        error(one.get("/model"), 500)
    number = re.search(r"number (\w{8})", told["problem"])
    assert number is not None
    assert "secret" not in json.dumps([told, row])
    assert f"error {number[1]}" in caplog.text
    assert "secret detail" in caplog.text


# Who may ask


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.0.7", 200),
        ("abc-8000-colab.googleusercontent.com", 200),
        ("8000-m-s-abc.europe-west4-0.prod.colab.dev", 200),
        ("abc.ngrok-free.app", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("evilngrok-free.app", 403),
        ("", 403),
    ],
)
def test_names_that_others_can_point_here_are_refused(asked: TestClient, host: str, status: int) -> None:
    assert asked.get("/healthz", headers={"host": host}).status_code == status


def test_further_names_can_be_allowed() -> None:
    with client(allowed_hosts=["Models.example"]) as one:
        assert one.get("/healthz", headers={"host": "models.example:80"}).status_code == 200
        assert one.get("/healthz", headers={"host": "other.example"}).status_code == 403
    with client(allowed_hosts=["*"]) as one:
        assert one.get("/healthz", headers={"host": "other.example"}).status_code == 200


def test_pages_elsewhere_may_ask_where_they_are_named() -> None:
    before = {"origin": "https://a.example", "access-control-request-method": "POST"}
    with client() as one:
        assert "access-control-allow-origin" not in one.options("/api", headers=before).headers
        assert "access-control-allow-origin" not in one.get("/healthz", headers=before).headers
    with client(cors=["https://a.example"]) as one:
        assert one.options("/api", headers=before).headers["access-control-allow-origin"] == "https://a.example"
        refused = one.post("/api", json={}, headers={"origin": "https://a.example"})
        assert refused.headers["access-control-allow-origin"] == "https://a.example"
        other = one.get("/healthz", headers={"origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


# Batches


def together(one: TestClient, bodies: Sequence[Any]) -> list[Any]:
    """Responses to requests that are sent at once."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: one.post("/api", json=body), bodies))


def test_requests_that_come_together_go_through_the_model_together(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor())
    expected = {f"글 {i}": counting.model({"text": f"글 {i}"}).score for i in range(8)}
    counting.install(monkeypatch)
    with client(counting.model, Limits(batch_wait_ms=300, batch_size=8)) as one:
        responses = together(one, [{"text": f"글 {i}"} for i in range(8)])
    assert [len(batch) for batch in counting.batches] == [8]
    for i, response in enumerate(responses):
        assert response.json()["score"] == pytest.approx(expected[f"글 {i}"], abs=1e-5)


def test_a_batch_is_no_larger_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor())
    counting.install(monkeypatch)
    with client(counting.model, Limits(batch_wait_ms=100, batch_size=3)) as one:
        one.post("/api/batch", json={"inputs": [{"text": f"{i}"} for i in range(8)]})
    assert counting.batches == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]


def test_other_options_are_another_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor(multi_label=True))
    counting.install(monkeypatch)
    bodies = [{"text": f"{i}", "options": {"threshold": (0.01, 0.99)[i % 2]}} for i in range(6)]
    with client(counting.model, Limits(batch_wait_ms=200)) as one:
        responses = together(one, bodies)
    assert sorted(map(sorted, counting.batches)) == [["0", "2", "4"], ["1", "3", "5"]]
    assert [len(response.json()["label"]) for response in responses] == [2, 0] * 3


def test_one_bad_input_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = predictor("masked-lm")
    counting = Counting(model)
    counting.install(monkeypatch)
    bodies = [{"text": f"{i} [MASK]"} for i in range(7)] + [{"text": "없음"}]
    with client(model, Limits(batch_wait_ms=300, batch_size=8)) as one:
        responses = together(one, bodies)
    assert [response.status_code for response in responses] == [200] * 7 + [422]
    assert "없음" in error(responses[-1], 422)["problem"]
    assert len(counting.batches[0]) == 8


def test_halves_are_tried_down_to_the_input_that_fails() -> None:
    calls = []

    def work(values: list[int]) -> list[int]:
        calls.append(list(values))
        return [12 // value for value in values]

    outcomes = answers(work, [1, 2, 0, 4])
    assert outcomes[:2] == [12, 6]
    assert isinstance(outcomes[2], ZeroDivisionError)
    assert outcomes[3] == 3
    assert calls == [[1, 2, 0, 4], [1, 2], [0, 4], [0], [4]]


def test_a_full_queue_tells_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor())
    counting.install(monkeypatch)
    counting.go.clear()
    limits = Limits(queue=2, max_inputs=2, batch_size=1, batch_wait_ms=0)
    with client(counting.model, limits) as one, ThreadPoolExecutor(3) as pool:
        first = pool.submit(one.post, "/api", json={"text": "0"})
        while not counting.batches:
            time.sleep(0.01)
        others = pool.submit(one.post, "/api/batch", json={"inputs": [{"text": "1"}, {"text": "2"}]})
        while one.get("/healthz").json()["waiting"] < 2:
            time.sleep(0.01)
        refused = one.post("/api", json={"text": "3"})
        assert error(refused, 503)["problem"] == "2 inputs are waiting"
        assert refused.headers["retry-after"] == "1"
        counting.go.set()
        assert first.result(10).status_code == 200
        assert len(others.result(10).json()["predictions"]) == 2
        assert one.post("/api", json={"text": "4"}).status_code == 200


def test_who_has_gone_is_not_worked_for() -> None:
    done: list[Any] = []

    def work(values: list[Any]) -> list[Any]:
        time.sleep(0.1)
        done.extend(values)
        return values

    async def scene() -> None:
        batcher = Batcher(Limits(batch_size=1, batch_wait_ms=0))
        asks = [asyncio.create_task(batcher.ask([i], work, key=0)) for i in range(3)]
        await asyncio.sleep(0.05)
        asks[1].cancel()
        assert await asks[2] == [2]
        await batcher.close()
        with pytest.raises(Problem, match="shutting down"):
            await batcher.ask([4], work, key=0)

    asyncio.run(scene())
    assert done == [0, 2]


# Streams


def events(text: str) -> list[tuple[str | None, dict[str, Any]]]:
    """The events of a stream, each with its name."""
    out = []
    for block in text.strip().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n"))
        out.append((parts.get("event"), json.loads(parts["data"])))
    return out


@pytest.mark.parametrize("task", ["generation", "causal-lm"])
def test_a_stream_says_piece_by_piece_what_the_api_says_at_once(task: str) -> None:
    body = INPUTS[task] | {"options": {"max_new_tokens": 12, "min_new_tokens": 12}}
    with client(predictor(task)) as one:
        whole = one.post("/api", json=body).json()["continuations"][0]
        streamed = one.post("/api/stream", json=body)
    assert streamed.headers["content-type"].startswith("text/event-stream")
    *pieces, last = events(streamed.text)
    assert last == ("done", {})
    assert len(pieces) > 3
    assert all(name is None for name, _ in pieces)
    assert "".join(piece["text"] for _, piece in pieces) == whole != ""


def test_what_is_wrong_before_the_first_piece_has_a_status(asked: TestClient) -> None:
    assert "says all at once" in error(asked.post("/api/stream", json={"text": "a"}), 422)["problem"]
    error(asked.post("/api/stream", json={"txt": "a"}), 422)
    with client(predictor("generation")) as one:
        told = error(one.post("/api/stream", json={"prompt": "a", "options": {"continuations": 2}}), 422)
    assert told["place"] == "options.continuations"


def streaming(pieces: Callable[[], Iterator[str]], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(Predictor, "stream", lambda self, prompt, **options: pieces())
    return client(predictor("generation"))


def test_what_breaks_later_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces() -> Iterator[str]:
        yield "첫 줄\n\ndata: 둘째 줄\ud83d"
        raise RuntimeError("secret")

    with streaming(pieces, monkeypatch) as one:
        text = one.post("/api/stream", json={"prompt": "a"}).text
    (first, broken) = events(text)
    assert first == (None, {"text": "첫 줄\n\ndata: 둘째 줄\ud83d"})
    assert broken[0] == "error"
    assert "secret" not in text


def test_nothing_written_is_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with streaming(lambda: iter(()), monkeypatch) as one:
        assert events(one.post("/api/stream", json={"prompt": "a"}).text) == [("done", {})]


def test_a_stream_ends_where_nobody_reads_on() -> None:
    written, closed = [], threading.Event()

    def pieces() -> Iterator[str]:
        try:
            for i in range(10_000):
                written.append(i)
                time.sleep(0.005)
                yield str(i)
        finally:
            closed.set()

    async def scene() -> None:
        batcher = Batcher(Limits())
        stream = batcher.stream(pieces)
        assert await anext(stream) == "0"
        await stream.aclose()
        assert await batcher.ask(["next"], lambda values: values, key=0) == ["next"]
        await batcher.close()

    asyncio.run(scene())
    assert closed.is_set()
    assert len(written) < 100


# Limits, command, packages


def test_limits_that_make_no_sense() -> None:
    with pytest.raises(InputError, match=r"--queue: a queue of 1 .*\n.*--queue 256"):
        Limits(queue=1)
    with pytest.raises(InputError, match="2 problems"):
        Limits(batch_size=0, batch_wait_ms=-1)


def test_help_and_import_load_nothing_heavy() -> None:
    code = "import ratsnlp_like.serve, sys; print([m for m in ('fastapi', 'starlette', 'torch') if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"


def test_a_taken_port_is_told_before_the_model_is_loaded(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = command(["serve", tmp_path / "none", "--port", port])
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: --port: cannot listen at 127.0.0.1, port {port}: Address already in use")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("host", "port", "place"),
    [("no such host", 0, "--host"), ("127.0.0.1", 70_000, "--port"), ("8.8.8.8", 0, "--port")],
)
def test_addresses_that_are_none(host: str, port: int, place: str) -> None:
    with pytest.raises(InputError) as told:
        listen(host, port)
    assert told.value.place == place


def test_a_model_is_called_by_its_folder() -> None:
    assert name_of("runs/reviews") == name_of("runs/reviews/best") == "reviews"


def test_the_command_serves_until_ctrl_c(tmp_path: Path) -> None:
    folder = predictor().save_pretrained(tmp_path / "reviews")
    process = subprocess.Popen(
        [*COMMAND, "serve", str(folder), "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line + process.stderr.read()
        request = urllib.request.Request(
            f"{found[0]}/api",
            data=json.dumps({"text": "좋아요"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["label"] in {"부정", "긍정"}
        with urllib.request.urlopen(f"{found[0]}/model", timeout=60) as answer:
            assert json.load(answer)["name"] == "reviews"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stderr.read() == "ended\n"
    finally:
        process.kill()
