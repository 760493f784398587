"""Entities that share a token with another one (북미, 남북), by counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ..examples.entity import Entity
from .spans import entity_tokens
from .tokens import Offset

_SEEN_TWICE = 2
_MOSTLY = 0.5
_MOSTLY_BETWEEN = 0.75
"""The same share for what is between a text and an entity, which says less than the text."""
_WORDS = re.compile(r"\w(?:.*\w)?", re.DOTALL)
_NUMBER = re.compile(r"\d+")
SAME = "="
"""Stands for the label of the entity that a text is beside, as in ranges (19∼22일)."""
TAIL = "+"
"""Stands for the end of an entity of the tokens before: 일 in `24 일(한국`, if `일(한국` is one token."""


class NeighbourCounts:
    """Counts texts in the first or last token of an entity, outside of it, and how often they are entities too.

    Numbers count as one text: they differ from one range (19∼22일) to the next. What is between a text and the entity
    (→ in 서울→대전) is counted too, for texts that were not seen.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._entities: Counter[tuple[str, str]] = Counter()

    def add(self, text: str, offsets: Sequence[Offset], entities: Sequence[Entity]) -> None:
        """Count the entities of a text, `offsets` being those of its tokens."""
        labels = {(entity.start, entity.end): entity.label for entity in entities}
        ends = {entity.end: entity.start for entity in entities}
        for entity, first, last in entity_tokens(offsets, entities):
            for start, end in beside(text, offsets[first][0], offsets[last][1], entity.start, entity.end):
                label = labels.pop((start, end), None)  # of two entities in one token only the other one is counted
                is_tail = ends.get(end, start) < offsets[first][0] <= start
                own, *between = _names(text, (start, end), entity)
                self._entities[own, TAIL if is_tail else label or ""] += 1
                for known in (own, *between):
                    self._seen[known] += 1
                    self._entities[known, SAME] += label == entity.label

    def neighbours(self) -> dict[str, str]:
        """Return the texts that are entities more often than not, and at least twice, with their label.

        A label is `SAME` or `TAIL` where that is right more often than any other.
        """
        often = {
            (text, label): count
            for (text, label), count in self._entities.items()
            if label and count >= _SEEN_TWICE and count > self._seen[text] * _mostly(text)
        }
        by_count = sorted(often, key=lambda known: (often[known], known[1] != SAME, known))
        most = dict(by_count)  # keeps the last of each text
        return dict(sorted(most.items()))


def _mostly(text: str) -> float:
    return _MOSTLY if _WORDS.search(text) else _MOSTLY_BETWEEN


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


def entities_beside(text: str, tokens: Offset, entity: Entity, neighbours: Mapping[str, str]) -> Iterator[Entity]:
    """Yield the entities that share a token with an entity.

    Args:
        text: the original one.
        tokens: start of the first token of the entity, and end of its last one.
        entity: the one that was found.
        neighbours: label of each known text.

    Returns:
        Their label is `TAIL` for the end of an entity that is known without it.
    """
    for span in beside(text, *tokens, entity.start, entity.end):
        label = next((neighbours[known] for known in _names(text, span, entity) if known in neighbours), None)
        if label is not None:
            yield Entity(*span, entity.label if label == SAME else label)


def _names(text: str, span: Offset, entity: Entity) -> Iterator[str]:
    """Yield what a text beside an entity is known by: itself, with 0 for each number, and what is between them."""
    yield _NUMBER.sub("0", text[slice(*span)])
    between = text[span[1] : entity.start] or text[entity.end : span[0]]
    if between:
        yield between
