"""Characters and tokens: every function on values worked out by hand, then properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.examples.entity import Entity
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.text.particles import ParticleCounts, without_particle
from ratsnlp_like.text.spans import bio_labels, context, entities_to_tags, tags_to_spans, windows
from ratsnlp_like.text.tokens import Offset, Template, align_tokens, tokenize

# tokenize


def shown(tokenizer: Any, text: str) -> list[tuple[str, str]]:
    """Tokens, and what of the text each one shows."""
    (tokens,) = tokenize(tokenizer, [text])
    strings = tokenizer.convert_ids_to_tokens(tokens.ids)
    return [(string, text[start:end]) for string, (start, end) in zip(strings, tokens.offsets, strict=True)]


def test_wordpiece(tiny_tokenizer: Any) -> None:
    assert shown(tiny_tokenizer, " 서울에서\u00a0 기차를\t뷁 탔다") == [
        ("서울에서", "서울에서"),
        ("기차를", "기차를"),
        ("[UNK]", "뷁"),
        ("탔다", "탔다"),
    ]


def test_the_first_byte_of_a_character_shows_it(tiny_bpe_tokenizer: Any) -> None:
    """Offsets do not overlap, and do not include the space before a word."""
    parts = [part for _, part in shown(tiny_bpe_tokenizer, "뷁 서울")]
    assert parts == ["뷁", "", "", "서", "", "울", ""]


def test_a_token_of_white_space_alone_shows_nothing(tiny_bpe_tokenizer: Any) -> None:
    text = "가  나"
    (tokens,) = tokenize(tiny_bpe_tokenizer, [text])
    assert {text[start:end] for start, end in tokens.offsets if start < end} == {"가", "나"}
    assert any(start == end for start, end in tokens.offsets)


def test_a_mark_of_a_space_alone_shows_nothing() -> None:
    """SentencePiece writes one before each word; where the word is unknown it is a token of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    unigram = Tokenizer(models.Unigram([("<unk>", -9.0), ("▁", -2.0), ("▁가", -1.0), ("나", -1.0)], unk_id=0))
    unigram.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=unigram, unk_token="<unk>")
    assert shown(tokenizer, "뷁 가나 뷁") == [
        ("▁", ""),
        ("<unk>", "뷁"),
        ("▁가", "가"),
        ("나", "나"),
        ("▁", ""),
        ("<unk>", "뷁"),
    ]


@pytest.mark.parametrize("text", ["", " ", "\u00a0\t\n"])
def test_no_tokens(text: str, tiny_tokenizer: Any) -> None:
    assert tokenize(tiny_tokenizer, [text]) == [([], [])]


def test_truncation_and_padding_of_an_earlier_call_do_not_stay(tiny_tokenizer: Any) -> None:
    texts = ["김민준은 서울에서 기차를 탔다", "탔다"]
    before = tokenize(tiny_tokenizer, texts)
    tiny_tokenizer(texts, truncation=True, max_length=3, padding="max_length")
    assert tokenize(tiny_tokenizer, texts) == before
    assert [len(tokens.ids) for tokens in before] == [4, 1]


def test_without_offsets(tiny_tokenizer: Any) -> None:
    texts = ["김민준은 서울에서", ""]
    plain = tokenize(tiny_tokenizer, texts)
    assert tokenize(tiny_tokenizer, texts, offsets=False) == [(tokens.ids, []) for tokens in plain]


class Slow:
    """A tokenizer that gives no offsets: words, and pieces of two characters after ##."""

    is_fast = False
    unk_token = "[UNK]"

    def tokenize(self, text: str, **options: Any) -> list[str]:
        tokens = []
        for word in text.split():
            pieces = [word[i : i + 2] for i in range(0, len(word), 2)]
            tokens += ["[UNK]"] if "뷁" in word else [pieces[0], *(f"##{piece}" for piece in pieces[1:])]
        return tokens

    def convert_tokens_to_ids(self, tokens: Sequence[str]) -> list[int]:
        return [len(token) for token in tokens]


def test_a_slow_tokenizer() -> None:
    assert tokenize(Slow(), ["서울에서 뷁뷁 봄", ""]) == [
        ([2, 4, 5, 1], [(0, 2), (2, 4), (5, 7), (8, 9)]),
        ([], []),
    ]


# align_tokens


@pytest.mark.parametrize(
    ("text", "tokens", "parts"),
    [
        ("서울에서 봄", ["서울", "##에서", "봄"], ["서울", "에서", "봄"]),
        ("서울에서 봄", ["▁서울", "에서", "▁", "봄"], ["서울", "에서", "", "봄"]),
        ("서울 봄", ["서울</w>", "봄</w>"], ["서울", "봄"]),
        ("서울 봄", ["서@@", "울", "봄"], ["서", "울", "봄"]),
        ("가 뷁뷁 나", ["가", "[UNK]", "나"], ["가", "뷁뷁", "나"]),
        ("뷁 나", ["[UNK]", "나"], ["뷁", "나"]),
        ("가 뷁", ["가", "[UNK]"], ["가", "뷁"]),
        ("가 뷁 쀍 나", ["가", "[UNK]", "[UNK]", "나"], ["가", "뷁 쀍", "", "나"]),  # the first takes all
        ("뷁 쀍 나", ["▁", "[UNK]", "▁", "[UNK]", "▁나"], ["", "뷁 쀍", "", "", "나"]),
        ("Seoul CAFÉ", ["seoul", "cafe", "##́"], ["Seoul", "CAFÉ", "É"]),  # lower case; the accent is on the É
        ("ㅋㅋㅋ", ["ᄏ", "ᄏ", "##ᄏ"], ["ㅋ", "ㅋ", "ㅋ"]),  # U+110F for U+314B, as NFKC makes it
        ("①번 ㎏", ["1", "##번", "k", "##g"], ["①", "번", "㎏", "㎏"]),  # two letters of one character
        ("ｶﾞ가", ["ガ", "##가"], ["ｶﾞ", "가"]),  # two characters of one letter
        ("\u1112\u1161\u11ab글", ["한", "##글"], ["\u1112\u1161\u11ab", "글"]),
        ("가\u00a0나", ["가", "나"], ["가", "나"]),
        ("", [], []),
        ("가", ["가", "</s>"], ["가", ""]),
    ],
)
def test_align_tokens(text: str, tokens: list[str], parts: list[str]) -> None:
    offsets = align_tokens(text, tokens, "[UNK]")
    assert [text[start:end] for start, end in offsets] == parts
    assert all(left[0] <= right[0] for left, right in pairwise(offsets))


def test_align_tokens_repeats_of_one_token() -> None:
    assert align_tokens("봄 봄 봄", ["봄", "봄", "봄"]) == [(0, 1), (2, 3), (4, 5)]


AGREEMENT = {
    "dialog-koelectra-small": 0.9994,
    "kcbert-base": 0.9991,
    "kcelectra-base": 0.9999,
    "kobart": 0.9999,
    "kobert": 0.9996,
    "koelectra-base-v1-discriminator": 0.9995,
    "koelectra-base-v3-discriminator": 0.9999,
    "kogpt2-v1": 0.9932,
}
"""Share of the tokens of 2,000 reviews that `align_tokens` finds at the offsets of the tokenizer itself. Lost are
unknown words in a row, and an unknown word that holds the next token."""


@pytest.mark.slow
@pytest.mark.parametrize("name", AGREEMENT)
def test_align_tokens_on_real_reviews(name: str, real_tokenizer: Callable[[str], Any], korpora_root: Path) -> None:
    tokenizer = real_tokenizer(name)
    texts = [example.text for example in islice(CORPORA["nsmc"].examples(korpora_root, "test"), 2000)]
    same = total = 0
    for text, (ids, offsets) in zip(texts, tokenize(tokenizer, texts), strict=True):
        found = align_tokens(text, tokenizer.convert_ids_to_tokens(ids), tokenizer.unk_token)
        assert len(found) == len(offsets)
        # where nothing is shown, the offsets carry no information
        same += sum(a == b or (a[0] == a[1] and b[0] == b[1]) for a, b in zip(found, offsets, strict=True))
        total += len(offsets)
    assert same / total == pytest.approx(AGREEMENT[name], abs=0.0002)


# Template


def test_template_of_bert(tiny_tokenizer: Any) -> None:
    template = Template.of(tiny_tokenizer)
    assert template == Template(single=((2,), (3,)), pair=((2,), (3,), (3,)), second_type=1)
    assert template.build([7, 8]) == ([2, 7, 8, 3], [0, 0, 0, 0], 1)
    assert template.build([7, 8], [9]) == ([2, 7, 8, 3, 9, 3], [0, 0, 0, 0, 1, 1], 1)
    assert template.build([]) == ([2, 3], [0, 0], 1)
    assert template.build([], []) == ([2, 3, 3], [0, 0, 1], 1)
    assert (template.room(10), template.room(10, pair=True), template.room(1)) == (8, 7, -1)


def test_template_of_gpt(tiny_bpe_tokenizer: Any) -> None:
    template = Template.of(tiny_bpe_tokenizer)
    assert template == Template(single=((), ()), pair=((), (), ()), second_type=0)
    assert template.build([7, 8], [9]) == ([7, 8, 9], [0, 0, 0], 0)
    assert template.room(10, pair=True) == 10


def test_template_of_roberta(tiny_tokenizer: Any) -> None:
    """Two separators between a pair, and one type."""
    from tokenizers import processors

    tiny_tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    template = Template.of(tiny_tokenizer)
    assert template == Template(single=((2,), (3,)), pair=((2,), (3, 3), (3,)), second_type=0)
    assert template.build([7], [9]) == ([2, 7, 3, 3, 9, 3], [0] * 6, 1)


@pytest.mark.parametrize("text", ["김민준은 서울에서", "뷁", "탔다"])
def test_template_builds_what_the_tokenizer_builds(text: str, tiny_tokenizer: Any) -> None:
    ids = tokenize(tiny_tokenizer, [text])[0].ids
    other = tokenize(tiny_tokenizer, ["영화가 정말"])[0].ids
    template = Template.of(tiny_tokenizer)
    single, pair = tiny_tokenizer(text), tiny_tokenizer(text, "영화가 정말")
    assert template.build(ids)[:2] == (single["input_ids"], single["token_type_ids"])
    assert template.build(ids, other)[:2] == (pair["input_ids"], pair["token_type_ids"])


# windows and context


@pytest.mark.parametrize(
    ("length", "room", "stride", "expected"),
    [
        (0, 4, 1, [(0, 0)]),
        (3, 4, 1, [(0, 3)]),
        (4, 4, 1, [(0, 4)]),
        (5, 4, 1, [(0, 4), (1, 5)]),  # the last one is full: it reaches back further than it must
        (7, 4, 1, [(0, 4), (3, 7)]),
        (8, 4, 1, [(0, 4), (3, 7), (4, 8)]),
        (10, 4, 0, [(0, 4), (4, 8), (6, 10)]),
        (5, 1, 0, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]),
    ],
)
def test_windows(length: int, room: int, stride: int, expected: list[Offset]) -> None:
    assert windows(length, room, stride) == expected


@pytest.mark.parametrize(("room", "stride"), [(4, 4), (4, 5), (4, -1), (0, 0)])
def test_windows_that_do_not_advance(room: int, stride: int) -> None:
    with pytest.raises(ValueError, match="stride"):
        windows(10, room, stride)


@given(length=st.integers(0, 300), room=st.integers(1, 40), stride=st.integers(0, 39))
def test_every_token_lies_in_a_window(length: int, room: int, stride: int) -> None:
    stride = min(stride, room - 1)
    spans = windows(length, room, stride)
    assert set().union(*(range(start, end) for start, end in spans)) == set(range(length))
    assert spans[0][0] == 0
    assert spans[-1][1] == length
    assert all(end - start == min(room, length) for start, end in spans)
    assert all(left[1] - right[0] == stride for left, right in pairwise(spans[:-1]))
    assert all(left[1] - right[0] >= stride and left[0] < right[0] for left, right in pairwise(spans))


@pytest.mark.parametrize(
    ("position", "window", "length", "expected"),
    [
        (0, (0, 6), 10, 5),  # the start of the text is no lack of context
        (5, (0, 6), 10, 0),
        (4, (4, 10), 10, 0),
        (9, (4, 10), 10, 5),
        (5, (2, 8), 10, 2),
        (3, (0, 5), 5, 5),  # the whole text
    ],
)
def test_context(position: int, window: Offset, length: int, expected: int) -> None:
    assert context(position, window, length) == expected


@given(length=st.integers(1, 200), room=st.integers(2, 30), data=st.data())
def test_a_shared_token_is_read_with_half_of_the_stride_around_it(length: int, room: int, data: st.DataObject) -> None:
    """That is what windows share tokens for."""
    stride = data.draw(st.integers(0, room // 2))
    spans = windows(length, room, stride)
    for position in range(length):
        best = max(context(position, (s, e), length) for s, e in spans if s <= position < e)
        assert best >= (stride - 1) // 2


# Entities, tags and spans


SENTENCE = "김민준은 3월2일 서울역에서"  # 김0 민1 준2 은3 _4 3@5 월6 2@7 일8 _9 서10 울11 역12 에13 서14
PS, DT, LC = Entity(0, 3, "PS"), Entity(5, 9, "DT"), Entity(10, 12, "LC")


@pytest.mark.parametrize(
    ("offsets", "tags"),
    [
        ([(0, 3), (3, 4), (5, 9), (10, 12), (12, 13), (13, 15)], ["B-PS", "O", "B-DT", "B-LC", "O", "O"]),
        ([(0, 4), (5, 7), (7, 9), (10, 15)], ["B-PS", "B-DT", "I-DT", "B-LC"]),  # particles are glued to names
        ([(0, 1), (0, 1), (1, 4), (5, 9)], ["B-PS", "I-PS", "I-PS", "B-DT"]),  # two tokens of one character
        ([(0, 0), (0, 3), (3, 3), (5, 9)], [None, "B-PS", None, "B-DT"]),  # tokens that show nothing
        ([(0, 15)], ["B-DT"]),  # most characters: 4 of DT, 3 of PS, 2 of LC
        ([], []),
        ([(3, 4), (9, 10)], ["O", "O"]),
    ],
)
def test_entities_to_tags(offsets: list[Offset], tags: list[str | None]) -> None:
    assert entities_to_tags(offsets, [PS, DT, LC]) == tags


def test_neighbours_begin_anew() -> None:
    cities = [Entity(0, 2, "LC"), Entity(2, 4, "LC")]
    assert entities_to_tags([(0, 2), (2, 3), (3, 4)], cities) == ["B-LC", "B-LC", "I-LC"]
    assert entities_to_tags([(0, 1), (1, 3), (3, 4)], cities) == ["B-LC", "I-LC", "B-LC"]  # a tie: the first
    assert entities_to_tags([(0, 4)], cities) == ["B-LC"]


def test_no_entities() -> None:
    assert entities_to_tags([(0, 2), (2, 2)], []) == ["O", None]


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O", "B-PS", "I-PS", "O"], [(1, 2, "PS")]),
        (["B-PS", "B-PS"], [(0, 0, "PS"), (1, 1, "PS")]),
        (["I-PS", "I-PS"], [(0, 1, "PS")]),
        (["B-PS", "I-LC", "I-PS"], [(0, 0, "PS"), (1, 1, "LC"), (2, 2, "PS")]),
        (["B-PS", "O", "I-PS"], [(0, 0, "PS"), (2, 2, "PS")]),
        (["B-PS", None, "I-PS"], [(0, 2, "PS")]),  # what shows nothing does not cut
        (["B-PS", None, "O"], [(0, 0, "PS")]),  # nor belong
        ([None, "B-PS-X", "I-PS-X"], [(1, 2, "PS-X")]),
        ([], []),
    ],
)
def test_tags_to_spans(tags: list[str | None], spans: list[tuple[int, int, str]]) -> None:
    assert tags_to_spans(tags) == spans


def test_bio_labels() -> None:
    assert bio_labels(["LC", "PS"]) == ["O", "B-LC", "I-LC", "B-PS", "I-PS"]
    assert bio_labels([]) == ["O"]


@st.composite
def tokens_and_entities(draw: st.DrawFn) -> tuple[list[Offset], list[Entity]]:
    """Tokens with gaps, some cut in two of no width, and entities whose edges are edges of tokens."""
    offsets: list[Offset] = []
    position = 0
    for width, gap in draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=20)):
        position += gap
        offsets.append((position, position + width))
        position += width
    full = [offset for offset in offsets if offset[0] < offset[1]]
    entities = []
    i = 0
    while i < len(full):
        size = draw(st.integers(0, 3))
        if size:
            last = min(i + size, len(full)) - 1
            entities.append(Entity(full[i][0], full[last][1], draw(st.sampled_from(["PS", "LC"]))))
        i += max(1, size)
    return offsets, entities


@pytest.mark.slow
@given(tokens_and_entities())
def test_entities_on_edges_of_tokens_come_back(given_: tuple[list[Offset], list[Entity]]) -> None:
    offsets, entities = given_
    tags = entities_to_tags(offsets, entities)
    assert [tag is None for tag in tags] == [start == end for start, end in offsets]
    spans = tags_to_spans(tags)
    assert [Entity(offsets[s.first][0], offsets[s.last][1], s.label) for s in spans] == entities


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 6)), max_size=20),
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 6), st.sampled_from(["PS", "LC"])), max_size=6),
)
def test_tags_of_any_tokens(raw: list[tuple[int, int]], gaps: list[tuple[int, int, str]]) -> None:
    """A token inside an entity alone is of it, one that touches none is O; whatever the order of widths."""
    offsets = [(start, start + width) for start, width in sorted(raw)]
    entities, position = [], 0
    for gap, width, label in gaps:
        entities.append(Entity(position + gap, position + gap + width, label))
        position += gap + width
    for (start, end), tag in zip(offsets, entities_to_tags(offsets, entities), strict=True):
        touched = {e.label for e in entities if max(start, e.start) < min(end, e.end)}
        if start == end:
            assert tag is None
        elif not touched:
            assert tag == "O"
        else:
            assert tag is not None
            assert tag[:2] in {"B-", "I-"}
            assert tag[2:] in touched


# Particles


def test_particles_are_those_cut_twice_and_more_often_than_kept() -> None:
    counts = ParticleCounts()
    for _ in range(2):
        counts.add("서울에서", [(0, 4)], [Entity(0, 2, "LC")])  # cut: 에서
    counts.add("부산은", [(0, 3)], [Entity(0, 2, "LC")])  # cut once: not enough
    for _ in range(2):
        counts.add("마이클이", [(0, 4)], [Entity(0, 3, "PS")])  # cut: 이 ...
        counts.add("김종이", [(0, 3)], [Entity(0, 3, "PS")])  # ... as often as kept
    assert counts.particles() == {"LC": ["에서"]}


def test_particles_of_names_of_several_tokens() -> None:
    counts = ParticleCounts()
    for _ in range(2):
        counts.add("박 서연은 왔다", [(0, 1), (2, 5), (6, 8)], [Entity(0, 4, "PS")])
        counts.add("박서연은", [(0, 1), (1, 3), (3, 4)], [Entity(0, 3, "PS")])  # a token of its own: nothing to cut
    assert counts.particles() == {"PS": ["은"]}


@pytest.mark.parametrize(
    ("text", "last", "label", "end"),
    [
        ("서울에서", (0, 4), "LC", 2),  # the longest one
        ("서울서", (0, 3), "LC", 2),
        ("서울", (0, 2), "LC", 2),
        ("에서", (0, 2), "LC", 1),  # never all of the token
        ("서", (0, 1), "LC", 1),
        ("서울에서", (0, 4), "PS", 4),  # another label
        ("새 서울에서", (2, 6), "LC", 4),
    ],
)
def test_without_particle(text: str, last: Offset, label: str, end: int) -> None:
    assert without_particle(text, last, label, {"LC": ["서", "에서"]}) == end
