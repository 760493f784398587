"""Host names and origins."""

from __future__ import annotations

import pytest
from helpers_serve import client
from starlette.testclient import TestClient


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
def test_unknown_host_names_are_refused(small: TestClient, host: str, status: int) -> None:
    assert small.get("/healthz", headers={"host": host}).status_code == status


def test_allowed_hosts() -> None:
    with client(allowed_hosts=["Models.example"]) as one:
        assert one.get("/healthz", headers={"host": "models.example:80"}).status_code == 200
        assert one.get("/healthz", headers={"host": "other.example"}).status_code == 403
    with client(allowed_hosts=["*"]) as one:
        assert one.get("/healthz", headers={"host": "other.example"}).status_code == 200


def test_cors_origins() -> None:
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
