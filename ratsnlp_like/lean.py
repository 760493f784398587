"""A quicker start of the command line: less of torchmetrics, and no search for garbage while modules load."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

_HOMES = {
    "Metric": "torchmetrics.metric",
    "MetricCollection": "torchmetrics.collections",
    "__version__": "torchmetrics.__about__",
}
"""What Lightning takes from the package, to know metrics when it sees some, and where it is written."""


class _Torchmetrics(ModuleType):
    """The package before its `__init__` has run, which brings all metrics, with SciPy behind those of signals.

    Whatever else is asked of it runs that and makes it the usual module.
    """

    def __getattr__(self, name: str) -> Any:
        if name == "__path__" and self.__spec__ is not None:  # somebody imports a module of it
            path = vars(self)[name] = self.__spec__.submodule_search_locations
            import_module("torchmetrics.utilities")  # first: it and the metrics import each other
            return path
        if name in _HOMES:
            found = vars(self)[name] = getattr(import_module(_HOMES[name]), name)
            return found
        if name == "_logger":
            return logging.getLogger("torchmetrics")
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]
        if self.__spec__ is not None and self.__spec__.loader is not None:
            self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def install() -> None:
    """Let torchmetrics wait until it is needed; for a process of our own, so that nobody else's imports change."""
    if "torchmetrics" in sys.modules:
        return
    spec = PathFinder.find_spec("torchmetrics")
    if spec is None:
        return
    module = module_from_spec(spec)
    del module.__path__
    module.__class__ = _Torchmetrics
    sys.modules["torchmetrics"] = module


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for garbage, where objects come by the million and no cycle of them is let go: imports, rows."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def starting() -> Iterator[None]:
    """Modules are loaded and stay: they are not searched for garbage, then or later. It took a quarter of the time."""
    with uncollected():
        yield
        gc.freeze()
