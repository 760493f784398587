"""Slices of an iterable, and default folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratsnlp_like.runtime.places import default_cache, default_root
from ratsnlp_like.runtime.slices import slices


def test_slices_keep_order_and_the_shorter_rest() -> None:
    assert list(slices(iter(range(5)), 2)) == [[0, 1], [2, 3], [4]]
    assert list(slices([], 2)) == []


def test_slices_read_no_further_than_needed() -> None:
    source = iter(range(10))
    assert next(slices(source, 3)) == [0, 1, 2]
    assert next(source) == 3


@pytest.mark.parametrize(
    ("variable", "place", "default"),
    [
        ("RATSNLP_LIKE_CORPORA", default_root, "~/Korpora"),
        ("RATSNLP_LIKE_CACHE", default_cache, "~/.cache/ratsnlp_like"),
    ],
)
def test_default_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, place: object, default: str
) -> None:
    assert callable(place)
    monkeypatch.setenv(variable, str(tmp_path))
    assert place() == tmp_path
    monkeypatch.delenv(variable)
    assert place() == Path(default).expanduser()
