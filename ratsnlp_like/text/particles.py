"""Particles at the end of entities: tokens that carry an entity and a particle (이순신은) are cut by counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..examples.entity import Entity
from .spans import entities_to_tags, tags_to_spans
from .tokens import Offset

_SEEN_TWICE = 2

_LONGEST_PARTICLE = 4

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


def without_particle(text: str, last: Offset, label: str, particles: Particles) -> int:
    """Return the end of an entity whose last token is `last`: before the longest known ending, or that of the token."""
    known = particles.get(label, ())
    return last[1] - next((len(ending) for ending in _endings(text, last) if ending in known), 0)


def _endings(text: str, token: Offset) -> Iterator[str]:
    """Yield proper endings of a token, the longest first."""
    start, end = token
    for length in range(min(_LONGEST_PARTICLE, end - start - 1), 0, -1):
        yield text[end - length : end]
