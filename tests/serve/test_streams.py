"""Streams of generated text."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest
from helpers_serve import INPUTS, client, error, predictor
from starlette.testclient import TestClient

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.serve import Limits
from ratsnlp_like.serve.batcher import Batcher


def events(text: str) -> list[tuple[str | None, dict[str, Any]]]:
    """The events of a stream, each with its name."""
    out = []
    for block in text.strip().split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.split("\n"))
        out.append((parts.get("event"), json.loads(parts["data"])))
    return out


@pytest.mark.parametrize("task", ["generation", "causal-lm"])
def test_stream_equals_the_prediction(task: str) -> None:
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


def test_errors_before_the_first_piece_have_a_status(small: TestClient) -> None:
    assert "does not generate text" in error(small.post("/api/stream", json={"text": "a"}), 422)["problem"]
    error(small.post("/api/stream", json={"txt": "a"}), 422)
    with client(predictor("generation")) as one:
        found = error(one.post("/api/stream", json={"prompt": "a", "options": {"continuations": 2}}), 422)
    assert found["place"] == "options.continuations"


def streaming(pieces: Callable[[], Iterator[str]], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(Predictor, "stream", lambda self, prompt, **options: pieces())
    return client(predictor("generation"))


def test_later_errors_are_events(monkeypatch: pytest.MonkeyPatch) -> None:
    def pieces() -> Iterator[str]:
        yield "첫 줄\n\ndata: 둘째 줄\ud83d"
        raise RuntimeError("secret")

    with streaming(pieces, monkeypatch) as one:
        text = one.post("/api/stream", json={"prompt": "a"}).text
    (first, broken) = events(text)
    assert first == (None, {"text": "첫 줄\n\ndata: 둘째 줄\ud83d"})
    assert broken[0] == "error"
    assert "secret" not in text


def test_empty_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    with streaming(lambda: iter(()), monkeypatch) as one:
        assert events(one.post("/api/stream", json={"prompt": "a"}).text) == [("done", {})]


def test_closing_a_stream_ends_the_generation() -> None:
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
        assert await batcher.submit(["next"], lambda values: values, key=0) == ["next"]
        await batcher.close()

    asyncio.run(scene())
    assert closed.is_set()
    assert len(written) < 100


def test_many_unread_streams_delay_a_request_by_one_step() -> None:
    steps = []

    def pieces() -> Iterator[str]:
        for i in range(1000):
            steps.append(i)
            time.sleep(0.002)
            yield str(i)

    async def scene() -> None:
        batcher = Batcher(Limits(queue=20, max_inputs=20))
        streams = [batcher.stream(pieces) for _ in range(20)]
        readers = [asyncio.ensure_future(_read(stream)) for stream in streams]
        await asyncio.sleep(0.1)
        before = len(steps)
        assert await batcher.submit(["text"], lambda values: values, key=0) == ["text"]
        assert len(steps) - before <= 2
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await batcher.close()

    asyncio.run(scene())


async def _read(stream: AsyncGenerator[str, None]) -> None:
    async for _ in stream:
        pass


def test_streams_that_run_together_give_what_each_gives_alone() -> None:
    model = predictor("generation", sample=True, max_new_tokens=12, min_new_tokens=12)
    prompts = ["오늘은", "내일은 비가"]
    alone = [list(model.stream(prompt)) for prompt in prompts]
    first, second = map(model.stream, prompts)
    together: list[list[str]] = [[], []]
    for _ in range(12):
        for out, stream in zip(together, (first, second), strict=True):
            out.extend([piece] if (piece := next(stream, None)) is not None else [])
    assert together == alone
