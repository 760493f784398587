"""The garbage collector during imports and while rows are created."""

from __future__ import annotations

import gc

import pytest

from ratsnlp_like.runtime.gc_control import freeze_loaded, gc_disabled, gc_frozen


def test_the_collector_is_enabled_again_after_an_error() -> None:
    seen = []

    @gc_disabled()
    def fail() -> None:
        seen.append(gc.isenabled())
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert seen == [False]
    assert gc.isenabled()


def test_a_disabled_collector_remains_disabled() -> None:
    with gc_disabled():
        with gc_disabled():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


@pytest.mark.slow
def test_objects_of_the_start_are_frozen() -> None:
    before = gc.get_freeze_count()
    try:
        with gc_frozen():
            made = [[] for _ in range(1000)]
        assert gc.get_freeze_count() >= before + len(made)
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_objects_that_exist_are_frozen() -> None:
    made = [[] for _ in range(1000)]
    before = gc.get_freeze_count()
    try:
        freeze_loaded()
        assert gc.get_freeze_count() >= before + len(made)
    finally:
        gc.unfreeze()
