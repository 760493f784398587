"""Registries of corpora, tasks, checkpoints, metrics and loggers by name; a package fills its registry on import."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .errors import InputError, did_you_mean

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger

    from .checkpoints.base import Checkpoint
    from .corpora.base import Corpus
    from .metrics.base import Metric
    from .tasks.base import AnyTask

T = TypeVar("T")
Entry = TypeVar("Entry")


class Registry(Generic[T]):
    """A mapping from names to entries, filled by importing the modules of one package at the first access.

    Args:
        kind: singular noun for the entries, used in messages.
        package: the package whose modules register themselves on import.
    """

    def __init__(self, kind: str, package: str) -> None:
        self._kind, self._package = kind, package
        self._entries: dict[str, T] = {}
        self._loaded = False

    @overload
    def register(self, name: str) -> Callable[[Entry], Entry]: ...

    @overload
    def register(self, name: str, entry: T) -> T: ...

    def register(self, name: str, entry: T | None = None) -> Any:
        """Add an entry under a name, as a call or as the decorator of a function or class.

        Registering a name twice replaces the entry, so that a notebook cell can run again.
        """
        if entry is None:
            return lambda decorated: self.register(name, decorated)
        self._entries[name] = entry
        return entry

    def remove(self, name: str) -> None:
        """Remove a name.

        Raises:
            KeyError: it is not registered.
        """
        del self._entries[name]

    def __getitem__(self, name: str) -> T:
        self._load()
        try:
            return self._entries[name]
        except KeyError:
            raise InputError(f"unknown {self._kind} {name!r}", fix=did_you_mean(name, self._entries)) from None

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def items(self) -> list[tuple[str, T]]:
        """Return names and entries, sorted by name."""
        return [(name, self._entries[name]) for name in self]

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")


CORPORA: Registry[Corpus] = Registry("corpus", "ratsnlp_like.corpora")
TASKS: Registry[type[AnyTask]] = Registry("task", "ratsnlp_like.tasks")
CHECKPOINTS: Registry[Checkpoint] = Registry("checkpoint", "ratsnlp_like.checkpoints")
METRICS: Registry[Metric] = Registry("metric", "ratsnlp_like.metrics")
LOGGERS: Registry[Callable[[Path], Logger]] = Registry("logger", "ratsnlp_like.training.loggers")
