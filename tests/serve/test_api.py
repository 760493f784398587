"""Predictions of the API, its description and its pages."""

from __future__ import annotations

import json
import re

import pytest
from helpers_serve import INPUTS, KEYS, SCRIPT, client, error, predictor
from starlette.testclient import TestClient

from ratsnlp_like.registry import TASKS


@pytest.mark.slow
@pytest.mark.parametrize("task", INPUTS)
def test_responses_equal_the_predictor(task: str) -> None:
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


def test_inference_options() -> None:
    with client(predictor(multi_label=True)) as one:
        low = one.post("/api", json=INPUTS["classification"] | {"options": {"threshold": 0.01}}).json()
        high = one.post("/api", json=INPUTS["classification"] | {"options": {"threshold": 0.99}}).json()
        plain = one.post("/api", json=INPUTS["classification"]).json()
        again = one.post("/api/batch", json={"inputs": [{"text": "가"}], "options": {"threshold": 0.01}}).json()
    assert low["label"] == ["부정", "긍정"]
    assert high["label"] == []
    assert plain["scores"] == low["scores"]
    assert again["predictions"][0]["label"] == ["부정", "긍정"]


def test_batch_keeps_order_and_isolates_failures() -> None:
    model = predictor("masked-lm")
    texts = ["하나 [MASK]", "빈칸이 없다", "둘 [MASK] [MASK]"]
    with client(model) as one:
        rows = one.post("/api/batch", json={"inputs": [{"text": text} for text in texts]}).json()["predictions"]
    assert [len(row["candidates"]) for row in (rows[0], rows[2])] == [1, 2]
    assert rows[0]["filled"].startswith("하나")
    assert "nothing to fill in" in rows[1]["error"]["problem"]


def test_description_of_the_model(small: TestClient) -> None:
    found = small.get("/model").json()
    assert (found["task"], found["labels"], found["metrics"]) == ("classification", ["부정", "긍정"], {"accuracy": 0.5})
    assert [option["name"] for option in found["options"]] == ["temperature", "threshold"]
    assert small.get("/healthz").json() == {"status": "ok", "waiting": 0}


@pytest.mark.slow
def test_openapi_schema() -> None:
    with client(predictor("question-answering")) as one:
        api = one.get("/openapi.json").json()
        page = one.get("/docs")
    assert {"/api", "/api/batch", "/healthz", "/model"} == set(api["paths"])
    with client(predictor("generation")) as one:
        assert "/api/stream" in one.get("/openapi.json").json()["paths"]
    schemas = api["components"]["schemas"]
    assert list(schemas["Request"]["properties"]) == ["question", "context", "options"]
    assert schemas["Request"]["required"] == ["question", "context"]
    assert schemas["Request"]["example"] == {"question": "언제 열었나?", "context": "도서관은 1998년에 문을 열었다."}
    assert set(schemas["Options"]["properties"]) == set(TASKS["question-answering"].inference_options)
    assert "Longest answer" in schemas["Options"]["properties"]["max_answer_length"]["description"]
    assert "413" in api["paths"]["/api"]["post"]["responses"]
    assert page.status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/static/page.js", "/static/views.js", "/static/texts.js", "/static/style.css"]
)
def test_pages_load_nothing_from_other_hosts(small: TestClient, path: str) -> None:
    page = small.get(path)
    assert page.status_code == 200
    addresses = set(re.findall(r"https?://[^\s\"'`]+", page.text))
    assert addresses <= {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


HOSTILE = ["", " ", SCRIPT, "😀👨‍👩‍👧", "\u0000\u202e", "' OR 1=1 --", "가" * 1000]


@pytest.mark.slow
@pytest.mark.parametrize("task", INPUTS)
def test_any_text_gets_a_prediction_or_an_error(task: str) -> None:
    with client(predictor(task)) as one:
        responses = [one.post("/api", json=dict.fromkeys(INPUTS[task], text)) for text in HOSTILE]
    for response in responses:
        if response.status_code == 200:
            assert set(response.json()) == KEYS[task]
        else:
            assert error(response, 422)["problem"]
    answered = [response.status_code == 200 for response in responses]
    assert any(answered) is (task != "masked-lm")  # which wants a blank to fill in


def test_offsets_refer_to_the_text_as_sent() -> None:
    text = f"😀 {SCRIPT} 하늘이는 강릉에 산다"
    with client(predictor("ner")) as one:
        found = one.post("/api", json={"text": text}).json()["entities"]
    assert found
    assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in found)


@pytest.mark.slow
def test_explanations() -> None:
    with client(predictor("pair")) as one:
        assert one.get("/model").json()["explains"] is True
        row = one.post("/api?explain=true", json=INPUTS["pair"]).json()
        assert row.keys() == KEYS["pair"] | {"explanations"}
        (explanation,) = row["explanations"]
        assert [word["text"] for word in explanation["words"]] == ["비가", "온다", "우산을", "편다"]
        assert explanation["error"] < 0.01
        assert "explanations" not in one.post("/api", json=INPUTS["pair"]).json()
    with client(predictor("ner")) as one:
        assert one.get("/model").json()["explains"] is True
        row = one.post("/api?explain=true", json=INPUTS["ner"]).json()
        assert len(row["entities"]) > 0
        assert [own["target"] for own in row["explanations"]] == [
            f"{e['text']} ({e['label']})" for e in row["entities"]
        ]
    with client(predictor("masked-lm")) as one:
        assert one.get("/model").json()["explains"] is False
        answer = one.post("/api?explain=true", json=INPUTS["masked-lm"])
        assert answer.status_code == 422
        assert "decision for each token" in answer.json()["error"]["problem"]
