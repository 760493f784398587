"""Fixtures of the tests of file readers."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_helpers import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write("a.tsv", "text")` writes a file and returns its path."""

    def _write(name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return _write
