"""The command: limits, addresses, start and end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvicorn
from helpers import COMMAND, command, environment, python
from helpers_serve import predictor

from ratsnlp_like.errors import InputError
from ratsnlp_like.serve import Limits, app
from ratsnlp_like.serve.protocol import protocol
from ratsnlp_like.serve.server import listen, name_of, serve


def test_contradictory_limits() -> None:
    with pytest.raises(InputError, match=r"--queue: a queue of 1 .*\n.*--queue 256"):
        Limits(queue=1)
    with pytest.raises(InputError, match="2 problems"):
        Limits(batch_size=0, batch_wait_ms=-1)


def test_import_loads_nothing_heavy() -> None:
    code = "import ratsnlp_like.serve, sys; print([m for m in ('fastapi', 'starlette', 'torch') if m in sys.modules])"
    assert python(code).stdout.strip() == "[]"


@pytest.mark.slow
def test_port_in_use_is_reported_before_the_model_is_loaded(tmp_path: Path) -> None:
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
def test_invalid_addresses(host: str, port: int, place: str) -> None:
    with pytest.raises(InputError) as found:
        listen(host, port)
    assert found.value.place == place


def test_a_server_excludes_its_model_from_collections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[bool] = []
    monkeypatch.setattr("ratsnlp_like.serve.server.freeze_loaded", lambda: frozen.append(True))
    monkeypatch.setattr(uvicorn.Server, "run", lambda *_, **__: frozen.append(False))
    before = signal.getsignal(signal.SIGTERM)
    try:
        serve(predictor("classification").save_pretrained(tmp_path / "model"), port=0)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert frozen == [True, False]  # after the model is loaded, before requests are answered


def test_name_of_a_model_is_that_of_its_folder() -> None:
    assert name_of("runs/reviews") == name_of("runs/reviews/best") == "reviews"


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """Host and port of a server with a short time limit for requests."""
    limits = Limits(request_timeout=0.5)
    with listen("127.0.0.1", 0) as listening:
        served = app(predictor(), limits)
        config = uvicorn.Config(served, http=protocol(limits.request_timeout), log_level="warning")  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[:2]
        server.should_exit = True
        thread.join(60)


def exchange(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send parts of a request, and return what comes until the server closes the connection."""
    received = b""
    with socket.create_connection(address, timeout=20) as client:
        for part in parts:
            client.sendall(part)
        while chunk := client.recv(65536):
            received += chunk
    return received


HEAD = b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"


@pytest.mark.slow
@pytest.mark.parametrize("parts", [(), (b"POST /api HT",), (HEAD,)])
def test_idle_connections_and_slow_heads_are_closed(address: tuple[str, int], parts: tuple[bytes, ...]) -> None:
    assert exchange(address, *parts) == b""


@pytest.mark.slow
def test_slow_bodies_are_refused(address: tuple[str, int]) -> None:
    head, _, body = exchange(address, HEAD + b"\r\n", b'{"text"').partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["error"]["problem"] == "the body was not received in time"


def test_requests_within_the_time_limit(address: tuple[str, int]) -> None:
    close = HEAD + b"Connection: close\r\n\r\n"
    assert exchange(address, close, b'{"text": "abc"}').startswith(b"HTTP/1.1 200")


def test_invalid_http_has_the_shape_of_other_errors(address: tuple[str, int]) -> None:
    head, _, body = exchange(address, b"\x16\x03\x01 hello\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(body)["error"]["problem"] == "the request is not valid HTTP"


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server in a process of its own, and its URL."""
    process = subprocess.Popen(
        [*COMMAND, "serve", str(folder), "--port", "0"], stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line + process.stderr.read()
        yield process, found[0]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    folder = predictor().save_pretrained(tmp_path / "reviews")
    with served(folder) as (process, url):
        request = urllib.request.Request(
            f"{url}/api",
            data=json.dumps({"text": "좋아요"}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["label"] in {"부정", "긍정"}
        with urllib.request.urlopen(f"{url}/model", timeout=60) as answer:
            assert json.load(answer)["name"] == "reviews"
        process.send_signal(number)
        assert process.communicate(timeout=60)[1] == "stopped\n"
        assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_streams_wait_for_their_readers(tmp_path: Path, number: signal.Signals) -> None:
    folder = predictor("generation", max_new_tokens=60, min_new_tokens=60).save_pretrained(tmp_path / "writer")
    body = json.dumps({"prompt": "오늘은"}).encode()
    head = HEAD.replace(b"/api", b"/api/stream").replace(b"15", b"%d" % len(body))
    with served(folder) as (process, url), ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), 20))
            client.sendall(head + b"\r\n" + body)
            assert client.recv(12) == b"HTTP/1.1 200"
        process.send_signal(number)
        assert process.communicate(timeout=60)[1] == "stopped\n"
        assert process.returncode == 0
