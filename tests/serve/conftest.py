"""Fixtures of the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from helpers_serve import client, predictor
from starlette.testclient import TestClient

from ratsnlp_like.serve import Limits


@pytest.fixture(scope="module")
def small() -> Iterator[TestClient]:
    """Client of a classifier of several labels with low limits."""
    limits = Limits(max_body_bytes=5000, max_text_chars=100, max_inputs=4)
    with client(predictor(multi_label=True), limits=limits) as one:
        yield one
