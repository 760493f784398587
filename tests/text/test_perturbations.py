"""Perturbations: what they change, that they are seeded, and that spans stay with their words."""

from __future__ import annotations

import unicodedata
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.edited import Edit, EditedText
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.pair import PairExample
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.text.perturbations import PERTURBATIONS, perturb, perturbation_names

TEXT = "명작이라는 말을 듣고 봤는데 정말 대단한 영화였고 멍멍이가 귀여웠다 " * 10


def letters(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_the_same_seed_gives_the_same_noise(name: str) -> None:
    first = perturb(TEXT, name, 1)
    assert first.text != TEXT
    assert perturb(TEXT, name, 1) == first
    assert perturb(TEXT, name, 2).text != first.text
    assert perturb("", name, 1).text == ""


def test_spacing_changes_spaces_only() -> None:
    text = perturb(TEXT, "spacing", 1).text
    assert text.replace(" ", "") == TEXT.replace(" ", "")
    assert 0.4 < text.count(" ") / TEXT.count(" ") < 1.1


def test_a_typo_is_a_neighbouring_key() -> None:
    found = {(e.start, e.new) for e in perturb(TEXT, "typo", 1).edits}
    assert 0.05 < len(found) / len(TEXT) < 0.2
    for start, new in found:
        before, after = letters(TEXT[start]), letters(new)
        assert len(new) == 1
        assert len(before) == len(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1
    neighbours = {perturb("바" * 400, "typo", 1).text[k] for k in range(400)}
    assert neighbours == set("바자마버비뱌배브")  # ㅈㅁ around ㅂ, and ㅓㅣㅑㅐㅡ around ㅏ


def test_jamo_finals_and_lookalikes() -> None:
    assert letters_of(perturb("안녕", "jamo", seed_with("안녕", "jamo")).text) == "ㅇㅏㄴㄴㅕㅇ"
    text = perturb(TEXT, "finals", 1).text
    assert len(text) == len(TEXT)
    assert len(letters(text)) < len(letters(TEXT))
    assert set(perturb("멍멍이 명작 귀엽다", "lookalike", 3).text) - set("멍멍이 명작 귀엽다") <= set("댕띵커")


def seed_with(text: str, name: str) -> int:
    """Return a seed with which the whole text is changed."""
    return next(seed for seed in range(9999) if len(perturb(text, name, seed).edits) == len(text))


def letters_of(text: str) -> str:
    return "".join(text.split())


def test_additions() -> None:
    for name, characters in (("repeat", "ㅋㅎ"), ("emoji", "🙂👀✨🍀📌🎈🙏")):
        text = perturb(TEXT, name, 1).text
        assert "".join(c for c in text if c not in characters) == TEXT
        assert perturb("네", name, 1).text != "네"


SENTENCE = "김하늘은 부산에서 한빛전자에 다닌다"
SPANS = (Entity(0, 3, "PS"), Entity(5, 7, "LC"), Entity(10, 14, "OG"))


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_entities_and_answers_keep_their_words(name: str) -> None:
    for seed in range(30):
        example = EntityExample(SENTENCE, SPANS).edited(partial(perturb, name=name, seed=seed))
        words = [example.text[e.start : e.end] for e in example.entities or ()]
        for word, gold in zip(words, ("김하늘", "부산", "한빛전자"), strict=True):
            if name in {"repeat", "emoji"}:
                assert word == gold
            elif name == "spacing":
                assert word.replace(" ", "") == gold
                assert word == word.strip()
            elif name == "jamo":
                assert len(word) >= len(gold)
            else:
                assert len(word) == len(gold)
                assert letters(word)[0] == letters(gold)[0] or name == "typo"
        asked = QuestionExample("어디?", SENTENCE, (Answer("부산", 5),)).edited(partial(perturb, name=name, seed=seed))
        (answer,) = asked.answers or ()
        assert asked.context.startswith(answer.text, answer.start)
        assert answer.text == words[1]


def test_labels_stay() -> None:
    pair = PairExample("비가 왔다", "날이 맑다", "모순").edited(partial(perturb, name="emoji", seed=1))
    assert pair.label == "모순"
    assert pair.text != "비가 왔다"
    assert pair.text_pair != "날이 맑다"


@given(
    st.text("가나 ㅋ", max_size=12),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2), st.text("다", max_size=3))),
)
def test_spans_of_an_edited_text(text: str, drafts: list[tuple[int, int, str]]) -> None:
    """What an edit does not touch has the same text in its new place."""
    edits, reached = [], -1
    for start, length, new in sorted(drafts):
        if start > reached and start + length <= len(text):
            edits.append(Edit(start, start + length, new))
            reached = start + length
    edited = EditedText.of(text, edits)
    for i, character in enumerate(text):
        start, end = edited.span(i, i + 1)
        if not any(e.start <= i < e.end for e in edits):
            assert edited.text[start:end] == character
        assert 0 <= start <= end <= len(edited.text)


def test_names() -> None:
    assert perturbation_names("spacing, typo") == ("spacing", "typo")
    assert perturbation_names("all") == tuple(PERTURBATIONS)
    with pytest.raises(InputError, match="spacng"):
        perturbation_names("spacng")
