"""Entities that share a token with another one (북미, 남북), by counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..examples.entity import Entity
from .spans import entity_tokens
from .tokens import Offset

_SEEN_TWICE = 2
_WORDS = re.compile(r"\w(?:.*\w)?", re.DOTALL)


class NeighbourCounts:
    """Counts texts in the first or last token of an entity, outside of it, and how often they are entities too."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._entities: Counter[tuple[str, str]] = Counter()

    def add(self, text: str, offsets: Sequence[Offset], entities: Sequence[Entity]) -> None:
        """Count the entities of a text, `offsets` being those of its tokens."""
        labels = {(entity.start, entity.end): entity.label for entity in entities}
        for entity, first, last in entity_tokens(offsets, entities):
            for start, end in beside(text, offsets[first][0], offsets[last][1], entity.start, entity.end):
                self._seen[text[start:end]] += 1
                label = labels.pop((start, end), None)  # of two entities in one token only the other one is counted
                if label is not None:
                    self._entities[text[start:end], label] += 1

    def neighbours(self) -> dict[str, str]:
        """Return the texts that are entities more often than not, and at least twice, with their label."""
        return {
            text: label
            for (text, label), count in sorted(self._entities.items())
            if count >= _SEEN_TWICE and 2 * count > self._seen[text]
        }


def beside(text: str, first: int, last: int, start: int, end: int) -> Iterator[Offset]:
    """Yield the words next to an entity in its tokens: before and after it, without punctuation around them.

    Args:
        text: the original one.
        first: start of the first token of the entity.
        last: end of its last token.
        start: of the entity.
        end: of the entity, exclusive.
    """
    for begin, stop in ((first, start), (end, last)):
        if begin < stop and (words := _WORDS.search(text, begin, stop)):
            yield words.span()


def entities_beside(text: str, tokens: Offset, span: Offset, neighbours: Mapping[str, str]) -> Iterator[Entity]:
    """Yield the entities that share a token with an entity.

    Args:
        text: the original one.
        tokens: start of the first token of the entity, and end of its last one.
        span: of the entity.
        neighbours: label of each known text.
    """
    for start, end in beside(text, *tokens, *span):
        label = neighbours.get(text[start:end])
        if label is not None:
            yield Entity(start, end, label)
