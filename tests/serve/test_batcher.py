"""Dynamic batching and the queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpers_serve import client, error, predictor
from starlette.testclient import TestClient

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.serve import Limits
from ratsnlp_like.serve.batcher import Batcher, outcomes_of
from ratsnlp_like.serve.problems import Problem


class Counting:
    """A predictor that notes what goes through the model together, and waits for a signal before it does."""

    def __init__(self, model: Predictor) -> None:
        self.model, self.batches, self.go = model, [], threading.Event()
        self.go.set()
        self._predict = Predictor.predict

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counting = self

        def predict(self: Predictor, inputs: Sequence[Any], *, batch_size: int = 32) -> list[Any]:
            counting.batches.append([value.text for value in inputs])
            assert counting.go.wait(10)
            return counting._predict(self, inputs, batch_size=batch_size)

        monkeypatch.setattr(Predictor, "predict", predict)


def together(one: TestClient, bodies: Sequence[Any]) -> list[Any]:
    """Responses to requests that are sent at once."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: one.post("/api", json=body), bodies))


def test_concurrent_requests_share_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor())
    expected = {f"글 {i}": counting.model({"text": f"글 {i}"}).score for i in range(8)}
    counting.install(monkeypatch)
    with client(counting.model, Limits(batch_wait_ms=300, batch_size=8)) as one:
        responses = together(one, [{"text": f"글 {i}"} for i in range(8)])
    assert [len(batch) for batch in counting.batches] == [8]
    for i, response in enumerate(responses):
        assert response.json()["score"] == pytest.approx(expected[f"글 {i}"], abs=1e-5)


def test_batch_size_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(predictor())
    counting.install(monkeypatch)
    with client(counting.model, Limits(batch_wait_ms=100, batch_size=3)) as one:
        one.post("/api/batch", json={"inputs": [{"text": f"{i}"} for i in range(8)]})
    assert counting.batches == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]


def test_options_split_batches(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_failing_batches_are_halved() -> None:
    calls = []

    def work(values: list[int]) -> list[int]:
        calls.append(list(values))
        return [12 // value for value in values]

    outcomes = outcomes_of(work, [1, 2, 0, 4])
    assert outcomes[:2] == [12, 6]
    assert isinstance(outcomes[2], ZeroDivisionError)
    assert outcomes[3] == 3
    assert calls == [[1, 2, 0, 4], [1, 2], [0, 4], [0], [4]]


def test_full_queue_has_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_cancelled_inputs_are_skipped() -> None:
    done: list[Any] = []

    def work(values: list[Any]) -> list[Any]:
        time.sleep(0.1)
        done.extend(values)
        return values

    async def scene() -> None:
        batcher = Batcher(Limits(batch_size=1, batch_wait_ms=0))
        tasks = [asyncio.create_task(batcher.submit([i], work, key=0)) for i in range(3)]
        await asyncio.sleep(0.05)
        tasks[1].cancel()
        assert await tasks[2] == [2]
        await batcher.close()
        with pytest.raises(Problem, match="shutting down"):
            await batcher.submit([4], work, key=0)

    asyncio.run(scene())
    assert done == [0, 2]
