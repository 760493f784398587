"""Data sets of the Hugging Face hub, by their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..errors import InputError
from ..runtime.network import offline_if_cut_off
from .tables import TablesCorpus


@dataclass(frozen=True)
class HubCorpus(TablesCorpus):
    """A data set of the hub; class numbers become their names, token tags become entities."""

    hub_id: str = ""
    subset: str | None = None

    @property
    def name(self) -> str:
        return self.hub_id

    def load(self) -> Mapping[str, Any]:
        return _load(self.hub_id, self.subset)


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
