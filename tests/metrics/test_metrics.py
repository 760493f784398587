"""Metrics against numbers computed by hand, and against scikit-learn and seqeval on random cases."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.metrics.classification import classification_scores, multi_label_scores
from ratsnlp_like.metrics.entities import character_bio, entity_scores, word_bio

pytestmark = pytest.mark.filterwarnings("error")  # no metric ever warns

ROOT = Path(__file__).parents[2]
TYPES = ["PS", "LC", "OG"]
SCALARS = (
    "entity_precision",
    "entity_recall",
    "entity_f1",
    "entity_macro_f1",
    "klue_entity_f1",
    "klue_char_f1",
    "conll_f1",
)


def entity_of(text: str, part: str, label: str) -> Entity:
    """The entity at the first occurrence of a part in a text."""
    start = text.index(part)
    return Entity(start, start + len(part), label)


def scalars(result: dict[str, Any]) -> list[float]:
    return [result[name] for name in SCALARS]


class TestClassification:
    def test_by_hand(self) -> None:
        result = classification_scores(["a", "a", "b", "c"], ["a", "b", "b", "b"], ["a", "b", "c"])
        # a: 1 hit of 1 predicted, 2 gold; b: 1 of 3, 1; c: 0 of 0, 1
        assert result["per_class"]["a"] == pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2})
        assert result["per_class"]["b"] == pytest.approx({"precision": 1 / 3, "recall": 1, "f1": 1 / 2, "support": 1})
        assert result["per_class"]["c"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
        assert result["accuracy"] == 2 / 4
        assert result["micro_f1"] == pytest.approx(2 / 4)
        assert result["macro_f1"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
        assert result["weighted_f1"] == pytest.approx((2 * 2 / 3 + 1 * 1 / 2 + 1 * 0) / 4)
        assert result["confusion_matrix"] == {"labels": ["a", "b", "c"], "matrix": [[1, 1, 0], [0, 1, 0], [0, 1, 0]]}

    def test_a_label_that_does_not_occur_counts_in_the_macro_mean(self) -> None:
        result = classification_scores(["긍정", "부정"], ["긍정", "부정"], ["긍정", "부정", "중립"])
        assert result["macro_f1"] == pytest.approx((1 + 1 + 0) / 3)
        assert result["micro_f1"] == result["weighted_f1"] == result["accuracy"] == 1
        assert result["per_class"]["중립"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}

    def test_the_order_of_the_tables_is_that_of_the_labels(self) -> None:
        result = classification_scores(["1", "1", "0"], ["0", "1", "0"], ["1", "0"])
        assert list(result["per_class"]) == ["1", "0"]
        assert result["confusion_matrix"]["matrix"] == [[1, 1], [0, 1]]

    def test_an_unknown_gold_class_is_a_miss(self) -> None:
        result = classification_scores(["x", "a"], ["a", "a"], ["a"])
        # a: 1 hit of 2 predicted, 1 gold: F1 = 2 * 1 / (2 + 1)
        assert result["accuracy"] == 1 / 2
        assert result["macro_f1"] == result["micro_f1"] == result["weighted_f1"] == pytest.approx(2 / 3)
        assert result["confusion_matrix"]["matrix"] == [[1]]

    def test_only_unknown_classes(self) -> None:
        result = classification_scores(["x"], ["y"], ["a", "b"])
        assert result["accuracy"] == result["macro_f1"] == result["micro_f1"] == result["weighted_f1"] == 0
        assert result["confusion_matrix"]["matrix"] == [[0, 0], [0, 0]]

    @pytest.mark.parametrize("labels", [["a", "b"], ["a"], []])
    def test_nothing_to_score(self, labels: list[str]) -> None:
        result = classification_scores([], [], labels)
        assert result["accuracy"] == result["macro_f1"] == result["micro_f1"] == result["weighted_f1"] == 0
        assert result["per_class"] == {x: {"precision": 0, "recall": 0, "f1": 0, "support": 0} for x in labels}
        assert result["confusion_matrix"]["matrix"] == [[0] * len(labels)] * len(labels)

    @pytest.mark.parametrize("seed", range(20))
    def test_equals_scikit_learn(self, seed: int) -> None:
        from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

        rng = random.Random(seed)
        occurring = [f"c{i}" for i in range(rng.randint(2, 6))]
        labels = [*occurring, "absent"][seed % 2 :]  # every other time a class that occurs is unknown
        gold = rng.choices(occurring, k=60)
        predicted = [name if rng.random() < 0.6 else rng.choice(occurring) for name in gold]
        result = classification_scores(gold, predicted, labels)

        assert result["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
        for average in ("macro", "micro", "weighted"):
            expected = f1_score(gold, predicted, labels=labels, average=average, zero_division=0)
            assert result[f"{average}_f1"] == pytest.approx(expected)
        columns = precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=0)
        for label, row in zip(labels, zip(*columns, strict=True), strict=True):
            assert list(result["per_class"][label].values()) == pytest.approx(list(row))
        assert result["confusion_matrix"]["matrix"] == confusion_matrix(gold, predicted, labels=labels).tolist()

    def test_nearly_as_many_classes_as_texts(self) -> None:
        names = [f"c{i}" for i in range(30)]  # scikit-learn guesses at regression here, and warns
        assert classification_scores(names, names, names)["macro_f1"] == 1


class TestMultiLabel:
    def test_by_hand(self) -> None:
        gold = [("욕설", "차별"), ("욕설",), ()]
        predicted = [("욕설",), ("욕설",), ("기타",)]
        result = multi_label_scores(gold, predicted, ["욕설", "차별", "기타"])
        # 욕설: 2 hits of 2 predicted, 2 gold; 차별: 0 of 0, 1; 기타: 0 of 1, 0
        assert result["subset_accuracy"] == pytest.approx(1 / 3)
        assert result["micro_f1"] == pytest.approx(2 * 2 / (3 + 3))
        assert result["macro_f1"] == pytest.approx((1 + 0 + 0) / 3)
        assert result["weighted_f1"] == pytest.approx((2 * 1 + 1 * 0) / 3)
        assert result["samples_f1"] == pytest.approx((2 / 3 + 1 + 0) / 3)  # the first text: 2 * 1 / (1 + 2)
        assert result["hamming_loss"] == pytest.approx(2 / 9)  # 차별 of the first text, 기타 of the third
        assert result["per_class"]["차별"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}

    def test_texts_without_classes_are_right_but_have_no_f1(self) -> None:
        result = multi_label_scores([(), ("a",)], [[], {"a"}], ["a", "b"])
        assert result["subset_accuracy"] == 1
        assert result["hamming_loss"] == 0
        assert result["samples_f1"] == (0 + 1) / 2

    def test_an_unknown_gold_class_makes_its_text_wrong(self) -> None:
        result = multi_label_scores([("a", "x")], [("a",)], ["a", "b"])
        assert result["subset_accuracy"] == 0
        assert result["hamming_loss"] == 0  # the table of texts by labels has no column for it
        assert result["micro_f1"] == 1

    @pytest.mark.parametrize("labels", [["a", "b"], ["a"], []])
    def test_nothing_to_score(self, labels: list[str]) -> None:
        result = multi_label_scores([], [], labels)
        assert set(result.pop("per_class")) == set(labels)
        assert set(result.values()) == {0}

    @pytest.mark.parametrize("seed", range(20))
    def test_equals_scikit_learn(self, seed: int) -> None:
        import numpy as np
        from sklearn.metrics import accuracy_score, f1_score, hamming_loss, precision_recall_fscore_support

        rng = random.Random(seed)
        labels = [f"c{i}" for i in range(rng.randint(2, 6))]
        draw = np.random.default_rng(seed)
        gold = (draw.random((40, len(labels))) < 0.3).astype(int)
        predicted = np.where(draw.random(gold.shape) < 0.2, 1 - gold, gold)
        predicted[:, 0] *= seed % 2  # every other time the first label is never predicted
        names = [[{labels[i] for i in np.flatnonzero(row)} for row in side] for side in (gold, predicted)]
        result = multi_label_scores(*names, labels)

        assert result["subset_accuracy"] == pytest.approx(accuracy_score(gold, predicted))
        assert result["hamming_loss"] == pytest.approx(hamming_loss(gold, predicted))
        for average in ("micro", "macro", "weighted", "samples"):
            expected = f1_score(gold, predicted, average=average, zero_division=0)
            assert result[f"{average}_f1"] == pytest.approx(expected)
        columns = precision_recall_fscore_support(gold, predicted, zero_division=0)
        for label, row in zip(labels, zip(*columns, strict=True), strict=True):
            assert list(result["per_class"][label].values()) == pytest.approx(list(row))


class TestTags:
    def test_characters(self) -> None:
        text = "이순신은 서울"
        tags = character_bio(len(text), [Entity(5, 7, "LC"), Entity(0, 3, "PS")])  # in any order
        assert tags == ["B-PS", "I-PS", "I-PS", "O", "O", "B-LC", "I-LC"]

    def test_adjacent_entities_of_the_same_type(self) -> None:
        assert character_bio(4, [Entity(0, 2, "PS"), Entity(2, 4, "PS")]) == ["B-PS", "I-PS", "B-PS", "I-PS"]

    def test_an_entity_over_a_space(self) -> None:
        text = "김 구 선생"
        assert character_bio(6, [Entity(0, 3, "PS")]) == ["B-PS", "I-PS", "I-PS", "O", "O", "O"]
        assert word_bio(text, [Entity(0, 3, "PS")]) == ["B-PS", "I-PS", "O"]

    def test_no_entities_and_no_text(self) -> None:
        assert character_bio(2, []) == ["O", "O"]
        assert character_bio(0, []) == word_bio("", []) == word_bio(" \t", []) == []

    def test_particles_are_inside_words(self) -> None:
        text = "(이순신은)  서울에서\t싸웠다"
        found = [entity_of(text, "이순신", "PS"), entity_of(text, "서울", "LC")]
        assert word_bio(text, found) == ["B-PS", "B-LC", "O"]

    def test_the_first_of_two_entities_in_a_word_wins(self) -> None:
        assert word_bio("서울대학생", [Entity(0, 2, "LC"), Entity(2, 4, "OG")]) == ["B-LC"]

    def test_the_first_word_of_an_entity_is_b_even_if_it_starts_in_a_lost_word(self) -> None:
        # 부산 시청 starts in the word 서울부산, which is that of 서울
        assert word_bio("서울부산 시청 앞", [Entity(0, 2, "LC"), Entity(2, 7, "LC")]) == ["B-LC", "B-LC", "O"]

    def test_the_first_word_of_an_entity_is_b_even_if_it_starts_at_a_space(self) -> None:
        assert word_bio("앞 김 구", [Entity(1, 5, "PS")]) == ["O", "B-PS", "I-PS"]

    def test_adjacent_words_of_two_entities(self) -> None:
        assert word_bio("서울 부산", [Entity(0, 2, "LC"), Entity(3, 5, "LC")]) == ["B-LC", "B-LC"]

    @pytest.mark.parametrize(
        ("spans", "message"),
        [
            ([Entity(0, 6, "PS")], "outside its text of 5"),
            ([Entity(-1, 2, "PS")], "outside its text of 5"),
            ([Entity(2, 2, "PS")], "empty"),
            ([Entity(0, 3, "PS"), Entity(2, 4, "LC")], "overlaps"),
            ([Entity(0, 3, "PS"), Entity(0, 3, "PS")], "overlaps"),
        ],
    )
    def test_spans_that_tags_cannot_express(self, spans: list[Entity], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            character_bio(5, spans)
        with pytest.raises(ValueError, match=message):
            word_bio("가나다라마", spans)
        with pytest.raises(ValueError, match=message):
            entity_scores([[]], [spans], ["가나다라마"], TYPES)


class TestEntities:
    def test_all_scores_by_hand(self) -> None:
        text = "이순신은 서울에서 김 구를"
        gold = [entity_of(text, "이순신", "PS"), entity_of(text, "서울", "LC"), entity_of(text, "김 구", "PS")]
        predicted = [entity_of(text, "이순신은", "PS"), gold[1], entity_of(text, "김", "PS")]
        result = entity_scores([gold], [predicted], [text], ["PS", "LC"])
        # only 서울 is exact: PS 0 hits of 2 predicted, 2 gold; LC 1 of 1, 1
        assert result["entity_precision"] == result["entity_recall"] == pytest.approx(1 / 3)
        assert result["entity_f1"] == pytest.approx(1 / 3)
        assert result["entity_macro_f1"] == pytest.approx((0 + 1) / 2)
        assert result["per_type"] == {
            "PS": {"precision": 0, "recall": 0, "f1": 0, "support": 2},
            "LC": {"precision": 1, "recall": 1, "f1": 1, "support": 1},
        }
        assert result["klue_entity_f1"] == pytest.approx((0 + 1) / 2)
        # 11 characters without the spaces:  이순신은 서울에서 김구를
        #   gold BIIO BIOO BIO, predicted BIII BIOO BOO
        #   B-PS 2 hits of 2, 2: 1; I-PS 2 of 3, 3: 2/3; B-LC 1; I-LC 1; O 3 of 4, 4: 3/4
        assert result["klue_char_f1"] == pytest.approx((1 + 2 / 3 + 1 + 1 + 3 / 4) / 5)
        # words: gold B-PS B-LC B-PS I-PS, predicted B-PS B-LC B-PS O: 2 hits of 3 predicted, 3 gold
        assert result["conll_f1"] == pytest.approx(2 / 3)

    def test_one_entity_per_type_all_right(self) -> None:
        text = "이순신 서울 국회"
        found = [entity_of(text, "이순신", "PS"), entity_of(text, "서울", "LC"), entity_of(text, "국회", "OG")]
        assert scalars(entity_scores([found], [found[::-1]], [text], TYPES)) == [1] * len(SCALARS)

    def test_a_wrong_type(self) -> None:
        result = entity_scores([[Entity(0, 2, "LC")]], [[Entity(0, 2, "OG")]], ["서울"], TYPES)
        # characters: B-PS, I-PS and O are absent: 1; B- and I- of LC and OG: 0
        assert scalars(result) == pytest.approx([0, 0, 0, 0, 0, 3 / 7, 0])

    def test_adjacent_entities_of_the_same_type_are_two(self) -> None:
        text = "서울부산"
        result = entity_scores([[Entity(0, 2, "LC"), Entity(2, 4, "LC")]], [[Entity(0, 4, "LC")]], [text], ["LC"])
        assert result["entity_f1"] == result["klue_entity_f1"] == 0
        assert result["conll_f1"] == 1  # one word, B-LC on both sides
        # gold BIBI, predicted BIII: B 1 hit of 1, 2: 2/3; I 2 of 3, 2: 4/5; O absent: 1
        assert result["klue_char_f1"] == pytest.approx((2 / 3 + 4 / 5 + 1) / 3)

    def test_micro_counts_entities_and_macro_counts_types(self) -> None:
        texts = ["가나다라마바"] * 2
        gold = [[Entity(0, 1, "PS"), Entity(2, 3, "PS"), Entity(4, 5, "LC")], [Entity(0, 2, "PS")]]
        predicted = [[Entity(0, 1, "PS"), Entity(2, 3, "PS")], [Entity(0, 2, "PS"), Entity(3, 4, "LC")]]
        result = entity_scores(gold, predicted, texts, TYPES)
        # PS 3 hits of 3, 3: 1; LC 0 of 1, 1: 0; OG occurs on neither side: not in the mean
        assert result["entity_f1"] == pytest.approx(3 / 4)
        assert result["entity_macro_f1"] == result["klue_entity_f1"] == pytest.approx(1 / 2)
        assert result["per_type"]["OG"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}

    def test_the_same_span_in_another_text_is_no_hit(self) -> None:
        result = entity_scores([[Entity(0, 1, "PS")], []], [[], [Entity(0, 1, "PS")]], ["가나", "가나"], TYPES)
        assert result["entity_f1"] == result["klue_entity_f1"] == result["conll_f1"] == 0

    def test_absent_labels_have_character_f1_one(self) -> None:
        gold, predicted = [[Entity(0, 2, "PS")]], [[Entity(0, 1, "PS")]]
        # 가나 다 without its space: gold BIO, predicted BOO: B 1, I 0, O 1 hit of 2, 1: 2/3
        assert entity_scores(gold, predicted, ["가나 다"], ["PS"])["klue_char_f1"] == pytest.approx((1 + 0 + 2 / 3) / 3)
        # and B-LC, I-LC absent
        expected = (1 + 0 + 1 + 1 + 2 / 3) / 5
        assert entity_scores(gold, predicted, ["가나 다"], ["PS", "LC"])["klue_char_f1"] == pytest.approx(expected)

    def test_a_type_outside_the_labels_counts_in_micro_and_has_its_row(self) -> None:
        gold = [[Entity(0, 1, "PS"), Entity(2, 3, "??")]]
        result = entity_scores(gold, [[Entity(0, 1, "PS")]], ["가나다"], ["PS"])
        assert result["entity_recall"] == 1 / 2
        assert result["entity_macro_f1"] == 1
        assert result["klue_entity_f1"] == (1 + 0) / 2  # seqeval knows no list of types
        assert result["per_type"]["??"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}

    def test_nothing_predicted(self) -> None:
        result = entity_scores([[Entity(0, 2, "PS")]], [[]], ["가나다"], ["PS"])
        # characters: gold BIO, predicted OOO: B 0, I 0, O 1 hit of 3, 1: 1/2
        assert scalars(result) == pytest.approx([0, 0, 0, 0, 0, (0 + 0 + 1 / 2) / 3, 0])

    def test_nothing_expected(self) -> None:
        result = entity_scores([[]], [[Entity(0, 2, "PS")]], ["가나다"], ["PS"])
        assert scalars(result) == pytest.approx([0, 0, 0, 0, 0, (0 + 0 + 1 / 2) / 3, 0])

    @pytest.mark.parametrize("texts", [["가나다", ""], [" "], []])
    def test_no_entities_at_all(self, texts: list[str]) -> None:
        result = entity_scores([[]] * len(texts), [[]] * len(texts), texts, TYPES)
        assert scalars(result) == [0, 0, 0, 0, 0, 1, 0]
        assert list(result["per_type"]) == TYPES

    def test_an_entity_of_nothing_but_white_space(self) -> None:
        result = entity_scores([[Entity(1, 2, "PS")]], [[Entity(1, 2, "PS")]], ["가 나"], TYPES)
        assert result["entity_f1"] == 1
        assert result["klue_entity_f1"] == result["conll_f1"] == 0  # it has no character and no word there

    def test_klue_does_not_see_spaces(self) -> None:
        text = "나 김구 선생"
        exact, trailing, leading = Entity(2, 4, "PS"), Entity(2, 5, "PS"), Entity(1, 4, "PS")
        assert entity_scores([[exact]], [[trailing]], [text], TYPES)["klue_entity_f1"] == 1
        assert entity_scores([[exact]], [[trailing]], [text], TYPES)["entity_f1"] == 0
        assert entity_scores([[exact]], [[leading]], [text], TYPES)["klue_entity_f1"] == 0  # its B- went with the space
        assert entity_scores([[leading]], [[leading]], [text], TYPES)["klue_entity_f1"] == 0


Case = tuple[str, list[Entity], list[Entity]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A text with spaces, its gold entities, and predicted ones that partly agree."""
    text = draw(st.text("가나다  \t", max_size=20))
    pieces = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 5), st.sampled_from(TYPES)), max_size=5)

    def spans() -> list[Entity]:
        found, reached = [], 0
        for gap, length, label in draw(pieces):
            entity = Entity(reached + gap, reached + gap + length, label)
            reached = entity.end
            if reached <= len(text):
                found.append(entity)
        return found

    gold = spans()
    cut = draw(st.integers(0, len(text)))  # before it the prediction is right, after it random
    predicted = [entity for entity in gold if entity.end <= cut]
    reached = predicted[-1].end if predicted else 0
    return text, gold, predicted + [entity for entity in spans() if entity.start >= reached]


def naive_tags(text: str, spans: list[Entity]) -> list[str]:
    def tag(place: int) -> str:
        for start, end, label in spans:
            if start <= place < end:
                return f"{'B' if place == start else 'I'}-{label}"
        return "O"

    return [tag(place) for place in range(len(text))]


def naive_words(text: str, spans: list[Entity]) -> list[str]:
    tags: list[str] = []
    tagged: set[Entity] = set()
    place = 0
    for word in text.split():
        place = text.index(word, place)
        owners = [e for i in range(place, place + len(word)) for e in spans if e.start <= i < e.end]
        place += len(word)
        tags.append(f"{'I' if owners[0] in tagged else 'B'}-{owners[0].label}" if owners else "O")
        tagged.update(owners[:1])
    return tags


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(cases(), min_size=1, max_size=6))
def test_entities_equal_seqeval_and_scikit_learn(sentences: list[Case]) -> None:
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.metrics.v1 import precision_recall_fscore_support
    from seqeval.scheme import IOB2
    from sklearn.metrics import f1_score as label_f1_score

    texts = [text for text, _, _ in sentences]
    gold, predicted = [g for _, g, _ in sentences], [p for _, _, p in sentences]
    result = entity_scores(gold, predicted, texts, TYPES)
    strict = {"mode": "strict", "scheme": IOB2, "zero_division": 0}

    # exact spans are the strict IOB2 entities of all characters
    tags = [[naive_tags(text, spans) for text, spans in zip(texts, side, strict=True)] for side in (gold, predicted)]
    assert tags == [[character_bio(len(t), s) for t, s in zip(texts, side, strict=True)] for side in (gold, predicted)]
    for name, score in {"precision": precision_score, "recall": recall_score, "f1": f1_score}.items():
        assert result[f"entity_{name}"] == pytest.approx(score(*tags, average="micro", **strict))
    occurring = sorted({entity.label for spans in gold + predicted for entity in spans})
    if occurring:
        assert result["entity_macro_f1"] == pytest.approx(f1_score(*tags, average="macro", **strict))
    columns = precision_recall_fscore_support(*tags, scheme=IOB2, zero_division=0)
    for label, row in zip(occurring, zip(*columns, strict=True), strict=True):
        assert list(result["per_type"][label].values()) == pytest.approx(list(row))

    # KLUE-baseline: no spaces, all sentences in one sequence between the O of [CLS] and [SEP]
    characters = [
        [tag for text, row in zip(texts, side, strict=True) for tag in ("O", *without_spaces(text, row), "O")]
        for side in tags
    ]
    if any(tag.startswith("B-") for side in characters for tag in side):
        expected = f1_score([characters[0]], [characters[1]], average="macro", **strict)
        assert result["klue_entity_f1"] == pytest.approx(expected)
    else:
        assert result["klue_entity_f1"] == 0
    bio = [f"{prefix}-{label}" for label in TYPES for prefix in "BI"] + ["O"]
    flat = [
        [bio.index(tag) for t, row in zip(texts, side, strict=True) for tag in without_spaces(t, row)] for side in tags
    ]
    if flat[0]:
        expected = label_f1_score(*flat, labels=list(range(len(bio))), average="macro", zero_division=1)
        assert result["klue_char_f1"] == pytest.approx(expected)
    else:
        assert result["klue_char_f1"] == 1

    words = [[naive_words(text, spans) for text, spans in zip(texts, side, strict=True)] for side in (gold, predicted)]
    assert words == [[word_bio(t, s) for t, s in zip(texts, side, strict=True)] for side in (gold, predicted)]
    assert result["conll_f1"] == pytest.approx(f1_score(*words, average="micro", zero_division=0))


def without_spaces(text: str, tags: list[str]) -> list[str]:
    return [tag for tag, character in zip(tags, text, strict=True) if character != " "]


def test_lengths_that_differ() -> None:
    with pytest.raises(ValueError, match="gold has 2, predicted has 1"):
        classification_scores(["a", "b"], ["a"], ["a", "b"])
    with pytest.raises(ValueError, match="gold has 0, predicted has 1"):
        multi_label_scores([], [("a",)], ["a"])
    with pytest.raises(ValueError, match="gold has 1, predicted has 2, texts has 1"):
        entity_scores([[]], [[], []], ["가"], TYPES)
    with pytest.raises(ValueError, match="gold has 1, predicted has 1, texts has 2"):
        entity_scores([[]], [[]], ["가", "나"], TYPES)


@pytest.mark.parametrize(
    "result",
    [
        classification_scores(["a", "b"], ["a", "a"], ["a", "b"]),
        multi_label_scores([{"a"}, {"b"}], [{"a"}, set()], ["a", "b"]),
        entity_scores([[Entity(0, 1, "PS")]], [[Entity(0, 1, "PS")]], ["가나"], TYPES),
    ],
    ids=["classification", "multi_label", "entities"],
)
def test_results_are_plain(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert all(type(value) in (float, dict) for value in result.values())
    assert not any("token" in name for name in result)


def test_importing_the_module_is_light() -> None:
    heavy = {"numpy", "scipy", "sklearn", "seqeval"}
    code = f"import sys, ratsnlp_like.metrics; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
