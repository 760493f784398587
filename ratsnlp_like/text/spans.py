"""Windows of tokens, and BIO tags of tokens to and from spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..examples.entity import Entity
from .tokens import Offset


def windows(length: int, room: int, stride: int) -> list[Offset]:
    """Cut `length` tokens into windows of at most `room`; consecutive windows share `stride` tokens.

    Every token is in a window; a sequence that fits, even an empty one, has one window.
    """
    if not 0 <= stride < room:
        raise ValueError(f"a stride of {stride} does not fit windows of {room} tokens")
    spans = [(0, min(room, length))]
    while spans[-1][1] < length:
        end = min(length, spans[-1][1] + room - stride)
        spans.append((end - room, end))
    return spans


def context(position: int, window: Offset, length: int) -> int:
    """Return the number of context tokens on the shorter side of a position in a window; ends of the text are free."""
    start, end = window
    left = position - start if start > 0 else length
    right = end - 1 - position if end < length else length
    return min(left, right)


def token_entities(offsets: Sequence[Offset], entities: Sequence[Entity]) -> list[int | None]:
    """Return the position of the entity of each token; -1 outside of entities, None for a token of no width.

    A token belongs to the entity with which it shares most characters, so that a particle attached to a
    name does not remove the name. Entities are sorted and do not overlap.
    """
    owners: list[int | None] = []
    first = 0
    for start, end in offsets:
        if start >= end:
            owners.append(None)
            continue
        while first < len(entities) and entities[first].end <= start:
            first += 1
        best, most = -1, 0
        for i in range(first, len(entities)):
            entity = entities[i]
            if entity.start >= end:
                break
            shown = min(end, entity.end) - max(start, entity.start)
            if shown > most:
                best, most = i, shown
        owners.append(best)
    return owners


def entities_to_tags(offsets: Sequence[Offset], entities: Sequence[Entity]) -> list[str | None]:
    """Return BIO tags of tokens, None for a token of no width; see `token_entities`."""
    tags: list[str | None] = []
    begun = -1
    for owner in token_entities(offsets, entities):
        if owner is None or owner < 0:
            tags.append(None if owner is None else "O")
            continue
        tags.append(("I-" if owner == begun else "B-") + entities[owner].label)
        begun = owner
    return tags


class EntityTokens(NamedTuple):
    """The first and the last token of an entity."""

    entity: Entity
    first: int
    last: int


def entity_tokens(offsets: Sequence[Offset], entities: Sequence[Entity]) -> list[EntityTokens]:
    """Return the entities that have tokens, with the first and the last of them; see `token_entities`."""
    own: dict[int, tuple[int, int]] = {}
    for k, owner in enumerate(token_entities(offsets, entities)):
        if owner is not None and owner >= 0:
            own[owner] = own.get(owner, (k, k))[0], k
    return [EntityTokens(entities[owner], first, last) for owner, (first, last) in own.items()]


class ScoredSpan(NamedTuple):
    """A run of tokens with one label."""

    first: int
    last: int
    label: str


def tags_to_spans(tags: Sequence[str | None]) -> list[ScoredSpan]:
    """Return runs of tokens with one label.

    B- starts a run, I- of the same label continues it, any other I- starts one; None is skipped.

    All other tags are outside: O, and the [CLS], [PAD], ... that some checkpoints have as classes.

    An I- without its B- opens a span (as seqeval's default and transformers' `simple` strategy do): a
    model that found the inside of a name has found the name.
    """
    spans: list[ScoredSpan] = []
    open_label: str | None = None
    for i, tag in enumerate(tags):
        if tag is None:
            continue
        kind, _, label = tag.partition("-")
        if kind not in {"B", "I"}:
            open_label = None
        elif kind == "I" and label == open_label:
            spans[-1] = spans[-1]._replace(last=i)
        else:
            spans.append(ScoredSpan(i, i, label))
            open_label = label
    return spans


def bio_labels(types: Sequence[str]) -> list[str]:
    """Return the classes of a token: `O`, then B- and I- of each type."""
    return ["O", *(f"{prefix}-{name}" for name in types for prefix in "BI")]
