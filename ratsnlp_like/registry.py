"""Names of corpora, tasks and checkpoints. A file put into its folder is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import InputError, did_you_mean

if TYPE_CHECKING:
    from .checkpoints.base import Checkpoint
    from .corpora.base import Corpus
    from .tasks.base import Task

T = TypeVar("T")


class Registry(Generic[T]):
    """name -> object, filled by the modules of one package when it is first asked.

    Args:
        kind: what the names stand for, for messages.
        package: the package whose modules register themselves on import.
    """

    def __init__(self, kind: str, package: str) -> None:
        self._kind, self._package = kind, package
        self._entries: dict[str, T] = {}
        self._loaded = False

    def register(self, name: str, entry: T) -> T:
        """Add `entry` under `name`; registering a name twice replaces it (a notebook cell run again)."""
        self._entries[name] = entry
        return entry

    def remove(self, name: str) -> None:
        """Remove a name; it is an error if there is none."""
        del self._entries[name]

    def __getitem__(self, name: str) -> T:
        self._load()
        try:
            return self._entries[name]
        except KeyError:
            raise InputError(
                f"unknown {self._kind} {name!r}",
                fix=did_you_mean(name, self._entries),
            ) from None

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(sorted(self._entries))

    def items(self) -> list[tuple[str, T]]:
        """Names and objects, sorted by name."""
        return [(name, self._entries[name]) for name in self]

    def _load(self) -> None:
        if not self._loaded:
            self._loaded = True
            package = importlib.import_module(self._package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self._package}.{module.name}")


CORPORA: Registry[Corpus] = Registry("corpus", "ratsnlp_like.corpora")
TASKS: Registry[type[Task[Any, Any]]] = Registry("task", "ratsnlp_like.tasks")
CHECKPOINTS: Registry[Checkpoint] = Registry("checkpoint", "ratsnlp_like.checkpoints")
