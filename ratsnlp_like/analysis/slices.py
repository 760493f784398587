"""Slices of evaluated examples, such as long texts, and a test of each for a higher error rate than the rest has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..metrics.significance import higher_rate, holm
from ..runtime.types import Array
from ..tasks.matches import Match
from ..text.particles import starts_with_particle

LEVEL = 0.05
_FEWEST = 10
"""Fewest matches in a slice, and outside of it, for a test."""
_FEWEST_ROWS = 5
_MOST_VALUES = 50
"""Largest number of values of a column that are slices; a column with more has none."""
_NEGATION = re.compile(
    r"(?<!\S)(?:안|못)\s|(?<!\S)안[돼되해하했가갔먹봐봤좋나와왔]|(?<!\S)못[해하했가갔먹봐봤된]|지\s?(?:않|못|마|말)"
    r"|없|아니[다야라에지고면었]|아닌|아닙|아님"
)
_JAMO = re.compile("[ㄱ-ㅎㅏ-ㅣ]")
_LATIN = re.compile("[A-Za-z]{2,}")
_DIGITS = re.compile("[0-9]")
_LONG_EOJEOL = re.compile(r"\S{12,}")


@dataclass(frozen=True)
class Row:
    """An evaluated example with what its slices depend on."""

    text: str
    """The text that is classified, tagged, or searched for an answer."""
    tokens: int
    unknown: int
    """Number of unknown tokens."""
    matches: Sequence[Match]
    columns: Mapping[str, str]
    """Further values of the row, such as the file it is from."""


@dataclass(frozen=True)
class Slice:
    """A part of the evaluated examples, compared with the rest."""

    slice: str
    value: str
    rows: int
    matches: int
    """Number of things that were predicted or should have been: texts, entities, questions."""
    mistakes: int
    rate: float
    """Share of mistakes."""
    rate_of_rest: float
    p: float
    """One-sided p-value of Fisher's exact test for a higher rate than that of the rest."""
    p_holm: float = 1.0
    """The same, adjusted for the number of slices that were tested."""

    @property
    def is_weak(self) -> bool:
        """True if the rate is significantly higher than that of the rest."""
        return self.p_holm < LEVEL

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {**asdict(self), "weak": self.is_weak}


_OF_ROWS: Mapping[str, Callable[[Row], str | None]] = {
    "unknown tokens": lambda row: _unknown_share(row),
    "negation": lambda row: _yes(_NEGATION.search(row.text)),
    "jamo (ㅋㅋ, ㅠㅠ)": lambda row: _yes(_JAMO.search(row.text)),
    "Latin words": lambda row: _yes(_LATIN.search(row.text)),
    "digits": lambda row: _yes(_DIGITS.search(row.text)),
    "missing spaces": lambda row: _yes(_LONG_EOJEOL.search(row.text)),
}
_OF_MATCHES: Mapping[str, Callable[[Row, Match], str | None]] = {
    "label": lambda row, match: match.label,
    "particle follows": lambda row, match: _particle_follows(row, match),
}


def _yes(found: object) -> str | None:
    return "yes" if found else None


def _unknown_share(row: Row) -> str | None:
    if not row.unknown:
        return None
    return "up to 5%" if row.unknown <= 0.05 * row.tokens else "over 5%"


def _particle_follows(row: Row, match: Match) -> str | None:
    if match.end is None:
        return None
    return "yes" if starts_with_particle(row.text, match.end) else "no"


def find_slices(rows: Sequence[Row]) -> list[Slice]:
    """Return the slices with a higher error rate than the rest, most significant first.

    Slices are made by length (quarters of the rows), unknown tokens, label, negation, a particle after an entity or an
    answer, jamo, Latin words, digits, missing spaces, and further columns. The matches of one row are not independent:
    where rows have several, counts are divided by their design effect before the test (Rao and Scott 1992).
    """
    owners = np.array([k for k, row in enumerate(rows) for _ in row.matches], dtype=np.int64)
    wrong = np.array([not match.correct for row in rows for match in row.matches], dtype=bool)
    found = [
        _compare(name, value, inside, owners, wrong)
        for name, values in _values(rows).items()
        for value, inside in _members(values, len(wrong))
    ]
    tested = [own for own in found if own is not None]
    adjusted = holm([own.p for own in tested])
    slices = [Slice(**{**asdict(own), "p_holm": p}) for own, p in zip(tested, adjusted, strict=True)]
    worse = [own for own in slices if own.rate > own.rate_of_rest]
    return sorted(worse, key=lambda own: (own.p, -own.rate + own.rate_of_rest))


def _values(rows: Sequence[Row]) -> dict[str, list[str | None]]:
    """Return the value of each match, slice by slice."""
    lengths = _quarters([len(row.text) for row in rows])
    by_row = {"length": lengths} | {name: list(map(of, rows)) for name, of in _OF_ROWS.items()}
    for name in dict.fromkeys(name for row in rows for name in row.columns):
        by_row[name] = [row.columns.get(name) for row in rows]
    out = {
        name: [value for row, value in zip(rows, values, strict=True) for _ in row.matches]
        for name, values in by_row.items()
    }
    return out | {name: [of(row, m) for row in rows for m in row.matches] for name, of in _OF_MATCHES.items()}


def _quarters(lengths: Sequence[int]) -> list[str | None]:
    """Return the quarter of each length: `12-31`, in characters."""
    edges = np.unique(np.percentile(lengths, [25, 50, 75], method="lower")) if lengths else np.array([])
    at = np.searchsorted(edges, lengths)
    ranges = {}
    for k in np.unique(at):
        own = [length for length, quarter in zip(lengths, at, strict=True) if quarter == k]
        ranges[k] = f"{min(own):,}-{max(own):,}"
    return [ranges[k] for k in at]


def _members(values: Sequence[str | None], size: int) -> list[tuple[str, Array]]:
    """Return each value with the matches that have it; nothing where the values are too many."""
    names = sorted({value for value in values if value is not None})
    if len(names) > _MOST_VALUES:
        return []
    codes = {name: k for k, name in enumerate(names)}
    numbers = np.fromiter((-1 if value is None else codes[value] for value in values), dtype=np.int64, count=size)
    return [(name, numbers == code) for name, code in codes.items()]


def _compare(name: str, value: str, inside: Array, owners: Array, wrong: Array) -> Slice | None:
    """Return a slice compared with the rest; None where one of them is too small."""
    sizes = int(inside.sum()), int((~inside).sum())
    rows = len(np.unique(owners[inside]))
    if min(sizes) < _FEWEST or rows < _FEWEST_ROWS:
        return None
    mistakes = int(wrong[inside].sum()), int(wrong[~inside].sum())
    own, rest = ((wrong[side], owners[side]) for side in (inside, ~inside))
    return Slice(
        slice=name,
        value=value,
        rows=rows,
        matches=sizes[0],
        mistakes=mistakes[0],
        rate=mistakes[0] / sizes[0],
        rate_of_rest=mistakes[1] / sizes[1],
        p=higher_rate(*own, *rest),
    )
