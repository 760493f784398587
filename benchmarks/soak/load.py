"""A server under load, with clients that misbehave: every well-behaved request gets its answer."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from .models import random_model
from .report import Report

CLIENTS = 32
"""Well-behaved clients."""
_WORDS = ["배송이", "빨라서", "좋았는데", "포장은", "아쉬웠고", "다음에도", "주문할", "생각이에요"]
_LENGTHS = (1, 4, 16, 60)
"""Numbers of words of the texts."""
_HEAD = b"POST /api HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "


def run(report: Report, *, seconds: float, at_least: int, seed: int) -> None:
    """Load a classifier and a generator, one after the other."""
    for task, path in (("classification", "/api"), ("generation", "/api")):
        with tempfile.TemporaryDirectory(prefix="soak-") as name:
            folder = random_model(task).save_pretrained(Path(name) / "model")
            _load(report, folder, task, path, max(5.0, seconds / 2), seed)


def _load(report: Report, folder: Path, task: str, path: str, seconds: float, seed: int) -> None:
    with tempfile.TemporaryFile("w+b") as log:
        process, port = _serve(folder, log)
        end = time.monotonic() + seconds
        times: list[float] = []
        kind = f"load: {task}"
        workers: list[Callable[[int], None]] = [
            lambda n: _client(report, kind, port, path, task, times, end, seed + n)
        ] * CLIENTS
        workers += [lambda n: _misbehave(report, port, end, seed + n)] * 8
        threads = [threading.Thread(target=work, args=(n,)) for n, work in enumerate(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        log.seek(0)
        text = log.read()
        ended = code == 0 and b"Traceback" not in text
        report.count(f"{kind}, end", "held" if ended else "traceback", f"exit code {code}", lambda: ("log.txt", text))
    p50, p99 = np.percentile(times, [50, 99]) * 1000
    rate = f"{CLIENTS} clients, {len(times) / seconds:.0f} requests/s"
    report.figures[kind] = f"{rate}, p50 {p50:.0f} ms, p99 {p99:.0f} ms ({p99 / p50:.1f} x p50)"


def _serve(folder: Path, log: IO[bytes]) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server, and return its process and port."""
    command = [sys.executable, "-m", "ratsnlp_like", "serve", str(folder), "--port", "0", "--request_timeout", "3"]
    process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "OMP_NUM_THREADS": "1"})
    for _ in range(1800):
        if process.poll() is not None:
            break
        log.seek(0)
        if found := re.search(rb"http://[\d.]+:(\d+)", log.read()):
            port = int(found[1])
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
                probe.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if probe.recv(100).startswith(b"HTTP/1.1 200"):
                    return process, port
        time.sleep(0.1)
    process.kill()
    raise RuntimeError("the server does not start")


def _client(
    report: Report, kind: str, port: int, path: str, task: str, times: list[float], end: float, seed: int
) -> None:
    """Send requests of mixed lengths one after the other, and check their answers."""
    rng = np.random.default_rng(seed)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    while time.monotonic() < end:
        text = " ".join(rng.choice(_WORDS, int(rng.choice(_LENGTHS))))
        body = {"text": text} if task == "classification" else {"prompt": text, "options": {"max_new_tokens": 4}}
        content = json.dumps(body).encode()
        begun = time.monotonic()
        outcome, reason = "held", ""
        try:
            connection.request("POST", path, content, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status != 200 or not {"label", "generated"} & answer.keys():
                outcome, reason = "silent", f"{response.status}: {answer}"
        except Exception as error:
            outcome, reason = "lost", repr(error)
            connection.close()
        times.append(time.monotonic() - begun)
        report.count(kind, outcome, reason, lambda: ("body.json", content))  # type: ignore[arg-type]  # noqa: B023


def _misbehave(report: Report, port: int, end: float, seed: int) -> None:
    """Open connections that are slow, cut off, garbage, or never read."""
    rng = np.random.default_rng(seed)
    open_ones: list[socket.socket] = []
    while time.monotonic() < end:
        with suppress(OSError):
            one = socket.create_connection(("127.0.0.1", port), 5)
            one.sendall(_hostile(rng))
            if rng.integers(0, 2):
                one.close()
            else:
                open_ones.append(one)
        if len(open_ones) > 20:
            with suppress(OSError):
                open_ones.pop(0).close()
        report.counts["load: misbehaving clients"]["held"] += 1
        time.sleep(0.05)
    for one in open_ones:
        with suppress(OSError):
            one.close()


def _hostile(rng: np.random.Generator) -> bytes:
    body = json.dumps({"prompt": "오늘은", "text": "오늘은"}).encode()
    stream = json.dumps({"prompt": "오늘은", "options": {"max_new_tokens": 100}}).encode()
    return [
        b"",
        b"GET / HT",
        rng.bytes(200),
        _HEAD + b"1000000000\r\n\r\n" + body,
        _HEAD + b"500\r\n\r\n" + body,
        _HEAD + b"-5\r\n\r\n",
        _HEAD + str(len(body)).encode() + b"\r\n\r\n" + body,
        _HEAD.replace(b"/api", b"/api/stream") + str(len(stream)).encode() + b"\r\n\r\n" + stream,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        _HEAD + b"5\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ][rng.integers(0, 10)]
