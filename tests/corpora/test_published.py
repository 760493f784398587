"""The bundled corpora, and the published ones where their files exist."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.registry import CORPORA


@pytest.mark.parametrize(
    ("name", "labels", "counts"),
    [
        ("sample-sentiment", {"긍정", "부정"}, {"train": 440, "validation": 80, "test": 120}),
        ("sample-ner", {"PS", "LC", "OG", "DT", "QT"}, {"train": 280, "validation": 40, "test": 60}),
    ],
)
def test_bundled(name: str, labels: set[str], counts: dict[str, int], tmp_path: Path) -> None:
    """They are found wherever the root is, and no text is in two splits."""
    corpus = CORPORA[name]
    splits = {split: list(corpus.examples(tmp_path, split)) for split in corpus.splits(tmp_path)}
    assert {split: len(examples) for split, examples in splits.items()} == counts
    for examples in splits.values():
        assert {label for example in examples for label in example.label_names} == labels
    texts = [example.text for examples in splits.values() for example in examples]
    assert len(set(texts)) == len(texts)
    assert all(text.strip() == text != "" for text in texts)


def tally(corpus: Corpus, root: Path, split: str) -> tuple[int, int, Counter[str]]:
    """Rows, empty rows, and labels of a split."""
    rows = empty = 0
    labels: Counter[str] = Counter()
    for example in corpus.examples(root, split):
        rows += 1
        empty += not example.text.strip()
        labels.update(example.label_names)
    return rows, empty, labels


@pytest.mark.slow
def test_nsmc(korpora_root: Path, no_network: list[str]) -> None:
    corpus = CORPORA["nsmc"]
    assert tally(corpus, korpora_root, "train") == (150_000, 6, {"negative": 75_001, "positive": 74_999})
    assert tally(corpus, korpora_root, "test") == (50_000, 1, {"negative": 24_999, "positive": 25_001})
    assert no_network == []


@pytest.mark.parametrize(
    ("column", "train", "validation"),
    [
        ("hate", {"none": 3486, "offensive": 2499, "hate": 1911}, {"none": 160, "offensive": 189, "hate": 122}),
        ("bias", {"none": 5148, "others": 1516, "gender": 1232}, {"none": 342, "gender": 67, "others": 62}),
        ("contain_gender_bias", {"False": 6664, "True": 1232}, {"False": 404, "True": 67}),
    ],
)
def test_korean_hate_speech(
    column: str, train: dict[str, int], validation: dict[str, int], korpora_root: Path, no_network: list[str]
) -> None:
    corpus = open_corpus("korean-hate-speech", TextExample, "classification", columns={"label": column})
    assert corpus.splits(korpora_root) == ("train", "validation")  # the published test file has no labels
    assert tally(corpus, korpora_root, "train") == (7896, 0, train)
    assert tally(corpus, korpora_root, "validation") == (471, 0, validation)
    assert no_network == []


@pytest.mark.slow
def test_klue_ner(data: Path, no_network: list[str]) -> None:
    corpus = CORPORA["klue-ner"]
    train = {"PS": 2759, "QT": 2013, "DT": 1467, "OG": 1349, "LC": 1099, "TI": 348}
    validation = {"PS": 791, "QT": 495, "OG": 387, "DT": 374, "LC": 232, "TI": 82}
    assert tally(corpus, data, "train") == (3200, 0, train)
    assert tally(corpus, data, "validation") == (800, 0, validation)
    assert no_network == []


@pytest.mark.slow
def test_ner_book(data: Path, no_network: list[str]) -> None:
    """As its README counts, but for `<<2>:NOH>` of val: an entity here, a mismatch for a regular expression."""
    corpus = CORPORA["ner-book"]
    train = {"PER": 13_741, "ORG": 13_047, "NOH": 12_122, "POH": 6337, "LOC": 6024, "DAT": 5047, "PNT": 1394}
    train |= {"DUR": 1255, "MNY": 1224, "TIM": 386}
    validation = {"PER": 1765, "ORG": 1552, "NOH": 1358 + 1, "POH": 833, "LOC": 782, "DAT": 680, "PNT": 224}
    validation |= {"MNY": 178, "DUR": 133, "TIM": 41}
    assert tally(corpus, data, "train") == (17_957, 0, train)
    assert tally(corpus, data, "validation") == (2368, 0, validation)
    assert no_network == []
