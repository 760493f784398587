"""Particles at the end of entities, by counts: tokens that carry an entity and a particle (이순신은)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..examples.entity import Entity
from .spans import entities_to_tags, tags_to_spans
from .tokens import Offset

_SEEN_TWICE = 2

_LONGEST_PARTICLE = 4

_CASE = (
    "은|는|이|가|을|를|의|에|와|과|로|으로|에서|에게|에게서|한테|한테서|께|께서|서|랑|이랑"
    "|하고|보다|처럼|같이|만큼|대로"
)
_FOCUS = "은|는|도|만|의|까지|부터|마다|조차|마저|밖에|뿐|이나|나|이라도|라도|이든|든|요|야"
_COPULA = "이?(?:라|란|랑|며|고|나|다|었다|였다|던|지|죠|라고|라는|라며|라면|라서|네|네요|에요|예요)|인|임|인데|입니다"
_PARTICLE = re.compile(f"(?:{_CASE}|{_FOCUS})(?:{_FOCUS})?(?:{_FOCUS})?|{_COPULA}")

Particles = Mapping[str, Sequence[str]]
"""Label -> endings that a token may carry after an entity: 은, 는, 에서, ..."""


class ParticleCounts:
    """Counts which endings of an entity's last token do not belong to the entity."""

    def __init__(self) -> None:
        self._cut: Counter[tuple[str, str]] = Counter()
        self._kept: Counter[tuple[str, str]] = Counter()

    def add(self, text: str, offsets: Sequence[Offset], entities: Sequence[Entity]) -> None:
        """Count the entities of a text, `offsets` being those of its tokens."""
        for span in tags_to_spans(entities_to_tags(offsets, entities)):
            start, last = offsets[span.first][0], offsets[span.last]
            own = [e for e in entities if e.label == span.label and e.start < last[1] and start < e.end]
            if len(own) == 1:
                for ending in _endings(text, last):
                    counts = self._cut if own[0].end == last[1] - len(ending) else self._kept
                    counts[span.label, ending] += 1

    def particles(self) -> dict[str, list[str]]:
        """Return the endings that are cut more often than kept, and at least twice."""
        out: dict[str, list[str]] = {}
        for (label, ending), count in sorted(self._cut.items()):
            if count >= _SEEN_TWICE and count > self._kept[label, ending]:
                out.setdefault(label, []).append(ending)
        return out


def is_particle(text: str) -> bool:
    """Return True for what can follow a noun in its eojeol: a particle, several of them, or a form of the copula."""
    return _PARTICLE.fullmatch(text) is not None


def starts_with_particle(text: str, position: int) -> bool:
    """Return True if the rest of the eojeol from a position of a text on is a particle."""
    rest = re.match("[가-힣]*", text[position : position + 8])
    return rest is not None and is_particle(rest.group())


def without_particle(text: str, last: Offset, label: str, particles: Particles) -> int:
    """Return the end of an entity whose last token is `last`: before the longest known ending, or that of the token."""
    known = particles.get(label, ())
    return last[1] - next((len(ending) for ending in _endings(text, last) if ending in known), 0)


def _endings(text: str, token: Offset) -> Iterator[str]:
    """Yield proper endings of a token, the longest first."""
    start, end = token
    for length in range(min(_LONGEST_PARTICLE, end - start - 1), 0, -1):
        yield text[end - length : end]
