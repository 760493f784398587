"""Named entity recognition: spans through every tokenizer and normalisation, ceilings on KLUE-NER, tokens by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from task_helpers import REAL, TOKENIZERS, Load, oracle, windows_of

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.tasks.base import ExampleCounts, Window
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.text.tokens import tokenize

TYPES = ["DT", "LC", "OG", "PS"]
NAME = "한빛 국제 문화 예술 교육 연구 협력 지원 재단 이사회 산하 특별 기획 준비 위원회"


def marked(marks: str) -> EntityExample:
    """`[김민준 PS] 씨` is the text `김민준 씨` with an entity: written so that offsets need no counting."""
    text, entities = "", []
    for piece in marks.split("["):
        inside, bracket, rest = piece.rpartition("]")
        if bracket:
            name, _, label = inside.rpartition("|")
            entities.append(Entity(len(text), len(text) + len(name), label))
            text += name
        text += rest
    return EntityExample(text, tuple(entities))


def test_marked() -> None:
    assert marked("[김민준|PS] 씨") == EntityExample("김민준 씨", (Entity(0, 3, "PS"),))
    assert marked("나 [서울|LC] [역|OG]") == EntityExample("나 서울 역", (Entity(2, 4, "LC"), Entity(5, 6, "OG")))


# All entities end before a space or at the end of the text: tokenizers join no words,
# so that all can express them.
EXPRESSIBLE = {
    "at the start and at the end": "[김민준|PS] 씨가 만난 사람은 [이서연|PS]",
    "of several words": "행사는 [3월 2일 오전|DT] 에 열린다",
    "neighbours of one type": "[서울|LC] [부산|LC] [대전|LC] 순서로",
    "neighbours of different types": "[삼성|OG] [김민준|PS] [서울|LC] 본부",
    "the whole text": "[한빛전자|OG]",
    "nothing": "아무 이름도 없는 문장",
    "one character": "[북|LC] 으로 [강|LC] 을 건너",
    "no-break spaces": "우리\u00a0[김민준|PS]\u00a0씨는\u00a0[부산|LC]\u00a0사람",
    "ideographic spaces": "우리\u3000[김민준|PS]\u3000씨",
    "tabs": "이름\t[김민준|PS]\t사는 곳\t[부산|LC]\t끝",
    "white space around": "  [김민준|PS]   씨  ",
    "several spaces within": "[김  민준|PS] 씨",
    "letters on their own": "[김민준|PS] ㅋㅋㅋ [ㅇㅇ|LC] ㅠㅠ 갔다",
    "conjoining letters before": "\u110f\u110f [김민준|PS] 씨",
    "unknown characters before": "뷁쀍 쓩쓩 [김민준|PS] 씨가 뢟 [부산|LC] 에",
    "unknown characters within the word before": "넹봣.... 봣는데 [김민준|PS] 씨",
    "unknown names": "[쀍뷁|PS] 씨와 [뢟|LC] 여행",
    "emoji": "😀👍🏽 [김민준|PS] 🏠 [부산|LC] 👨‍👩‍👧 끝",
    "an emoji as a name": "[🐶|PS] 가 [부산|LC] 에",
    "Hanja": "大韓 [金|PS] 씨는 [釜山|LC] 에서",
    "Latin and numbers": "[BTS|OG] 의 [2024|DT] 공연 [LA|LC]",
    "a name longer than a window": f"이것은 [{NAME}|OG] 의 것 [부산|LC] 끝",
}


def spans(prediction: Any) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in prediction.entities]


@pytest.mark.parametrize("case", EXPRESSIBLE)
def test_entities_before_spaces_survive_every_tokenizer(case: str, tokenizer: Any) -> None:
    example = marked(EXPRESSIBLE[case])
    for max_length in (8, 16, 128):
        (found,) = oracle(Ner(stride=2), [example], tokenizer, TYPES, max_length)
        assert spans(found) == [tuple(entity) for entity in example.entities or ()]
        assert all(entity.text == example.text[entity.start : entity.end] for entity in found.entities)
        assert all(entity.score > 0.99 for entity in found.entities)


def test_no_entity_of_a_long_text_is_lost(tokenizer: Any) -> None:
    """All sentences as one text of several hundred tokens: windows have no effect on the entities."""
    marks = [EXPRESSIBLE[case].strip() for case in EXPRESSIBLE]
    long = marked(" ".join(marks * 3))
    assert len(long.entities or ()) > 100
    for stride in (0, 5, 32):
        task = Ner(stride=stride)
        (windows,) = windows_of(task, [long], tokenizer, TYPES, 16)
        assert len(windows) > 20
        assert spans(task.decode(long, windows, TYPES)) == [tuple(entity) for entity in long.entities or ()]
        reached = -1
        for window in windows:  # in order, without a gap, sharing the tokens of the stride but no more than half
            first, size = window.features["first"], len(window.features["starts"])
            assert first <= reached + 1 < first + size
            assert window.features["lost"] == 0
            reached = first + size - 1
        assert reached + 1 == len(tokenize(tokenizer, [long.text])[0].ids)


class Klue(NamedTuple):
    """KLUE-NER, read once."""

    labels: list[str]
    train: list[Any]
    validation: list[Any]


@pytest.fixture(scope="module")
def klue(data: Path) -> Klue:
    corpus = CORPORA["klue-ner"]
    train, validation = (list(corpus.examples(data, split)) for split in ("train", "validation"))
    return Klue(list(corpus.labels(data) or ()), train, validation)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", REAL)
def test_ceiling_on_klue_ner(name: str, klue: Klue, load: Load) -> None:
    """Exactly the entities that begin and end at a border of tokens are found; their F1 is in the table."""
    labels, _, examples = klue
    task, tokenizer = Ner(spans="tokens"), load(name)
    found = oracle(task, examples, tokenizer, labels)
    scores = task.score(found, examples, labels)
    assert scores["entity_f1"] == pytest.approx(TOKENIZERS[name].ceiling, abs=0.0005)

    expressible = inexpressible = 0
    for example, prediction, tokens in zip(
        examples, found, tokenize(tokenizer, [example.text for example in examples]), strict=True
    ):
        starts, ends = {start for start, _ in tokens.offsets}, {end for _, end in tokens.offsets}
        expressible += sum(entity.start in starts and entity.end in ends for entity in example.entities or ())
        inexpressible += len(task.inexpressible(example, prediction))
    assert scores["entity_recall"] == pytest.approx(expressible / 2361)
    assert inexpressible == 2361 - expressible


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", REAL)
def test_ceiling_with_particles(name: str, klue: Klue, load: Load) -> None:
    labels, train, examples = klue
    tokenizer = load(name)
    fitted = Ner(spans="particles").fit(ExampleCounts(3200, 0), labels, train, tokenizer)
    scores = fitted.score(oracle(fitted, examples, tokenizer, labels), examples, labels)
    assert scores["entity_f1"] == pytest.approx(TOKENIZERS[name].particles, abs=0.0005)


def test_windows_do_not_change_predictions(klue: Klue, load: Load) -> None:
    examples = klue.validation[:200]
    found = [oracle(Ner(), examples, load("kcbert-base"), klue.labels, max_length) for max_length in (16, 300)]
    assert [spans(one) for one in found[0]] == [spans(other) for other in found[1]]


def nfd(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize(
    ("steps", "marks"),
    [
        (("html",), "<b>[김민준|PS]</b> 씨는 &lt;[부산|LC] 사람"),
        (("shorten-repeats",), "와아아아아아 [김민준|PS] ㅋㅋㅋㅋㅋㅋ [부산|LC] !!!!!!"),
        (("whitespace",), "  \u200b[김민준|PS]   \u3000씨는\n\n[부산|LC]  "),
        (("urls",), "https://namu.wiki/w/x [김민준|PS] 씨 a@b.kr [부산|LC] 에"),
        (("emoji",), "😀😀 [김민준|PS]👍 씨는 [부산|LC] 🏠"),
        (("nfc",), f"{nfd('오늘')} [{nfd('김민준')}|PS] {nfd('씨는')} [부산|LC] 에"),
        (("compatibility-jamo",), "\u110f\u110f\u110f [김민준|PS] \u1172\u1172 [부산|LC] \u1112\u1161\u11ab"),
        (("kcbert-clean",), "李箱 [김민준|PS] 씨가 하하하하하 [부산|LC] http://a.kr/b 에"),
        (
            ("html", "urls", "emoji", "shorten-repeats", "whitespace"),
            "<p>😀</p>  [김민준|PS]\t씨 ㅋㅋㅋㅋ www.a.kr [부산|LC]",
        ),
    ],
)
@pytest.mark.parametrize("name", ["tiny_tokenizer", "tiny_bpe_tokenizer", "kcbert-base", "kobert", "kobart"])
def test_spans_are_of_the_original_text(steps: tuple[str, ...], marks: str, name: str, load: Load) -> None:
    example = marked(marks)
    for max_length in (8, 64):
        (found,) = oracle(Ner(normalization=steps, stride=2), [example], load(name), TYPES, max_length)
        assert spans(found) == [tuple(entity) for entity in example.entities or ()]


def test_an_entity_that_normalisation_deletes(tiny_tokenizer: Any) -> None:
    example = marked("[🐶|PS] 가 [부산|LC] 에")
    task = Ner(normalization=("emoji",))
    (found,) = oracle(task, [example], tiny_tokenizer, TYPES)
    assert spans(found) == [(4, 6, "LC")]
    assert task.inexpressible(example, found) == ["🐶 (PS) -> nothing"]


TEN = "가 나 다 라 마 바 사 아 자 차"


def test_features(letters: Any) -> None:
    example = EntityExample("가 나 뷁", (Entity(2, 5, "PS"),))
    assert Ner().encode([example], letters, ["LC", "PS"], 16) == [
        {
            "input_ids": [2, 4, 5, 1, 3],
            "token_type_ids": [0, 0, 0, 0, 0],
            "example": 0,
            "lost": 0,
            "first": 0,
            "lead": 1,
            "starts": [0, 2, 4],
            "ends": [1, 3, 5],
            "labels": [-100, 0, 3, 4, -100],  # O, B-PS, I-PS of O B-LC I-LC B-PS I-PS
        }
    ]


def test_windows(letters: Any) -> None:
    """Windows of six tokens; a stride of 2, then one of more than half a window."""
    example = EntityExample(TEN, (Entity(6, 13, "PS"),))
    features = Ner(stride=2).encode([example], letters, ["PS"], 8)
    assert [window["input_ids"] for window in features] == [[2, 4, 5, 6, 7, 8, 9, 3], [2, 8, 9, 10, 11, 12, 13, 3]]
    assert [window["first"] for window in features] == [0, 4]
    assert [window["labels"] for window in features] == [
        [-100, 0, 0, 0, 1, 2, 2, -100],
        [-100, 2, 2, 2, 0, 0, 0, -100],
    ]
    features = Ner(stride=32).encode([example], letters, ["PS"], 8)
    assert [window["first"] for window in features] == [0, 3, 4]


def test_batch(letters: Any) -> None:
    examples = [EntityExample("가 나", (Entity(0, 1, "PS"),)), EntityExample("", ())]
    batch = Ner().collate(Ner().encode(examples, letters, ["PS"], 8), letters)
    assert batch["input_ids"].tolist() == [[2, 4, 5, 3], [2, 3, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 1, 0, -100], [-100, -100, -100, -100]]


def logits(classes: Sequence[int], *, count: int = 3, sure: float = 9.0) -> np.ndarray:
    """Logits of [CLS], of tokens of these classes, and of [SEP]."""
    rows = np.zeros((len(classes) + 2, count))
    rows[range(1, len(classes) + 1), classes] = sure
    return rows


def test_a_shared_token_is_read_where_it_has_most_context(letters: Any) -> None:
    """Tokens 4 and 5 are in both windows. Token 4 has one neighbour after it in the first window and none before it in
    the second; for token 5 it is the reverse."""
    example = EntityExample(TEN)
    first, second = Ner(stride=2).encode_inputs([example], letters, 8)
    windows = [Window(first, logits([0, 0, 0, 0, 1, 1])), Window(second, logits([0, 0, 0, 0, 0, 0]))]
    assert spans(Ner().decode(example, windows, ["PS"])) == [(8, 9, "PS")]
    windows = [Window(first, logits([0, 0, 0, 0, 0, 0])), Window(second, logits([1, 1, 0, 0, 0, 0]))]
    assert spans(Ner().decode(example, windows, ["PS"])) == [(10, 11, "PS")]


def test_decode(letters: Any) -> None:
    """O B I of one type; the score is the mean probability of the tokens' labels."""
    example = EntityExample("가 나 다 라")
    (features,) = Ner().encode_inputs([example], letters, 8)
    raw = logits([0, 1, 2, 0])
    raw[3] = [0, 0, math.log(2)]  # P(I) = 2 / 4
    (entity,) = Ner().decode(example, [Window(features, raw)], ["PS"]).entities
    assert (entity.text, entity.start, entity.end, entity.label) == ("나 다", 2, 5, "PS")
    assert entity.score == pytest.approx((math.exp(9) / (math.exp(9) + 2) + 0.5) / 2)


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ([1, 1, 2, 0], [(0, 1, "LC"), (2, 5, "LC")]),  # B begins an entity
        ([2, 2, 0, 2], [(0, 3, "LC")]),  # the first I can become a B, the last one is no more probable than O
        ([1, 4, 4, 2], [(0, 1, "LC"), (2, 5, "PS")]),
        ([0, 0, 0, 0], []),
    ],
)
def test_inconsistent_tags(tags: list[int], found: list[tuple[int, int, str]], letters: Any) -> None:
    example = EntityExample("가 나 다 라")
    (features,) = Ner().encode_inputs([example], letters, 8)
    prediction = Ner().decode(example, [Window(features, logits(tags, count=5))], ["LC", "PS"])
    assert spans(prediction) == found


def test_a_particle_in_the_token_of_a_name_is_inexpressible(tiny_tokenizer: Any) -> None:
    """서울에서 is one token of this vocabulary."""
    example = marked("[김민준|PS] 은 [서울|LC]에서 기차를 탔다")
    task = Ner(spans="tokens")
    (found,) = oracle(task, [example], tiny_tokenizer, TYPES)
    assert spans(found) == [(0, 3, "PS"), (6, 10, "LC")]
    assert task.inexpressible(example, found) == ["서울 (LC) -> 서울에서 (LC)"]


def test_particles(tiny_tokenizer: Any) -> None:
    """서울에서 and 김민준은 are tokens. 에서 occurs twice after a place: it is cut off there and nowhere else."""
    train = [marked("[서울|LC]에서 왔다"), marked("[서울|LC]에서 만났다"), marked("[김민준|PS]은 [서울에서|OG] 탔다")]
    task = Ner(spans="particles").fit(ExampleCounts(3, 0), TYPES, train, tiny_tokenizer)
    assert task.particles == {"LC": ["에서"]}
    (place, name) = oracle(task, [train[0], train[2]], tiny_tokenizer, TYPES)
    assert spans(place) == [(0, 2, "LC")]
    assert spans(name) == [(0, 4, "PS"), (5, 9, "OG")]
    assert Ner.from_dict(task.to_dict()) == task
    others = Ner(spans="tokens").alternatives(train, tiny_tokenizer)
    assert others["--spans particles"] == task
    assert others["--spans cuts"].cuts == (0, 2)


def test_training_rows_without_entities() -> None:
    with pytest.raises(InputError, match="no entity is marked"):
        Ner().fit(ExampleCounts(3, 0), [], [], None)


def test_the_loss_of_texts_without_tokens_is_zero(letters: Any) -> None:
    batch = Ner().collate(Ner().encode([EntityExample("", ())], letters, ["PS"], 8), letters)
    loss = Ner().loss(lambda **inputs: Outputs(torch.zeros(*inputs["input_ids"].shape, 3)), batch)
    assert float(loss) == 0.0


class Outputs(NamedTuple):
    """Outputs of a model."""

    logits: torch.Tensor


def test_loss(letters: Any) -> None:
    """Uniform logits over 3 classes: log 3 for each token of the text, whatever the padding."""
    examples = [EntityExample("가 나 다", (Entity(0, 1, "PS"),)), EntityExample("가", ())]
    batch = Ner().collate(Ner().encode(examples, letters, ["PS"], 8), letters)
    output = Ner().evaluate_batch(lambda **inputs: Outputs(torch.zeros(*inputs["input_ids"].shape, 3)), batch)
    assert output.targets == 4
    assert float(output.loss) == pytest.approx(math.log(3))
    assert [raw.shape for raw in output.raw] == [(5, 3), (3, 3)]  # without padding
