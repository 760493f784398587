"""Peak memory by phase, and the limit on compiled primitives."""

from __future__ import annotations

import sys

import pytest

from ratsnlp_like.runtime import hardware


@pytest.mark.slow
def test_phases_add_up_to_the_peak() -> None:
    memory = hardware.PeakMemory()
    memory.end("first")
    block = bytearray(hardware.peak_memory())  # as much again
    memory.end("second")
    del block
    memory.end("third")
    memory.end("second")
    assert memory.raised["second"] >= 0.4 * memory.raised["first"] > 1e6
    assert sum(memory.raised.values()) == hardware.peak_memory()
    assert list(memory.raised) == ["first", "second", "third"]


def test_peak_memory_without_the_module_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    assert hardware.peak_memory() == 0


def test_the_number_of_primitives_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    hardware.limit_primitive_cache()
    assert hardware.os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "64"
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "7")
    hardware.limit_primitive_cache()
    assert hardware.os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "7"
