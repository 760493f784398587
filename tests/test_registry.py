"""Registries: entries by name, registered by a call or a decorator, found in their package."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import CORPORA, LOGGERS, METRICS, Registry


def test_register_is_a_call_or_a_decorator() -> None:
    registry: Registry[object] = Registry("metric", "ratsnlp_like.metrics")
    entry = object()
    assert registry.register("first", entry) is entry

    @registry.register("second")
    def decorated() -> None: ...

    assert registry["first"] is entry
    assert registry["second"] is decorated
    registry.remove("second")
    assert "second" not in registry
    with pytest.raises(KeyError):
        registry.remove("second")


def test_registering_a_name_again_replaces_the_entry() -> None:
    registry: Registry[int] = Registry("number", "ratsnlp_like.metrics")
    registry.register("one", 0)
    registry.register("one", 1)
    assert registry.items() == [("one", 1)]


def test_an_unknown_name_is_reported_with_close_ones() -> None:
    with pytest.raises(InputError, match=r"unknown corpus 'nsmcc'\n  fix: did you mean 'nsmc'\?"):
        CORPORA["nsmcc"]


def test_metrics_and_loggers_are_found_in_their_packages() -> None:
    assert {"absolute_error", "matthews"} <= set(METRICS)
    assert set(LOGGERS) == {"mlflow", "tensorboard", "wandb"}


def test_a_logger_is_made_from_the_run_folder(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    assert Path(LOGGERS["tensorboard"](tmp_path).save_dir or "") == tmp_path
