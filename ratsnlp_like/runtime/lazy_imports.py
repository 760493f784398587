"""A quicker start of the command line: less of torchmetrics, and no search for garbage while modules load."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any

_PACKAGE, _UTILITIES, _PLOT = "torchmetrics", "torchmetrics.utilities", "torchmetrics.utilities.plot"


class _Later(ModuleType):
    """A module that has not run yet and knows a few of its names; whatever else is asked of it lets it run."""

    ready: Mapping[str, Callable[[], Any]]

    def __getattr__(self, name: str) -> Any:
        ready = vars(self).get("ready", {})
        if name in ready:
            vars(self)[name] = made = ready[name]()
            return made
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        _run(self)
        return getattr(self, name)


def _run(module: ModuleType) -> None:
    """From now on it is the usual module."""
    if isinstance(module, _Later) and module.__spec__ is not None and module.__spec__.loader is not None:
        module.__class__ = ModuleType  # type: ignore[assignment]
        del module.ready
        module.__spec__.loader.exec_module(module)


def install() -> None:
    """Let torchmetrics wait until it is needed; for a process of our own, so that nobody else's imports change.

    Lightning takes two classes of it, to know metrics when it sees some. The package file imports all metrics, and
    SciPy for those of signals; plots, which each metric can draw, import matplotlib.
    """
    if _PACKAGE in sys.modules:
        return
    package = _later(_PACKAGE, None, _names())
    if package is None:
        return
    path = [f"{folder}/utilities" for folder in package.__path__]
    del package.__path__  # it is asked for where a module of it is imported
    package.ready = {**package.ready, "__path__": partial(_path, package)}
    _later(_PLOT, path, {"_AX_TYPE": lambda: Any, "_PLOT_OUT_TYPE": lambda: Any, _DRAW: lambda: _draw})


def _later(name: str, path: list[str] | None, ready: Mapping[str, Callable[[], Any]]) -> Any:
    """A module among the loaded ones; None where it is not installed."""
    spec = PathFinder.find_spec(name, path)
    if spec is None:
        return None
    module: Any = module_from_spec(spec)
    module.__class__ = _Later
    module.ready = ready
    sys.modules[name] = module
    return module


def _names() -> dict[str, Callable[[], Any]]:
    """What is asked of the package file where no metric is wanted."""
    homes = {"Metric": "metric", "MetricCollection": "collections", "__version__": "__about__"}
    ready = {name: partial(_of, f"{_PACKAGE}.{home}", name) for name, home in homes.items()}
    return {**ready, "_logger": partial(logging.getLogger, _PACKAGE)}


def _of(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _path(package: ModuleType) -> Any:
    """Where the modules of the package lie, for the first of them that is imported."""
    assert package.__spec__ is not None
    vars(package)["__path__"] = package.__spec__.submodule_search_locations
    utilities = import_module(_UTILITIES)  # first: it and the metrics import each other
    vars(utilities)["plot"] = sys.modules[_PLOT]
    return vars(package)["__path__"]


_DRAW = "plot_single_or_multi_val"


def _draw(*arguments: Any, **options: Any) -> Any:
    """Stands for the function of this name where metrics have imported it."""
    plot = sys.modules[_PLOT]
    _run(plot)
    return getattr(plot, _DRAW)(*arguments, **options)


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
