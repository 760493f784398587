"""Scores of named entities: exact spans, KLUE's two scores, and that of CoNLL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..examples.entity import Entity
from .classification import indicator
from .shares import check_lengths, precision_recall_f1


def entity_scores(
    gold: Sequence[Sequence[Entity]],
    predicted: Sequence[Sequence[Entity]],
    texts: Sequence[str],
    labels: Sequence[str],
) -> dict[str, Any]:
    """Score named entities: by exact spans, and by the three scores that others publish.

    Nothing is counted in tokens: such scores depend on the tokenizer, and token accuracy is high where
    most tokens are outside entities.

    Args:
        gold: gold entities of each text, in characters; those of one text do not overlap.
        predicted: the predicted ones, likewise.
        texts: the texts that the entities are in.
        labels: the entity types (`PS`, not `B-PS`); the order of the table.

    Returns:
        `entity_precision`, `entity_recall`, `entity_f1`: a predicted entity is correct if start, end and
        type are those of a gold one; counted over all entities (micro);
        `entity_macro_f1`: the mean F1 over those of `labels` that occur in gold or prediction;
        `klue_entity_f1`, `klue_char_f1`: the two scores of KLUE-NER, on the characters that are not a
        space, as its official scorer has them (`klue_tags`, `_klue_entity_f1`, `_klue_char_f1`);
        `conll_f1`: seqeval's default micro F1 (that of conlleval.pl) on words, see `word_bio`;
        `per_type`: {type: {precision, recall, f1, support}}, support in entities; `labels` first, then
        the other types that occur.

    Raises:
        ValueError: `gold`, `predicted` and `texts` differ in length, or an entity is outside its text, is
            empty or overlaps another.
    """
    check_lengths(gold=gold, predicted=predicted, texts=texts)
    characters = list(map(klue_tags, texts, gold)), list(map(klue_tags, texts, predicted))
    words = list(map(word_bio, texts, gold)), list(map(word_bio, texts, predicted))
    scores, per_type = _strict_scores(gold, predicted, labels)
    return {
        **scores,
        "klue_entity_f1": _klue_entity_f1(*characters),
        "klue_char_f1": _klue_char_f1(*characters, labels),
        "conll_f1": _seqeval_f1(*words, average="micro"),
        "per_type": per_type,
    }


def character_bio(text_length: int, entities: Sequence[Entity]) -> list[str]:
    """Return one IOB2 tag per character, white space included: `B-PS`, `I-PS`, ..., `O`.

    Args:
        text_length: the length of the text, in characters.
        entities: its entities, in any order.

    Raises:
        ValueError: an entity is outside the text, is empty or overlaps another.
    """
    tags = ["O"] * text_length
    for start, end, label in _in_order(text_length, entities):
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def word_bio(text: str, entities: Sequence[Entity]) -> list[str]:
    """Return one IOB2 tag per word (eojeol), where words are separated by white space.

    A word belongs to the entity of its first entity character, so a particle glued to an entity is
    inside (이순신은 is B-PS), and a further entity that has no other word is lost. The first word that
    belongs to an entity gets B-, its further words get I-. The Naver NER corpus is tagged by such words.

    Args:
        text: the text.
        entities: its entities, in characters, in any order.

    Raises:
        ValueError: an entity is outside the text, is empty or overlaps another.
    """
    ordered = _in_order(len(text), entities)
    tags: list[str] = []
    before: Entity | None = None
    for word in re.finditer(r"\S+", text):
        entity = next((e for e in ordered if e.start < word.end() and word.start() < e.end), None)
        tags.append(f"{'I' if entity == before else 'B'}-{entity.label}" if entity else "O")
        before = entity
    return tags


def _strict_scores(
    gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]], labels: Sequence[str]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Return the four `entity_` scores and the table `per_type`, by exact match of (start, end, label)."""
    hits: Counter[str] = Counter()
    predicted_counts: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for right, found in zip(gold, predicted, strict=True):
        hits.update(entity.label for entity in set(right) & set(found))
        predicted_counts.update(entity.label for entity in found)
        support.update(entity.label for entity in right)
    seen = predicted_counts.keys() | support.keys()
    per_type = {
        label: {**precision_recall_f1(hits[label], predicted_counts[label], support[label]), "support": support[label]}
        for label in [*labels, *sorted(seen.difference(labels))]
    }
    f1s = [per_type[label]["f1"] for label in labels if label in seen]
    micro = precision_recall_f1(hits.total(), predicted_counts.total(), support.total())
    macro_f1 = sum(f1s) / len(f1s) if f1s else 0.0
    return {**{f"entity_{name}": value for name, value in micro.items()}, "entity_macro_f1": macro_f1}, per_type


def _in_order(text_length: int, entities: Sequence[Entity]) -> list[Entity]:
    """Return the entities sorted, after checking that tags can express them."""
    ordered = sorted(entities)
    reached = 0
    for entity in ordered:
        if not 0 <= entity.start < entity.end <= text_length:
            raise ValueError(f"{entity} is empty or outside its text of {text_length} characters")
        if entity.start < reached:
            raise ValueError(f"{entity} overlaps another entity: a character has one tag")
        reached = entity.end
    return ordered


def klue_tags(text: str, entities: Sequence[Entity]) -> list[str]:
    """Return the tags that KLUE scores: those of all characters except the space (U+0020).

    A KLUE file has a row for each space, but KLUE-baseline drops it on reading (`if token == " ":
    continue`, klue_baseline/data/klue_ner.py) and predicts no tag for it. An entity that begins with a
    space so loses its B- tag; seqeval's strict mode then does not see it (a few gold entities of KLUE are so).
    """
    tags = character_bio(len(text), entities)
    return [tag for tag, character in zip(tags, text, strict=True) if character != " "]


def _klue_entity_f1(gold: list[list[str]], predicted: list[list[str]]) -> float:
    """KLUE's entity F1: seqeval's `f1_score(average="macro", mode="strict", scheme=IOB2)`.

    The mean is over the types that occur in gold or prediction. Source: `klue_ner_entity_macro_f1` of
    KLUE-baseline, klue_baseline/metrics/functional.py. It concatenates all sentences with the O of
    [CLS] and [SEP] between them, which changes nothing (but makes seqeval quadratic in their number).
    """
    from seqeval.scheme import IOB2

    return _seqeval_f1(gold, predicted, average="macro", mode="strict", scheme=IOB2)


def _seqeval_f1(gold: list[list[str]], predicted: list[list[str]], **options: Any) -> float:
    """Seqeval's `f1_score`, and 0.0 where neither side has a B- tag: it has nothing to average there."""
    from seqeval.metrics import f1_score

    if not any(tag.startswith("B-") for tags in chain(gold, predicted) for tag in tags):
        return 0.0
    return float(f1_score(gold, predicted, zero_division=0, **options))


def _klue_char_f1(gold: list[list[str]], predicted: list[list[str]], types: Sequence[str]) -> float:
    """KLUE's character F1: scikit-learn's macro F1 over B- and I- of all types and O, `zero_division=1`.

    For KLUE's six types these are 13 labels; one that occurs on neither side has F1 1. Source:
    `klue_ner_char_macro_f1` of KLUE-baseline, klue_baseline/metrics/functional.py (its docstring says
    "except O", its code includes it). KLUE-baseline also scores [CLS] and [SEP] of each sentence, as O;
    spans know no such tokens, so they are left out here. They touch the F1 of O alone.
    """
    from sklearn.metrics import f1_score

    labels = [*(f"{prefix}-{name}" for name in types for prefix in "BI"), "O"]
    # each distinct pair of tags once, weighed by its count: the same sums as over all characters, and fast
    counts = Counter(chain.from_iterable(map(zip, gold, predicted)))
    if not counts:
        return 1.0
    return float(
        f1_score(
            indicator([(tag,) for tag, _ in counts], labels),
            indicator([(tag,) for _, tag in counts], labels),
            labels=list(range(len(labels))),
            average="macro",
            sample_weight=list(counts.values()),
            zero_division=1,
        )
    )
