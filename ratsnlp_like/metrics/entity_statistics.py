"""Sufficient statistics of the scores of named entities: counts of each sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..examples.entity import Entity
from ..runtime.types import Array
from .entities import klue_tags, word_bio
from .example_statistics import ExampleStatistics, Scores
from .shares import check_lengths
from .statistics import ratio

Counts = Counter[tuple[str, str]]
"""(hits | predicted | gold, name) -> number."""


def entity_statistics(
    gold: Sequence[Sequence[Entity]],
    predicted: Sequence[Sequence[Entity]],
    texts: Sequence[str],
    labels: Sequence[str],
) -> ExampleStatistics:
    """Return the statistics of the scores of `entity_scores`; the units are sentences."""
    check_lengths(gold=gold, predicted=predicted, texts=texts)
    triples = list(zip(gold, predicted, texts, strict=True))
    exact = [_counts(_spans(right), _spans(found)) for right, found, _ in triples]
    words, klue, characters = (
        zip(*(_tag_statistics(*triple) for triple in triples), strict=True) if triples else [()] * 3
    )
    types = sorted({label for row in exact for _, label in row} | set(labels))
    classes = [*(f"{prefix}-{name}" for name in labels for prefix in "BI"), "O"]
    known = np.array([label in set(labels) for label in types], dtype=bool)
    tables = [_table(rows, names) for rows, names in ((exact, types), (klue, types), (words, types))]
    tables.append(_table(characters, classes))
    bounds = np.cumsum([table.shape[1] for table in tables])[:-1]

    def scores(sums: Array) -> Scores:
        own, of_klue, of_words, of_characters = (_three(part) for part in np.split(sums, bounds, axis=1))
        hits, found, right = (part.sum(axis=1) for part in own)
        return {
            "entity_precision": ratio(hits, found),
            "entity_recall": ratio(hits, right),
            "entity_f1": ratio(2 * hits, found + right),
            "entity_macro_f1": _macro([part[:, known] for part in own]),
            "klue_entity_f1": _macro(of_klue),
            "klue_char_f1": _macro(of_characters, absent=1.0),
            "conll_f1": ratio(2 * of_words[0].sum(axis=1), of_words[1].sum(axis=1) + of_words[2].sum(axis=1)),
        }

    return ExampleStatistics.of_rows(np.concatenate(tables, axis=1), scores, unit="sentences")


def _tag_statistics(gold: Sequence[Entity], predicted: Sequence[Entity], text: str) -> tuple[Counts, Counts, Counts]:
    """Counts of spans of words, of KLUE's spans, and of characters by tag."""
    if not gold and not predicted:
        number = len(text) - text.count(" ")
        return Counter(), Counter(), Counter({("hits", "O"): number, ("predicted", "O"): number, ("gold", "O"): number})
    right, found = klue_tags(text, gold), klue_tags(text, predicted)
    of_words = strict_spans(word_bio(text, gold)), strict_spans(word_bio(text, predicted))
    return _counts(*of_words), _counts(strict_spans(right), strict_spans(found)), _tag_counts(right, found)


def strict_spans(tags: Sequence[str]) -> set[tuple[int, int, str]]:
    """Return the spans of IOB2 tags as seqeval's strict mode finds them: (start, end, type), B- first.

    An I- that does not continue a span of its type belongs to none.
    """
    spans, start, label = set(), 0, ""
    for k, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        if label and not (prefix == "I" and name == label):
            spans.add((start, k, label))
            label = ""
        if prefix == "B":
            start, label = k, name
    return spans


def _spans(entities: Iterable[Entity]) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.label) for entity in entities}


def _counts(gold: set[tuple[int, int, str]], predicted: set[tuple[int, int, str]]) -> Counts:
    """Counts of spans by type."""
    out: Counts = Counter()
    for kind, spans in (("hits", gold & predicted), ("predicted", predicted), ("gold", gold)):
        out.update((kind, label) for _, _, label in spans)
    return out


def _tag_counts(gold: Sequence[str], predicted: Sequence[str]) -> Counts:
    """Counts of characters by tag."""
    out: Counts = Counter(("gold", tag) for tag in gold)
    out.update(("predicted", tag) for tag in predicted)
    out.update(("hits", right) for right, found in zip(gold, predicted, strict=True) if right == found)
    return out


def _table(rows: Sequence[Counts], names: Sequence[str]) -> Array:
    """Hits, predictions and gold of each name. Shape: (rows, 3 * names)."""
    order = [(kind, name) for kind in ("hits", "predicted", "gold") for name in names]
    return np.array([[row[key] for key in order] for row in rows], dtype=float).reshape(-1, len(order))


def _three(sums: Array) -> list[Array]:
    return np.split(sums, 3, axis=1)


def _macro(counts: Sequence[Array], absent: float | None = None) -> Array:
    """The mean F1 over the names; one that occurs on neither side is left out, or has the F1 `absent`."""
    hits, found, right = counts
    f1, present = ratio(2 * hits, found + right), found + right > 0
    if absent is not None:
        return np.asarray(np.where(present, f1, absent).mean(axis=1))
    return ratio((f1 * present).sum(axis=1), present.sum(axis=1).astype(float))
