"""A file of every kind that people bring is read as it was written; `benchmarks.kinds` trains on them too."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.kinds.base import Kind
from benchmarks.kinds.catalog import KINDS, read


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_all_examples_and_labels_are_read(kind: Kind, tmp_path: Path) -> None:
    found = read(kind, kind.write(tmp_path), tmp_path)
    assert found["rows"] == kind.rows
    assert found["empty"] == found["unlabelled"] == 0
    assert sorted(found.get("labels") or {}) == sorted(kind.labels)
