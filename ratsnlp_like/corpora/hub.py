"""Data sets of the Hugging Face hub, by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from ..errors import InputError, did_you_mean
from ..examples.base import Example
from ..examples.text import TextExample
from ..runtime.network import offline_if_cut_off
from .base import Corpus
from .formats import Row
from .splits import canonical_splits
from .tables import table_rows


@dataclass(frozen=True)
class HubCorpus(Corpus):
    """A data set of the hub; class numbers become their names, token tags become entities."""

    example: ClassVar[type[Example]] = TextExample
    task: ClassVar[str] = "any"

    hub_id: str = ""
    subset: str | None = None

    @property
    def name(self) -> str:
        return self.hub_id

    def splits(self, root: Path) -> Sequence[str]:
        return tuple(canonical_splits(_load(self.hub_id, self.subset)))

    def rows(self, root: Path, split: str) -> Iterator[Row]:
        """Yield the rows of a split; the line of a row is its number in the data set."""
        yield from table_rows(self._table(split), f"{self.hub_id} ({split})")

    def fingerprint(self, root: Path, split: str) -> str:
        return repr((self._table(split)._fingerprint, self._how()))

    def _table(self, split: str) -> Any:
        tables = _load(self.hub_id, self.subset)
        names = canonical_splits(tables)
        if split not in names:
            raise InputError(f"no split {split!r}", place=self.hub_id, fix=did_you_mean(split, names))
        return tables[names[split]]


@lru_cache(maxsize=4)
def _load(hub_id: str, subset: str | None) -> Any:
    offline_if_cut_off()
    import datasets

    try:
        return datasets.load_dataset(hub_id, subset)
    except Exception as error:  # datasets raises a dozen unrelated kinds
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"the hub data set {hub_id!r} cannot be loaded: {reason}",
            expected="a data set id owner/name and a network (or an earlier download in the cache)",
            fix="check the name and the network; a data set of several parts needs --subset; "
            "a file on this disk is given by its path",
        ) from error
