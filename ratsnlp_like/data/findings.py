"""Statistics of the splits of a corpus: rows, labels, lengths, repeated and contradicting texts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..examples.base import Example

_SHOWN = 8
"""Number of texts with two labels that are kept to be shown."""


@dataclass
class SplitFindings:
    """Statistics of one split, counted while its examples are read. Texts are kept as digests only."""

    rows: int = 0
    empty: int = 0
    repeated: int = 0
    unlabelled: int = 0
    several: bool = False
    """True if a row has several labels."""
    labels: Counter[str] = field(default_factory=Counter)
    characters: list[int] = field(default_factory=list)
    copies: Counter[bytes] = field(default_factory=Counter)
    """Digest of a text -> number of its rows."""
    _first_labels: dict[bytes, str] = field(default_factory=dict)
    _contradictions: set[bytes] = field(default_factory=set)
    _contradicting: list[str] = field(default_factory=list)

    def count(self, examples: Iterable[Example]) -> Iterator[Example]:
        """Yield examples, and count them."""
        for example in examples:
            self._count(example)
            yield example

    def _count(self, example: Example) -> None:
        texts = [str(value) for value in example.inputs().values()]
        self.rows += 1
        self.empty += example.is_empty
        self.unlabelled += example.missing is not None
        self.labels.update(example.label_names)
        self.several |= isinstance(getattr(example, "label", None), tuple)
        self.characters.append(sum(map(len, texts)))
        key = _digest(texts)
        self.copies[key] += 1
        label = example.stratum
        if key not in self._first_labels:
            self._first_labels[key] = label
            return
        self.repeated += 1
        if self._first_labels[key] != label and key not in self._contradictions:
            self._contradictions.add(key)
            if len(self._contradicting) < _SHOWN:
                self._contradicting.append(" / ".join(texts))

    def summary(self) -> dict[str, Any]:
        """Return the statistics as JSON values."""
        total = sum(self.labels.values())
        return {
            "rows": self.rows,
            "empty": self.empty,
            "unlabelled": self.unlabelled,
            "distinct": len(self.copies),
            "repeated": self.repeated,
            "with_two_labels": len(self._contradictions),
            "with_two_labels_examples": self._contradicting,
            "labels": {
                name: {"count": count, "share": round(count / total, 4)}
                for name, count in sorted(self.labels.items(), key=lambda item: (-item[1], item[0]))
            },
            "characters": percentiles(self.characters),
        }


def _digest(texts: Sequence[str]) -> bytes:
    # Not hash(): CPython hashes the bytes a string is stored in, and "ㄱ" (U+3131) is stored as "11" is.
    content = "\0".join(texts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=12).digest()


def overlap(splits: Mapping[str, SplitFindings]) -> dict[str, dict[str, int]]:
    """Return the texts of each split that are in an earlier one too: their number, and that of their rows."""
    out = {}
    names = list(splits)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            shared = splits[first].copies.keys() & splits[second].copies.keys()
            if shared:
                rows = sum(splits[second].copies[key] for key in shared)
                out[f"{second} in {first}"] = {"texts": len(shared), "rows": rows}
    return out


def percentiles(lengths: Sequence[int]) -> dict[str, int]:
    """Return p50, p90, p99 and the maximum."""
    if not lengths:
        return {"p50": 0, "p90": 0, "p99": 0, "max": 0}
    values = np.percentile(lengths, [50, 90, 99, 100], method="higher")
    return dict(zip(("p50", "p90", "p99", "max"), map(int, values), strict=True))
