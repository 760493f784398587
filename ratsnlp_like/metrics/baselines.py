"""Predictions without a neural network, which a trained model should surpass: pure functions on texts and labels."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar

from ..examples.entity import Entity

K = TypeVar("K", bound=Hashable)

_WORD = re.compile(r"\S+")


def most_frequent(values: Iterable[K]) -> K:
    """Return the most frequent value, the first of equally frequent ones."""
    return Counter(values).most_common(1)[0][0]


def tfidf_classes(
    train: Sequence[Sequence[str]], labels: Sequence[str], texts: Sequence[Sequence[str]], *, seed: int = 7
) -> list[str]:
    """Return the classes that logistic regression on TF-IDF of character n-grams predicts.

    N-grams of 1 to 3 characters within words need no morphological analysis and do well in Korean.

    Args:
        train: the texts of each training example, one or more.
        labels: their classes, at least two different ones.
        texts: the texts of the examples to predict.
        seed: of the solver.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    columns = []
    for k in range(len(train[0])):
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), max_features=100_000, sublinear_tf=True)
        fitted = vectorizer.fit_transform([own[k] for own in train])
        columns.append((fitted, vectorizer.transform([own[k] for own in texts])))
    x, own = (hstack(side, format="csr") for side in zip(*columns, strict=True))
    model = LogisticRegression(C=10.0, max_iter=300, random_state=seed)
    return [str(label) for label in model.fit(x, list(labels)).predict(own)]


def frequent_entities(
    train: Sequence[str], entities: Sequence[Sequence[Entity]], texts: Sequence[str]
) -> list[list[Entity]]:
    """Return the entities that each word most often is or contains in the training texts; unknown words have none.

    Words are separated by white space; an entity of several words is found as its parts are.

    Args:
        train: the training texts.
        entities: their entities.
        texts: the texts to predict.
    """
    counts: dict[str, Counter[tuple[int, int, str] | None]] = defaultdict(Counter)
    for text, own in zip(train, entities, strict=True):
        for word in _WORD.finditer(text):
            inside = next((e for e in own if word.start() <= e.start and e.end <= word.end()), None)
            part = (inside.start - word.start(), inside.end - word.start(), inside.label) if inside else None
            counts[word[0]][part] += 1
    known = {word: found for word, own in counts.items() if (found := own.most_common(1)[0][0])}
    out = []
    for text in texts:
        parts = [(word.start(), known[word[0]]) for word in _WORD.finditer(text) if word[0] in known]
        out.append([Entity(at + start, at + end, label) for at, (start, end, label) in parts])
    return out


def first_word(text: str) -> tuple[int, int]:
    """Return the bounds of the first word of a text; (0, 0) where it has none."""
    word = _WORD.search(text)
    return word.span() if word else (0, 0)


def unigram_likelihoods(train: Iterable[Sequence[int]], sequences: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """Return how well a unigram distribution over token ids predicts each sequence; counts are smoothed by one.

    Args:
        train: token ids of the training texts.
        sequences: token ids of the texts to predict.

    Returns:
        For each sequence `loss` (the sum in nats), `targets` and `correct` (tokens that are the most frequent one).
    """
    counts: Counter[int] = Counter()
    for ids in train:
        counts.update(ids)
    size = len(counts | Counter({token: 1 for ids in sequences for token in ids}))
    total = math.log(counts.total() + size)
    most = counts.most_common(1)[0][0] if counts else None
    return [
        {
            "loss": sum(total - math.log(counts[token] + 1) for token in ids),
            "targets": len(ids),
            "correct": sum(token == most for token in ids),
        }
        for ids in sequences
    ]
