"""Contracts of every registered task with every tokenizer; then language models, NER and classification by hand.

The oracle contract: a model that answers gold is decoded into gold. Where a particle is glued to a name within one
token no model can say where the name ends; the table of ceilings states how much that costs with each tokenizer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from helpers import lay

from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example, Labelled
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.tasks.abilities import SupportsDiagnostics
from ratsnlp_like.tasks.base import AnyTask, Statistics, Window
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.causal_model import CausalModel
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.language_model import LanguageModel
from ratsnlp_like.tasks.masked_lm import MaskedLM
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.similarity import ScorePrediction
from ratsnlp_like.text.tokens import tokenize


class Facts(NamedTuple):
    """What is known of a tokenizer."""

    around: tuple[list[int], list[int]]
    """Ids before and after a text."""
    token_types: bool
    mask: bool = True
    """Whether it has a mask token."""
    end: int | None = None
    """The id of the end token."""
    ceiling: float | None = None
    """Strict entity F1 of the oracle on KLUE-NER dev: 800 sentences, 2,361 entities. Measured once."""
    learnt: float | None = None
    """The same with the particles cut off that 3,200 training sentences teach."""


BERT = ([2], [3])
NONE: tuple[list[int], list[int]] = ([], [])
TOKENIZERS = {
    "tiny_tokenizer": Facts(BERT, True),
    "tiny_bpe_tokenizer": Facts(NONE, False, mask=False, end=0),
    "dialog-koelectra-small": Facts(BERT, True, ceiling=0.9284, learnt=0.9822),
    "kcbert-base": Facts(BERT, True, ceiling=0.8407, learnt=0.9784),
    "kcbert-large": Facts(BERT, True, ceiling=0.8407, learnt=0.9784),
    "kcelectra-base": Facts(BERT, True, ceiling=0.8602, learnt=0.9771),
    "kobart": Facts(([], [1]), False, end=1, ceiling=0.7263, learnt=0.9559),
    "kobert": Facts(BERT, True, ceiling=0.8983, learnt=0.9818),
    "koelectra-base-v1-discriminator": Facts(BERT, True, ceiling=0.7936, learnt=0.9788),
    "koelectra-base-v3-discriminator": Facts(BERT, True, ceiling=0.9805, learnt=0.992),
    "koelectra-small-v3-discriminator": Facts(BERT, True, ceiling=0.9805, learnt=0.992),
    "kogpt2-v1": Facts(NONE, False, mask=False, end=1, ceiling=0.6962, learnt=0.9576),
}
REAL = [name for name, facts in TOKENIZERS.items() if facts.ceiling is not None]

Load = Callable[[str], Any]


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Load:
    """A tokenizer of the table by its name."""

    def tokenizer(name: str) -> Any:
        if name.startswith("tiny"):
            return request.getfixturevalue(name)
        return request.getfixturevalue("real_tokenizer")(name)

    return tokenizer


@pytest.fixture(params=TOKENIZERS)
def named(request: pytest.FixtureRequest, load: Load) -> tuple[str, Any]:
    """Each tokenizer with its name."""
    return request.param, load(request.param)


@pytest.fixture
def tokenizer(named: tuple[str, Any]) -> Any:
    """Each tokenizer."""
    return named[1]


def test_the_table_has_every_real_tokenizer(tokenizers_root: Path) -> None:
    folders = {path.name for path in tokenizers_root.iterdir() if (path / "tokenizer_config.json").exists()}
    assert folders == set(REAL)


def windows_of(
    task: AnyTask, examples: Sequence[Any], tokenizer: Any, labels: Sequence[str], max_length: int
) -> list[list[Window]]:
    """The windows of each example with what a perfect model says of them."""
    out: list[list[Window]] = [[] for _ in examples]
    for features in task.encode(examples, tokenizer, labels, max_length):
        out[features["example"]].append(Window(features, task.oracle_output(features, labels)))
    return out


def oracle(
    task: AnyTask, examples: Sequence[Any], tokenizer: Any, labels: Sequence[str], max_length: int = 64
) -> list[Any]:
    """What is decoded from a perfect model's answers."""
    windows = windows_of(task, examples, tokenizer, labels, max_length)
    return [task.decode(example, own, labels, tokenizer) for example, own in zip(examples, windows, strict=True)]


# Every task


@lru_cache
def samples_of(name: str) -> tuple[Example, ...]:
    """The samples of all corpora that are registered for a task; else of those that hold what it takes."""
    kind = TASKS[name].example
    fitting = [corpus for corpus in CORPORA if CORPORA[corpus].task == name]
    fitting = fitting or [corpus for corpus in CORPORA if CORPORA[corpus].example_type is kind]
    examples: list[Example] = []
    with TemporaryDirectory() as root:
        for corpus in fitting:
            if isinstance(CORPORA[corpus], FilesCorpus):
                own = Path(root, corpus)
                laid = lay(corpus, own)
                examples += (example for split in laid.sample for example in laid.examples(own, split))
    if kind is QuestionExample:  # texts that take several windows, whatever the tokenizer
        filler = " 그리고 아무도 묻지 않은 말이 한참 더 이어진다."
        examples = [replace(e, context=e.context + filler) for e in examples if isinstance(e, QuestionExample)]
    if kind is GenerationExample:
        filler = " 그리고 아무도 묻지 않은 말이 한참 더 이어진다." * 3
        examples = [
            replace(e, completion=f"{e.completion}{filler}") for e in examples if isinstance(e, GenerationExample)
        ]
    assert len(examples) >= 2
    return tuple(examples)


MAX_LENGTH = 6
SHORT = {"question-answering": 17, "generation": 30}
"""The longest window of a task that needs more room than MAX_LENGTH to say anything: 2 tokens of a question, 3 special
ones, and 12 of the text, half of which the next window shares; a prompt, and some of what follows it."""
FIELDS: Mapping[str, Mapping[str, Any]] = {"question-answering": {"max_query_length": 2, "null_threshold": 0.0}}
"""Fields of a task that are not the default ones: some questions of the samples have no answer."""
TEXTS = {
    name: len([c for c in TASKS[name].example.columns() if c not in TASKS[name].example.optional]) or 1
    for name in TASKS
}
"""How many texts a task takes together."""
LANGUAGE_MODELS = [name for name in TASKS if issubclass(TASKS[name], LanguageModel)]
GOLD = [name for name in TASKS if name not in LANGUAGE_MODELS]
"""Tasks that learn from something beside the text."""
LABELLED = [name for name in GOLD if issubclass(TASKS[name].example, (Labelled, EntityExample))]
"""Tasks whose examples carry labels by name."""


class Met(NamedTuple):
    """A task, its samples, and a tokenizer that it can work with."""

    task: AnyTask
    examples: tuple[Example, ...]
    labels: list[str]
    facts: Facts
    tokenizer: Any
    max_length: int


def meet(name: str, tokenizer_name: str, tokenizer: Any) -> Met:
    task, examples = TASKS[name](**FIELDS.get(name, {})), samples_of(name)
    labels = task.order_labels(label for example in examples for label in example.label_names)
    return Met(task, examples, labels, TOKENIZERS[tokenizer_name], tokenizer, SHORT.get(name, MAX_LENGTH))


def pairs(tasks: Sequence[str]) -> list[tuple[str, str]]:
    """Tasks with the tokenizers that they can work with."""
    return [(task, name) for task in tasks for name in TOKENIZERS if TOKENIZERS[name].mask or task != MaskedLM.name]


@pytest.fixture(params=pairs(list(TASKS)), ids="-".join)
def met(request: pytest.FixtureRequest, load: Load) -> Met:
    """Every task with every tokenizer."""
    task, name = request.param
    return meet(task, name, load(name))


@pytest.fixture(params=pairs(GOLD), ids="-".join)
def taught(request: pytest.FixtureRequest, load: Load) -> Met:
    """Every task that learns from gold, with every tokenizer."""
    task, name = request.param
    return meet(task, name, load(name))


def test_windows(met: Met) -> None:
    task, examples, labels, facts, tokenizer, max_length = met
    before, after = facts.around
    least = max_length
    if isinstance(task, CausalModel):  # a text that goes on has nothing behind it; the place may stay empty
        least, after = max_length - len(after), []
    features = task.encode(examples, tokenizer, labels, max_length)
    known = set(tokenizer.get_vocab().values())
    rows = [window["example"] for window in features]
    assert rows == sorted(rows)
    assert set(rows) == set(range(len(examples)))
    for window in features:
        ids = window["input_ids"]
        assert 1 <= len(ids) <= max_length  # a model cannot take a sequence of no tokens, and NSMC has empty reviews
        assert ids[: len(before)] == before
        assert ids[len(ids) - len(after) :] == after
        assert known.issuperset(ids)
        assert window["lost"] >= 0
    assert max(len(window["input_ids"]) for window in features) >= least  # some text was long enough to tell


def test_token_types(met: Met) -> None:
    """Where the model takes them, 0 for the first text and 1 for the second; a language model has one text for all."""
    task, examples, labels, facts, tokenizer, max_length = met
    for window in task.encode(examples, tokenizer, labels, max_length):
        if not facts.token_types or task.name in LANGUAGE_MODELS:
            assert "token_type_ids" not in window
            continue
        types = window["token_type_ids"]
        assert len(types) == len(window["input_ids"])
        second = types.count(1)
        assert types == [0] * (len(types) - second) + [1] * second
        assert (second > 0) == (TEXTS[task.name] == 2)


def test_batches(met: Met) -> None:
    task, examples, labels, _, tokenizer, max_length = met
    features = task.encode(examples, tokenizer, labels, max_length)
    batch = task.collate(features, tokenizer)
    lengths = [len(window["input_ids"]) for window in features]
    shape = (len(features), max(lengths))
    assert batch["input_ids"].shape == batch["attention_mask"].shape == shape
    assert batch["attention_mask"].sum(dim=1).tolist() == lengths
    for row, window, length in zip(range(len(features)), features, lengths, strict=True):
        assert batch["attention_mask"][row, :length].all()
        if task.name != MaskedLM.name:  # which hides some
            assert batch["input_ids"][row, :length].tolist() == window["input_ids"]
        assert set(batch["input_ids"][row, length:].tolist()) <= {tokenizer.pad_token_id}
    assert ("token_type_ids" in batch) == ("token_type_ids" in features[0])
    allowed = {"input_ids", "attention_mask", "token_type_ids", "labels"}
    assert set(batch) <= allowed | ({"positions"} if task.name in LANGUAGE_MODELS else set())


def test_oracle(met: Met) -> None:
    """Gold in, gold out, in one window and in several; but for what the task itself calls inexpressible."""
    task, examples, labels, _, tokenizer, max_length = met
    answers = [task.gold_prediction(example) for example in examples]
    assert task.score(answers, examples, labels)[task.best_metric] == pytest.approx(1, abs=1e-9)
    for length in (max_length, 64):
        found = oracle(task, examples, tokenizer, labels, length)
        told = [
            i
            for i, one in enumerate(found)
            if not isinstance(task, SupportsDiagnostics) or not task.inexpressible(examples[i], one)
        ]
        own = [examples[i] for i in told]
        best = task.score([answers[i] for i in told], own, labels)[task.best_metric]
        assert best > 0  # some are expressible
        assert task.score([found[i] for i in told], own, labels)[task.best_metric] == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("name", TASKS)
def test_nothing_is_better_than_the_oracle(name: str) -> None:
    """What `maximize` says of the best metric: for gold it is 1, and a wrong answer lies on the other side."""
    wrong = {
        "perplexity": lambda task, examples: [replace(task.gold_prediction(e), loss=1.0, targets=1) for e in examples],
        "pearson": lambda task, examples: [ScorePrediction(5 - (e.score or 0)) for e in examples],
        "char_f1": lambda task, examples: [replace(task.gold_prediction(e), text="뷁") for e in examples],
        "entity_f1": lambda task, examples: [replace(task.gold_prediction(e), entities=()) for e in examples],
    }
    task, examples = TASKS[name](), samples_of(name)
    labels = task.order_labels(label for example in examples for label in example.label_names)
    shifted = [task.gold_prediction(example) for example in (*examples[1:], examples[0])]
    worse = wrong[task.best_metric](task, examples) if task.best_metric in wrong else shifted
    value = task.score(worse, examples, labels)[task.best_metric]
    assert value < 1 if task.maximize else value > 1


@pytest.mark.parametrize("name", TASKS)
def test_its_facts(name: str) -> None:
    kind = TASKS[name]
    assert kind.name == name
    assert 10 < len(kind.description) < 120
    task = kind()
    assert kind.from_dict(json.loads(json.dumps(task.to_dict()))) == task
    assert kind.inference_options <= set(task.to_dict()) - {"normalization"}
    assert callable(task.model_class().from_pretrained)
    assert callable(task.model_class().from_config)
    with pytest.raises(InputError, match="unknown fields"):
        kind.from_dict({"of_a_later_version": 1})
    with pytest.raises(InputError, match="did you mean 'nfc'"):
        kind(normalization=("nfd",))


@pytest.mark.parametrize("name", TASKS)
def test_a_window_without_room(name: str, tiny_tokenizer: Any) -> None:
    """Around one text stand two special tokens, three around two."""
    with pytest.raises(InputError, match="leaves no room") as caught:
        TASKS[name]().encode_inputs([], tiny_tokenizer, 1 + TEXTS[name])
    assert f"at least {2 + TEXTS[name]}" in str(caught.value)


# Tasks with gold


def test_windows_without_labels_are_the_same(taught: Met) -> None:
    task, examples, labels, _, tokenizer, max_length = taught
    seeing = task.encode(examples, tokenizer, labels, max_length)
    assert all("labels" in window for window in seeing)
    blind = task.encode_inputs(examples, tokenizer, max_length)
    assert not any("labels" in window for window in blind)
    assert [{k: v for k, v in window.items() if k != "labels"} for window in seeing] == blind


def test_labels_of_a_batch(taught: Met) -> None:
    task, examples, labels, _, tokenizer, max_length = taught
    features = task.encode(examples, tokenizer, labels, max_length)
    batch = task.collate(features, tokenizer)
    assert len(batch["labels"]) == len(features)
    if batch["labels"].shape == batch["input_ids"].shape:  # a label for each token
        assert (batch["labels"][batch["attention_mask"] == 0] == -100).all()
    assert "labels" not in task.collate_inputs(task.encode_inputs(examples, tokenizer, max_length), tokenizer)


@pytest.mark.parametrize("name", LABELLED)
def test_an_unknown_label_names_its_row(name: str, tiny_tokenizer: Any) -> None:
    task, examples, labels, _, _, _ = meet(name, "tiny_tokenizer", tiny_tokenizer)
    missing = examples[0].label_names[0]
    with pytest.raises(InputError, match=f"the label '{missing}' is not among") as caught:
        task.encode(examples, tiny_tokenizer, [label for label in labels if label != missing], 16)
    assert str(examples[0].place) in str(caught.value)


# Language models

LONG = (
    "아침에 눈을 뜨자마자 창문부터 열었더니 젖은 흙냄새가 방 안으로 밀려 들어왔다. ㅋㅋㅋ 뷁쀍 😀 大韓 BTS 2024\n"
    "냉장고 구석에서 유통기한이 사흘 지난 두부를 발견했는데, 버릴까 말까 한참 고민했다."
)


@pytest.fixture(params=pairs(LANGUAGE_MODELS), ids="-".join)
def modelled(request: pytest.FixtureRequest, load: Load) -> Met:
    """Every language model with every tokenizer."""
    task, name = request.param
    return meet(task, name, load(name))


def bare(task: AnyTask, text: str) -> Example:
    """A text that is learnt as a whole, as the task takes it."""
    return GenerationExample(completion=text) if task.example is GenerationExample else RawExample(text)


def text_of(window: Mapping[str, Any], before: list[int], after: list[int]) -> list[int]:
    """The ids of a window without the special ones around them."""
    ids = list(window["input_ids"])
    return ids[len(before) : len(ids) - len(after)]


@pytest.mark.parametrize("max_length", [4, 7, 16, 512])
def test_windows_put_together_are_the_text(modelled: Met, max_length: int) -> None:
    """Nothing is lost and nothing stands twice; the end of a text is a token of its own for what writes on."""
    task, _, _, facts, tokenizer, _ = modelled
    before, after = facts.around
    end: list[int] = []
    if isinstance(task, CausalModel):
        after, end = [], [facts.end] if facts.end is not None else []
    whole = tokenizer(LONG, add_special_tokens=False)["input_ids"] + end
    windows = task.encode([bare(task, LONG), bare(task, "가")], tokenizer, [], max_length)
    parts = [text_of(window, before, after) for window in windows if window["example"] == 0]
    assert [i for part in parts for i in part] == whole
    assert all(len(part) == len(parts[0]) for part in parts[:-1])  # cut as late as can be
    assert 1 <= len(parts[-1]) <= len(parts[0])
    assert [window["lost"] for window in windows] == [0] * len(windows)
    second = [i for window in windows if window["example"] == 1 for i in text_of(window, before, after)]
    assert second == tokenizer("가", add_special_tokens=False)["input_ids"] + end


def test_an_empty_text_teaches_nothing(modelled: Met) -> None:
    task, _, _, _, tokenizer, _ = modelled
    texts = [bare(task, ""), bare(task, "가"), bare(task, "")]
    assert [window["example"] for window in task.encode(texts, tokenizer, [], 16)] == [1]


def test_an_empty_prompt_is_a_question(load: Load) -> None:
    for name, ids in (("tiny_bpe_tokenizer", [0]), ("kogpt2-v1", [0]), ("tiny_tokenizer", [2])):
        (window,) = CausalLM().encode_inputs([RawExample("")], load(name), 16)
        assert window["input_ids"] == ids


def test_a_blank_alone_is_a_question(load: Load) -> None:
    for name in TOKENIZERS:
        if TOKENIZERS[name].mask:
            tokenizer, (before, after) = load(name), TOKENIZERS[name].around
            (window,) = MaskedLM().encode_inputs([RawExample("[MASK]")], tokenizer, 16)
            assert text_of(window, before, after)[-1] == tokenizer.mask_token_id


def test_blanks_in_a_long_text(load: Load) -> None:
    """It is asked about window by window, and no blank is lost."""
    for name in TOKENIZERS:
        if TOKENIZERS[name].mask:
            tokenizer = load(name)
            windows = MaskedLM().encode_inputs([RawExample(f"[MASK] {LONG} [MASK]")], tokenizer, 8)
            assert len(windows) > 5
            batch = MaskedLM().collate_inputs(windows, tokenizer)
            assert len(batch["positions"]) == 2
            assert set(batch["input_ids"].flatten()[batch["positions"]].tolist()) == {tokenizer.mask_token_id}


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if not TOKENIZERS[name].mask])
def test_no_mask_token(name: str, load: Load) -> None:
    assert load(name).mask_token_id is None
    with pytest.raises(InputError, match="no mask token") as caught:
        MaskedLM().encode_inputs([RawExample("[MASK]")], load(name), 16)
    assert "--task causal-lm" in str(caught.value)
    with pytest.raises(InputError, match="no mask token"):
        MaskedLM().fit(Statistics(2, 0), [], [], load(name))


def test_hidden_tokens_are_the_labels(modelled: Met) -> None:
    """Put back, they give the windows; for what writes on, the label is the token behind."""
    task, _, _, _, tokenizer, _ = modelled
    windows = task.encode([bare(task, LONG), bare(task, "가 나")], tokenizer, [], 16)
    batch = task.collate(windows, tokenizer)
    rows = batch["input_ids"].shape[1]
    flat, positions, labels = batch["input_ids"].flatten(), batch["positions"], batch["labels"]
    assert len(positions) == len(set(positions.tolist())) == len(labels)
    if isinstance(task, CausalModel):
        places = [i * rows + k for i, window in enumerate(windows) for k in range(len(window["input_ids"]) - 1)]
        assert positions.tolist() == places
        assert torch.equal(flat[positions + 1], labels)
        return
    flat[positions] = labels
    for row, window in zip(batch["input_ids"], windows, strict=True):
        assert row[: len(window["input_ids"])].tolist() == window["input_ids"]
    assert not set(labels.tolist()) & set(tokenizer.all_special_ids)


# NER: the oracle by hand

TYPES = ["DT", "LC", "OG", "PS"]
NAME = "한빛 국제 문화 예술 교육 연구 협력 지원 재단 이사회 산하 특별 기획 준비 위원회"


def marked(marks: str) -> EntityExample:
    """`[김민준 PS] 씨` is the text `김민준 씨` with an entity: written so that offsets need no counting."""
    text, entities = "", []
    for piece in marks.split("["):
        inside, bracket, behind = piece.rpartition("]")
        if bracket:
            name, _, label = inside.rpartition("|")
            entities.append(Entity(len(text), len(text) + len(name), label))
            text += name
        text += behind
    return EntityExample(text, tuple(entities))


def test_marked() -> None:
    assert marked("[김민준|PS] 씨") == EntityExample("김민준 씨", (Entity(0, 3, "PS"),))
    assert marked("나 [서울|LC] [역|OG]") == EntityExample("나 서울 역", (Entity(2, 4, "LC"), Entity(5, 6, "OG")))


# All entities stand before a space or at the end: no tokenizer joins words, so all of them can say where they end.
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


def test_nothing_vanishes_from_long_texts(tokenizer: Any) -> None:
    """All sentences as one text of several hundred tokens; the windows do not show in what is found."""
    marks = [EXPRESSIBLE[case].strip() for case in EXPRESSIBLE]
    long = marked(" ".join(marks * 3))
    assert len(long.entities or ()) > 100
    for stride in (0, 5, 32):
        task = Ner(stride=stride)
        (windows,) = windows_of(task, [long], tokenizer, TYPES, 16)
        assert len(windows) > 20
        assert spans(task.decode(long, windows, TYPES)) == [tuple(entity) for entity in long.entities or ()]
        reached = -1
        for window in windows:  # in order, without a gap, sharing as many tokens as asked for but no more than half
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


@pytest.mark.parametrize("name", REAL)
def test_ceiling_on_klue_ner(name: str, klue: Klue, load: Load) -> None:
    """Just those entities are found that begin and end where a token does, and their F1 is the one in the table."""
    labels, _, examples = klue
    task, tokenizer = Ner(), load(name)
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


@pytest.mark.parametrize("name", REAL)
def test_ceiling_with_learnt_particles(name: str, klue: Klue, load: Load) -> None:
    labels, train, examples = klue
    tokenizer = load(name)
    learnt = Ner(particles="learn").fit(Statistics(3200, 0), labels, train, tokenizer)
    scores = learnt.score(oracle(learnt, examples, tokenizer, labels), examples, labels)
    assert scores["entity_f1"] == pytest.approx(TOKENIZERS[name].learnt, abs=0.0005)


def test_windows_do_not_change_what_is_found(klue: Klue, load: Load) -> None:
    examples = klue.validation[:200]
    found = [oracle(Ner(), examples, load("kcbert-base"), klue.labels, max_length) for max_length in (16, 300)]
    assert [spans(one) for one in found[0]] == [spans(other) for other in found[1]]


# NER: normalisation


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


# NER: tokens, by hand


@pytest.fixture
def letters() -> Any:
    """WordPiece with a vocabulary of 14: 가 = 4, 나 = 5, ... 차 = 13."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"가나다라마바사아자차"]
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")},
    )


TEN = "가 나 다 라 마 바 사 아 자 차"


def test_ner_features_by_hand(letters: Any) -> None:
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


def test_ner_windows_by_hand(letters: Any) -> None:
    """Six tokens of room; a stride of 2, then one that is more than half a window."""
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


def test_ner_batch_by_hand(letters: Any) -> None:
    examples = [EntityExample("가 나", (Entity(0, 1, "PS"),)), EntityExample("", ())]
    batch = Ner().collate(Ner().encode(examples, letters, ["PS"], 8), letters)
    assert batch["input_ids"].tolist() == [[2, 4, 5, 3], [2, 3, 0, 0]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert batch["labels"].tolist() == [[-100, 1, 0, -100], [-100, -100, -100, -100]]


def logits(classes: Sequence[int], *, count: int = 3, sure: float = 9.0) -> np.ndarray:
    """Of [CLS], tokens of these classes, and [SEP]."""
    rows = np.zeros((len(classes) + 2, count))
    rows[range(1, len(classes) + 1), classes] = sure
    return rows


def test_a_shared_token_is_read_where_it_has_most_context(letters: Any) -> None:
    """Tokens 4 and 5 stand in both windows. Token 4 has one neighbour behind it in the first window and none before
    it in the second; for token 5 it is the other way about."""
    example = EntityExample(TEN)
    first, second = Ner(stride=2).encode_inputs([example], letters, 8)
    windows = [Window(first, logits([0, 0, 0, 0, 1, 1])), Window(second, logits([0, 0, 0, 0, 0, 0]))]
    assert spans(Ner().decode(example, windows, ["PS"])) == [(8, 9, "PS")]
    windows = [Window(first, logits([0, 0, 0, 0, 0, 0])), Window(second, logits([1, 1, 0, 0, 0, 0]))]
    assert spans(Ner().decode(example, windows, ["PS"])) == [(10, 11, "PS")]


def test_decoding_by_hand(letters: Any) -> None:
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
        ([1, 1, 2, 0], [(0, 1, "LC"), (2, 5, "LC")]),  # B opens a new one
        ([2, 2, 0, 2], [(0, 3, "LC"), (6, 7, "LC")]),  # so does an I without its B
        ([1, 4, 4, 2], [(0, 1, "LC"), (2, 5, "PS"), (6, 7, "LC")]),  # and an I of another type
        ([0, 0, 0, 0], []),
    ],
)
def test_tags_that_no_gold_has(tags: list[int], found: list[tuple[int, int, str]], letters: Any) -> None:
    example = EntityExample("가 나 다 라")
    (features,) = Ner().encode_inputs([example], letters, 8)
    prediction = Ner().decode(example, [Window(features, logits(tags, count=5))], ["LC", "PS"])
    assert spans(prediction) == found


def test_a_particle_within_the_token_of_a_name_is_told(tiny_tokenizer: Any) -> None:
    """서울에서 is one token of this vocabulary."""
    example = marked("[김민준|PS] 은 [서울|LC]에서 기차를 탔다")
    task = Ner()
    (found,) = oracle(task, [example], tiny_tokenizer, TYPES)
    assert spans(found) == [(0, 3, "PS"), (6, 10, "LC")]
    assert task.inexpressible(example, found) == ["서울 (LC) -> 서울에서 (LC)"]


def test_particles(tiny_tokenizer: Any) -> None:
    """서울에서 and 김민준은 are tokens. 에서 was seen twice behind a place: it is cut off there and nowhere else."""
    train = [marked("[서울|LC]에서 왔다"), marked("[서울|LC]에서 만났다"), marked("[김민준|PS]은 [서울에서|OG] 탔다")]
    task = Ner(particles="learn").fit(Statistics(3, 0), TYPES, train, tiny_tokenizer)
    assert task.particles == {"LC": ["에서"]}
    (place, name) = oracle(task, [train[0], train[2]], tiny_tokenizer, TYPES)
    assert spans(place) == [(0, 2, "LC")]
    assert spans(name) == [(0, 4, "PS"), (5, 9, "OG")]
    assert Ner.from_dict(task.to_dict()) == task
    flag, improved = Ner().improved(train, tiny_tokenizer) or ("", None)
    assert (flag, improved) == ("--particles learn", task)
    assert task.improved(train, tiny_tokenizer) is None


def test_ner_without_entities_to_learn() -> None:
    with pytest.raises(InputError, match="no entity is marked"):
        Ner().fit(Statistics(3, 0), [], [], None)


def test_the_loss_of_texts_without_tokens_is_zero(letters: Any) -> None:
    batch = Ner().collate(Ner().encode([EntityExample("", ())], letters, ["PS"], 8), letters)
    loss = Ner().loss(lambda **inputs: Out(torch.zeros(*inputs["input_ids"].shape, 3)), batch)
    assert float(loss) == 0.0


class Out(NamedTuple):
    """What a model returns."""

    logits: torch.Tensor


def test_ner_loss_by_hand(letters: Any) -> None:
    """Uniform logits over 3 classes: log 3 for each token that shows something, whatever is padded."""
    examples = [EntityExample("가 나 다", (Entity(0, 1, "PS"),)), EntityExample("가", ())]
    batch = Ner().collate(Ner().encode(examples, letters, ["PS"], 8), letters)
    output = Ner().evaluate_batch(lambda **inputs: Out(torch.zeros(*inputs["input_ids"].shape, 3)), batch)
    assert output.targets == 4
    assert float(output.loss) == pytest.approx(math.log(3))
    assert [raw.shape for raw in output.raw] == [(5, 3), (3, 3)]  # without padding


# Classification by hand


@pytest.mark.parametrize(
    ("long_text", "ids", "lost"),
    [
        ("head", [[2, 4, 5, 6, 7, 8, 9, 3]], [4]),
        ("head+tail", [[2, 4, 9, 10, 11, 12, 13, 3]], [4]),  # 6 tokens: 1 of the head, 5 of the tail
        ("windows", [[2, 4, 5, 6, 7, 8, 9, 3], [2, 8, 9, 10, 11, 12, 13, 3]], [0, 0]),
    ],
)
def test_long_texts(long_text: Any, ids: list[list[int]], lost: list[int], letters: Any) -> None:
    task = Classification(long_text=long_text)
    features = task.encode([TextExample("가", "b"), TextExample(TEN, "a")], letters, ["a", "b"], 8)
    assert [window["input_ids"] for window in features] == [[2, 4, 3], *ids]
    assert [window["lost"] for window in features] == [0, *lost]
    assert [window["example"] for window in features] == [0] + [1] * len(ids)
    assert [window["labels"] for window in features] == [1] + [0] * len(ids)


@pytest.mark.parametrize("long_text", ["head", "head+tail", "windows"])
@pytest.mark.parametrize("max_length", [3, 4, 5, 11, 12])
def test_long_texts_at_the_edge(long_text: Any, max_length: int, letters: Any) -> None:
    """Ten tokens fit into 12 and not into 11; head and tail never share a token, and windows show each of them."""
    features = Classification(long_text=long_text).encode_inputs([TextExample(TEN)], letters, max_length)
    shown = [i for window in features for i in window["input_ids"][1:-1]]
    assert max(len(window["input_ids"]) for window in features) == max_length
    if long_text == "windows":
        assert set(shown) == set(range(4, 14))
    else:
        assert len(shown) == len(set(shown)) == max_length - 2
        assert features[0]["lost"] == 12 - max_length
        assert shown[-1] == (13 if long_text == "head+tail" else max_length + 1)


def test_classification_batch_by_hand(letters: Any) -> None:
    task = Classification()
    batch = task.collate(
        task.encode([TextExample("가", "b"), TextExample("가 나", "a")], letters, ["a", "b"], 8), letters
    )
    assert batch["input_ids"].tolist() == [[2, 4, 3, 0], [2, 4, 5, 3]]
    assert batch["labels"].tolist() == [1, 0]
    assert batch["labels"].dtype == torch.int64


def test_several_labels(letters: Any) -> None:
    task = Classification(multi_label=True)
    labels = ["a", "b", "c"]
    examples = [TextExample("가", ("c", "a")), TextExample("나", ()), TextExample("다", "b")]
    features = task.encode(examples, letters, labels, 8)
    assert [window["labels"] for window in features] == [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    batch = task.collate(features, letters)
    assert batch["labels"].dtype == torch.float32
    assert [found.label for found in oracle(task, examples, letters, labels)] == [("a", "c"), (), ("b",)]


def test_several_labels_where_one_is_expected(letters: Any) -> None:
    with pytest.raises(InputError, match="several labels"):
        Classification().encode([TextExample("가", ("a", "b"))], letters, ["a", "b"], 8)


def window(*values: float) -> Window:
    return Window({}, np.array(values))


def test_the_class_is_the_likeliest() -> None:
    found = Classification().decode(TextExample("가"), [window(0.0, math.log(3))], ["a", "b"])
    assert found.label == "b"
    assert found.score == pytest.approx(0.75)
    assert found.scores == pytest.approx({"a": 0.25, "b": 0.75})


def test_the_logits_of_windows_are_averaged() -> None:
    """Probabilities would give another answer: the mean of 0.88 and 0.27 is 0.57, here it is sigmoid(0.5) = 0.62."""
    found = Classification().decode(TextExample("가"), [window(2.0, 0.0), window(-1.0, 0.0)], ["a", "b"])
    assert found.score == pytest.approx(1 / (1 + math.exp(-0.5)))


@pytest.mark.parametrize(("threshold", "given"), [(0.2, ("a", "b")), (0.5, ("b",)), (0.9, ())])
def test_the_threshold(threshold: float, given: tuple[str, ...]) -> None:
    task = Classification(multi_label=True, threshold=threshold)
    found = task.decode(TextExample("가"), [window(math.log(1 / 3), math.log(3))], ["a", "b"])
    assert found.label == given
    assert found.scores == pytest.approx({"a": 0.25, "b": 0.75})


def test_logits_too_large_for_exp() -> None:
    single = Classification().decode(TextExample("가"), [window(2000.0, -2000.0)], ["a", "b"])
    assert single.scores == {"a": 1.0, "b": 0.0}
    with np.errstate(over="ignore"):
        several = Classification(multi_label=True).decode(TextExample("가"), [window(900.0, -900.0)], ["a", "b"])
    assert several.scores == {"a": 1.0, "b": 0.0}


@pytest.mark.parametrize(
    ("weights", "loss"),
    [(None, (math.log(4) + math.log(4 / 3)) / 2), ((1.0, 3.0), (math.log(4) + 3 * math.log(4 / 3)) / 4)],
)
def test_classification_loss_by_hand(weights: Any, loss: float, letters: Any) -> None:
    """P(b) = 3/4 for both texts; gold is a, then b. Weighted, the sum goes over the sum of the weights."""
    task = Classification(class_weights=weights)
    batch = task.collate(task.encode([TextExample("가", "a"), TextExample("나", "b")], letters, ["a", "b"], 8), letters)
    said = torch.tensor([[0.0, math.log(3)]] * 2)
    assert float(task.loss(lambda **_: Out(said), batch)) == pytest.approx(loss)
    output = task.evaluate_batch(lambda **_: Out(said), batch)
    assert float(output.loss) == pytest.approx(loss)
    assert output.targets == sum(weights or (1, 1))  # with it, the means of batches add up to the mean of all


def test_the_model_gets_no_labels(letters: Any) -> None:
    seen: dict[str, Any] = {}

    def model(**inputs: Any) -> Out:
        seen.update(inputs)
        return Out(torch.zeros(1, 2))

    task = Classification()
    batch = task.collate(task.encode([TextExample("가", "a")], letters, ["a", "b"], 8), letters)
    assert task.evaluate_batch(model, batch).targets == 1
    assert set(seen) == {"input_ids", "attention_mask", "token_type_ids"}


def test_balanced_weights() -> None:
    """rows / classes / rows of the class; a label of several that does not occur weighs nothing."""
    labels = ["a", "b", "c"]
    found = Statistics(8, 0, {"a": 6, "b": 2}, several=True)
    task = Classification(class_weights="balanced").fit(found, labels, [], None)
    assert task.class_weights == pytest.approx((8 / 3 / 6, 8 / 3 / 2, 0.0))


def test_a_list_of_labels_makes_it_multi_label() -> None:
    assert Classification().fit(Statistics(2, 0, {"a": 1}, several=True), ["a"], [], None).multi_label


@pytest.mark.parametrize(
    ("statistics", "fields", "message"),
    [
        (Statistics(3, 0, {"a": 3}), {}, "one class only: 'a'"),
        (Statistics(3, 0, {"a": 2, "c": 1}), {}, "no training row has the class 'b'"),
        (Statistics(3, 3, {"a": 2, "b": 1}), {}, "all 3 rows have an empty text"),
        (Statistics(3, 0, {"a": 2, "b": 1}), {"class_weights": (1.0,)}, "1 class weights for 2 classes"),
    ],
)
def test_nothing_to_learn_from(statistics: Statistics, fields: Mapping[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Classification(**fields).fit(statistics, sorted({"a", "b", *statistics.labels}), [], None)


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.5])
def test_a_threshold_that_is_no_probability(threshold: float) -> None:
    with pytest.raises(InputError, match="--threshold"):
        Classification(threshold=threshold)


@pytest.mark.parametrize(
    ("found", "order"),
    [
        (["10", "9", "-1"], ["-1", "9", "10"]),
        (["10", "9", "x"], ["10", "9", "x"]),
        (["긍정", "부정", "긍정"], ["긍정", "부정"]),
        ([], []),
    ],
)
def test_the_order_of_labels(found: list[str], order: list[str]) -> None:
    assert Classification().order_labels(found) == order


def test_labels_in_the_configuration() -> None:
    class Config:
        num_labels = 2
        id2label: Any = None
        label2id: Any = None
        problem_type: Any = None

    config = Config()
    Ner().configure(config, ["LC", "PS"])
    assert config.id2label == {0: "O", 1: "B-LC", 2: "I-LC", 3: "B-PS", 4: "I-PS"}
    assert config.label2id == {"O": 0, "B-LC": 1, "I-LC": 2, "B-PS": 3, "I-PS": 4}
    assert config.num_labels == 5
    Classification().configure(config, ["부정", "긍정"])
    assert (config.id2label, config.problem_type) == ({0: "부정", 1: "긍정"}, "single_label_classification")
    Classification(multi_label=True).configure(config, ["a"])
    assert (config.num_labels, config.problem_type) == (1, "multi_label_classification")
