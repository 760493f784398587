"""Spans that begin or end within a token: cut classes of named entities and answers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from helpers_serve import client
from saved_models import INPUTS, save_random_model
from task_helpers import REAL, Load, oracle

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.export.export import export
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import CORPORA, TASKS
from ratsnlp_like.tasks.base import ExampleCounts
from ratsnlp_like.tasks.cuts import CutClasses
from ratsnlp_like.tasks.edges import SpanTask
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.question_answering import QuestionAnswering
from ratsnlp_like.text.tokens import tokenize

TYPES = ["LC", "OG", "PS"]
GLUED = [
    ("서울에서 김민준이고 부산까지", ["서울", "김민준", "부산"]),
    ("(주)한국은행에서는 신한은행으로", ["한국은행", "신한은행"]),
    ("쀍뷁에게 뢟은 갔다", ["쀍뷁", "뢟"]),  # unknown to every tokenizer
    ("😀부산😀에서 李箱은", ["부산", "李箱"]),
    ("\u00a0서울역에서\u3000  대전역을 ", ["서울역", "대전역"]),
    ("ㅋㅋㅋㅋ김민준ㅋㅋㅋ이서연ㅠㅠ", ["김민준"]),
]
"""Texts with the names in them; particles and other characters are glued to the names."""


def glued() -> list[EntityExample]:
    examples = []
    for text, names in GLUED:
        starts = [text.index(name) for name in names]
        entities = [Entity(s, s + len(name), "PS") for s, name in zip(starts, names, strict=True)]
        examples.append(EntityExample(text, tuple(entities)))
    return examples


def spans(prediction: Any) -> list[tuple[int, int, str]]:
    return [(entity.start, entity.end, entity.label) for entity in prediction.entities]


def fitted(task: Any, examples: Sequence[Any], tokenizer: Any, labels: Sequence[str] = TYPES) -> Any:
    return task.fit(ExampleCounts(len(examples), 0), labels, examples, tokenizer)


@pytest.mark.parametrize("normalization", [(), ("nfc", "shorten-repeats", "whitespace")])
def test_every_tokenizer_expresses_names_in_its_tokens(normalization: tuple[str, ...], tokenizer: Any) -> None:
    """Unless two names share a token, which is reported."""
    examples = glued()
    task = fitted(Ner(spans="cuts", normalization=normalization, stride=2), examples, tokenizer)
    for max_length in (8, 64):
        for example, found in zip(examples, oracle(task, examples, tokenizer, TYPES, max_length), strict=True):
            wanted = [tuple(entity) for entity in example.entities or ()]
            lost = task.inexpressible(example, found)
            assert spans(found) == wanted or lost
            assert len(lost) < len(wanted) or len(wanted) == 1


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", REAL)
def test_ceiling_on_klue_ner(name: str, data: Path, load: Load) -> None:
    """With cuts fitted on the training rows, all other rows are exact but for the two exceptions."""
    corpus, tokenizer = CORPORA["klue-ner"], load(name)
    train, held_out = (list(corpus.examples(data, split)) for split in ("train", "validation"))
    labels = list(corpus.labels(data) or ())
    task = fitted(Ner(spans="cuts"), train, tokenizer, labels)
    found = oracle(task, held_out, tokenizer, labels)
    assert task.score(found, held_out, labels)["entity_f1"] >= 0.997
    texts = [example.text for example in held_out]
    for example, prediction, (_, offsets) in zip(held_out, found, tokenize(tokenizer, texts), strict=True):
        entities = example.entities or ()
        shared = [
            e for s, z in offsets if len(own := [e for e in entities if e.start < z and s < e.end]) > 1 for e in own
        ]
        spaced = [e for e in entities if example.text[e.start : e.end] != example.text[e.start : e.end].strip()]
        exact = {(e.start, e.end, e.label) for e in prediction.entities}
        assert {tuple(e) for e in entities} - exact <= {tuple(e) for e in (*shared, *spaced)}


def test_two_names_in_one_token_are_reported(tiny_tokenizer: Any) -> None:
    """서울에서 is one token of this vocabulary."""
    example = EntityExample("서울에서", (Entity(0, 2, "LC"), Entity(2, 4, "PS")))
    task = fitted(Ner(spans="cuts"), [example], tiny_tokenizer)
    (found,) = oracle(task, [example], tiny_tokenizer, TYPES)
    assert spans(found) == [(0, 2, "LC")]
    assert task.inexpressible(example, found) == ["에서 (PS) -> nothing"]


class TestClasses:
    cuts = CutClasses(1, 2)

    def test_names(self) -> None:
        assert self.cuts.names == ["cut-front-0", "cut-front-1", "cut-end-0", "cut-end-1", "cut-end-2"]
        assert Ner(spans="cuts", cuts=(1, 2)).classes(["PS"]) == ["O", "B-PS", "I-PS", *self.cuts.names]

    def test_split(self) -> None:
        parts = self.cuts.split(np.arange(8))
        assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4], [5, 6, 7]]

    @pytest.mark.parametrize(
        ("first", "last", "span", "targets"),
        [
            ((0, 4), (0, 4), (0, 2), (0, 2)),
            ((0, 4), (6, 9), (1, 9), (1, 0)),
            ((0, 4), (6, 9), (2, 9), (-100, 0)),  # there is no class for 2 characters at the front
            ((2, 4), (6, 9), (1, 11), (0, 0)),  # white space around a name is in no token
        ],
    )
    def test_targets(self, first: Any, last: Any, span: tuple[int, int], targets: tuple[int, int]) -> None:
        assert self.cuts.targets(first, last, *span) == targets

    @pytest.mark.parametrize(
        ("front", "end", "first", "last", "edges"),
        [
            ([0.9, 0.1], [0.1, 0.8, 0.1], (0, 4), (0, 4), (0, 3)),
            ([0.1, 0.9], [0.1, 0.8, 0.1], (0, 4), (5, 9), (1, 8)),
            ([0.1, 0.9], [0.0, 0.4, 0.6], (0, 3), (0, 3), (1, 2)),  # 1 and 2 would leave nothing: 0.9 * 0.4
            ([0.6, 0.4], [0.1, 0.1, 0.8], (0, 1), (5, 6), (0, 6)),  # tokens of one character
        ],
    )
    def test_a_cut_leaves_something(
        self, front: list[float], end: list[float], first: Any, last: Any, edges: tuple[int, int]
    ) -> None:
        found = self.cuts.best(np.array(front), np.array(end), first, last)
        assert found[:2] == edges
        assert found.probability == pytest.approx(front[found.start - first[0]] * end[last[1] - found.end])


@pytest.mark.parametrize(("endings", "end"), [({}, 4), ({"": [2, 0, 2], "에서": [0, 0, 2]}, 2)])
def test_the_ending_of_a_token_decides_where_the_model_does_not(endings: dict[str, list[int]], end: int) -> None:
    """The model gives whole tokens and a cut of two characters 0.6 and 0.4; 에서 was always cut off."""
    task = Ner(spans="cuts", cuts=(0, 2), endings=endings)
    found = task.edges("서울에서", "LC", (0, 4), (0, 4), [np.ones(1), np.array([0.6, 0.0, 0.4])])
    assert (found.start, found.end) == (0, end)
    assert 0.4 < found.probability < 1


def test_loss_of_entities(letters: Any) -> None:
    """Uniform logits over 3 tags and 2 and 3 cuts; the two cuts of one entity are added to the mean over 3 tokens."""
    task = Ner(spans="cuts", cuts=(1, 2))
    examples = [EntityExample("가 나 다", (Entity(0, 3, "PS"),)), EntityExample("", ())]
    batch = task.collate(task.encode(examples, letters, ["PS"], 8), letters)
    assert batch["front_cuts"].tolist() == [[-100, 0, -100, -100, -100], [-100] * 5]  # type: ignore[typeddict-item]
    assert batch["end_cuts"].tolist() == [[-100, -100, 0, -100, -100], [-100] * 5]  # type: ignore[typeddict-item]
    outputs = SimpleNamespace(logits=torch.zeros(2, 5, 8))
    expected = math.log(3) + (math.log(2) + math.log(3)) / 3
    assert float(task.compute_loss(outputs, batch)) == pytest.approx(expected)


def test_loss_of_answers(letters: Any) -> None:
    """Uniform logits over 9 tokens; of two windows one holds the answer."""
    task = QuestionAnswering(spans="cuts", cuts=(1, 2))
    examples = [QuestionExample("가", "나 다 라", (Answer("나", 0),)), QuestionExample("가", "나 다 라", ())]
    batch = task.collate(task.encode(examples, letters, [], 16), letters)
    assert batch["cuts"].tolist() == [[0, 0], [-100, -100]]  # type: ignore[typeddict-item]
    outputs = SimpleNamespace(logits=torch.zeros(*batch["input_ids"].shape, 7))
    expected = math.log(batch["input_ids"].shape[1]) + (math.log(2) + math.log(3)) / 4
    assert float(task.compute_loss(outputs, batch)) == pytest.approx(expected)


def test_answers_in_tokens(tiny_tokenizer: Any) -> None:
    """서울에서 is one token of this vocabulary."""
    examples = [
        QuestionExample("어디", "김민준은 서울에서 왔다", (Answer("서울", 5),)),
        QuestionExample("언제", "김민준은 서울에서 왔다", ()),
    ]
    task = fitted(QuestionAnswering(spans="cuts"), examples, tiny_tokenizer, [])
    assert task.cuts == (0, 2)
    answered, _ = oracle(task, examples, tiny_tokenizer, [])
    assert (answered.text, answered.start, answered.end) == ("서울", 5, 7)


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["ner", "question-answering"])
def test_the_graph_and_the_api_find_the_spans_of_the_model(name: str, tmp_path: Path) -> None:
    folder, inputs = save_random_model(name, tmp_path / "model", spans="cuts", cuts=(2, 3)), INPUTS[name]
    assert export(folder, output=tmp_path / "onnx", limit_eval=20).equal_predictions == 1
    original, graph = (Predictor.from_pretrained(tmp_path / kind) for kind in ("model", "onnx"))
    found = original(inputs)
    assert [original.task.agrees(*pair) for pair in zip(found, graph(inputs), strict=True)] == [True] * len(inputs)
    assert found != original.with_options(spans="tokens")(inputs)  # some cut is predicted
    fields = original.task.example.of(inputs[0]).inputs()
    with client(original) as api:
        assert api.post("/api", json=fields).json() == json.loads(json.dumps(original.task.to_row(found[0])))


def test_transformers_opens_the_folder_and_finds_spans_of_tokens(tmp_path: Path) -> None:
    from transformers import AutoModelForTokenClassification, pipeline

    folder = save_random_model("ner", tmp_path / "model", spans="cuts", cuts=(2, 3))
    model, info = AutoModelForTokenClassification.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert list(model.config.id2label.values())[-7:] == CutClasses(2, 3).names
    recognize = pipeline("token-classification", model=model, tokenizer=str(folder), device="cpu")
    tokens = [token for text in INPUTS["ner"] for token in recognize(text, ignore_labels=[])]
    assert len(tokens) > 10
    assert not any(token["entity"].startswith("cut") for token in tokens)
    assert "`transformers.pipeline` finds entities of whole tokens" in (folder / "README.md").read_text(
        encoding="utf-8"
    )


def test_a_trained_head_keeps_its_biases(tmp_path: Path) -> None:
    predictor = Predictor.from_pretrained(save_random_model("ner", tmp_path / "model", spans="cuts", cuts=(2, 3)))
    before = predictor.model.classifier.bias.detach().clone()
    assert before[-7:].max() < -10 < before[:-7].min()
    predictor.task.prepare_model(predictor.model)
    assert torch.equal(predictor.model.classifier.bias, before)


def test_cut_classes_need_a_head_of_their_own() -> None:
    with pytest.raises(InputError, match="--tags"):
        Ner(spans="cuts", tags=("O", "B-PS", "I-PS"))


@pytest.mark.parametrize(("task", "kind"), [("ner", Ner), ("question-answering", QuestionAnswering)])
def test_fields_of_an_earlier_version(task: str, kind: type[SpanTask[Any, Any]]) -> None:
    """task.json of a model that was trained before there was a choice of spans."""
    fields = {name: value for name, value in kind().to_dict().items() if name not in {"spans", "cuts"}}  # type: ignore[attr-defined]
    assert TASKS[task].from_dict(fields).spans == "tokens"
    known = TASKS[task].from_dict({**fields, "particles": {"LC": ["에서"]}})
    assert (known.spans, known.particles) == ("particles", {"LC": ["에서"]})


def test_cuts_begin_with_their_frequencies() -> None:
    """An untrained head predicts cuts as often as they are in the training data."""
    classes = CutClasses(2, 1)
    head = torch.nn.Linear(4, 3 + len(classes.names))
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    model = torch.nn.Sequential(head)
    model.config = SimpleNamespace(num_labels=head.out_features)  # type: ignore[assignment]
    classes.initialize(model, [7, 1])
    front, end = classes.probabilities(head(torch.zeros(1, 4)).detach().numpy())
    assert end[0] == pytest.approx([0.8, 0.2])
    assert front[0, 1:].sum() / front[0, 0] == pytest.approx(math.exp(-5))
