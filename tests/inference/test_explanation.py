"""Explanations: completeness, words, and what cannot be explained."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from helpers import TINY, tokenizer
from torch import nn

from ratsnlp_like.checkpoints.base import load_config, resolve
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.onnx import OnnxModel
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.modeling import unpadded
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.generation import Generation
from ratsnlp_like.tasks.ner import Ner
from ratsnlp_like.tasks.pair import PairClassification
from ratsnlp_like.tasks.question_answering import QuestionAnswering
from ratsnlp_like.tasks.similarity import Similarity

LABELS = ["부정", "중립", "긍정"]
TEXT = "국물이 진하고 정말 맛있어요 😀 또 가고 싶은 곳"


def predictor(task: Any, *, without_padding: bool = False, max_length: int = 32) -> Predictor:
    config = load_config(resolve("ko-blank-bert"), TINY)
    task.configure(config, LABELS)
    torch.manual_seed(0)
    model = task.model_class().from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():  # a decision that depends on the words
        model.get_input_embeddings().weight.normal_(0, 0.5)
        (model.qa_outputs if hasattr(model, "qa_outputs") else model.classifier).weight.normal_(0, 2.0)
    if without_padding:
        assert unpadded.install(model)
    return Predictor(task, model, tokenizer(), LABELS, max_length=max_length)


@pytest.mark.parametrize("without_padding", [False, True])
def test_the_parts_add_up_to_the_decision(without_padding: bool) -> None:
    own = predictor(Classification(), without_padding=without_padding)
    (found,) = own.explain(TEXT)
    assert found.error < 0.01
    assert sum(word.weight for word in found.words) == pytest.approx(found.value - found.baseline, rel=0.01)
    assert [word.text for word in found.words] == TEXT.split()
    assert all(TEXT[word.start : word.end] == word.text for word in found.words)
    prediction = own(TEXT)
    assert found.target == prediction.label
    p = prediction.score
    assert found.value == pytest.approx(torch.logit(torch.tensor(p)).item(), abs=1e-3)
    assert len({round(word.weight, 6) for word in found.words}) > 4


@pytest.mark.parametrize("task", [PairClassification(), Similarity(), Classification(multi_label=True)])
def test_other_tasks(task: Any) -> None:
    value = TEXT if isinstance(task, Classification) else (TEXT, "직원이 친절해요")
    (found,) = predictor(task).explain(value)
    assert found.error < 0.01
    assert {word.field for word in found.words} == ({"text"} if value is TEXT else {"text", "text_pair"})
    assert sum(word.weight for word in found.words) == pytest.approx(found.value - found.baseline, rel=0.01)


@pytest.mark.parametrize("long_text", ["head", "head+tail", "windows"])
def test_long_texts(long_text: Any) -> None:
    text = " ".join(f"{k}번째 낱말이다" for k in range(20))
    (found,) = predictor(Classification(long_text=long_text)).explain(text)
    assert found.error < 0.01
    assert sum(word.weight for word in found.words) == pytest.approx(found.value - found.baseline, rel=0.01)
    assert (found.words[-1].weight != 0) == (long_text != "head")
    assert len(found.words) == 40


CONTEXT = "도서관은 1998년에 문을 열었다. " + "책이 많고 조용해서 자주 가는 곳이다. " * 4


@pytest.mark.parametrize("spans", ["tokens", "cuts"])
def test_answers(spans: Any) -> None:
    """The decision is the choice of the two tokens at the edges of the answer, in the windows that hold it."""
    task = QuestionAnswering(spans=spans, doc_stride=4, max_answer_length=6)
    if spans == "cuts":
        task = replace(task, cuts=(1, 2))
    own = predictor(task, max_length=32)
    (found,) = own.explain(("언제 열었나?", CONTEXT))
    answer = own(("언제 열었나?", CONTEXT))
    assert found.target == answer.text != ""
    assert found.error < 0.01
    assert sum(word.weight for word in found.words) == pytest.approx(found.value - found.baseline, rel=0.01)
    assert {word.field for word in found.words} == {"question", "context"}
    assert any(word.weight for word in found.words if word.field == "question")
    seen = [word.start <= answer.start for word in found.words if word.weight and word.field == "context"]
    assert any(seen)
    assert 0 < sum(bool(word.weight) for word in found.words) < len(found.words)  # other windows have no part in it


SENTENCE = "한강은 서울 바깥에서 시작해 서울 한가운데를 지나고 서해로 흘러 나간다 " * 3


@pytest.mark.parametrize("spans", ["tokens", "cuts"])
@pytest.mark.parametrize("max_length", [16, 64])
def test_entities(spans: Any, max_length: int) -> None:
    """Each entity has an explanation of its type, from one window of a long text."""
    task = Ner(spans=spans, stride=4)
    if spans == "cuts":
        task = replace(task, cuts=(1, 2))
    own = predictor(task, max_length=max_length)
    entities = own(SENTENCE).entities
    explanations = own.explain(SENTENCE)
    assert [found.target for found in explanations] == [f"{e.text} ({e.label})" for e in entities]
    assert len(entities) > 3
    for found in explanations:
        assert found.error < 0.01
        assert sum(word.weight for word in found.words) == pytest.approx(found.value - found.baseline, rel=0.01)
        assert [word.text for word in found.words] == SENTENCE.split()
        assert all(word.weight for word in found.words) == (max_length == 64)
    for entity, found in zip(entities, explanations, strict=True):
        parts = [word.weight for word in found.words if word.start < entity.end and entity.start < word.end]
        assert all(parts)


def test_the_value_of_an_entity_is_the_log_odds_of_its_type() -> None:
    own = predictor(Ner(spans="tokens"))
    text = "비가 내리는 부산"
    entities, explanations = own(text).entities, own.explain(text)
    features = own.task.encode_inputs([own.task.example.of(text)], tokenizer(), 32)
    (raw,) = own.raw_outputs(features)
    logits = torch.tensor(raw[features[0]["lead"] :][: len(features[0]["starts"])]).double()
    assert len(entities) > 0
    for entity, found in zip(entities, explanations, strict=True):
        k = 1 + 2 * LABELS.index(entity.label)
        inside = [
            i for i, (start, end) in enumerate(zip(features[0]["starts"], features[0]["ends"], strict=True))
            if start < entity.end and entity.start < end
        ]  # fmt: skip
        p = logits[inside].softmax(1)[:, k : k + 2].sum(1)
        assert found.value == pytest.approx(p.logit().mean().item(), abs=1e-3)


def test_no_entities() -> None:
    own = predictor(Ner())
    with torch.no_grad():
        own.model.classifier.bias[0] = 1000.0
    assert own(SENTENCE).entities == ()
    assert own.explain(SENTENCE) == []


def test_no_answer() -> None:
    """Each window says so at its first token."""
    own = predictor(QuestionAnswering(null_threshold=-1e9, doc_stride=4), max_length=32)
    (found,) = own.explain(("언제 열었나?", CONTEXT))
    assert found.target == "(no answer)"
    assert found.error < 0.01
    assert all(word.weight for word in found.words if word.field == "context")


def test_a_linear_model_is_explained_exactly() -> None:
    """The decision is a sum over tokens, so the part of a word is what its tokens add to it."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embeddings = nn.Embedding(len(tokenizer()), 8)
            self.out = nn.Linear(8, 1)
            self.config, self.device = None, torch.device("cpu")

        def get_input_embeddings(self) -> nn.Module:
            return self.embeddings

        def forward(self, input_ids: Any, **more: Any) -> Any:
            return type("Out", (), {"logits": self.out(self.embeddings(input_ids)).sum(1)})

    torch.manual_seed(1)
    task = Similarity(lowest=0.0, highest=1.0)
    model = Linear()
    (found,) = Predictor(task, model, tokenizer(), []).explain(("맛있어요 최고", "좋아요"))
    with torch.no_grad():
        padding = model.embeddings.weight[tokenizer().pad_token_id]
        for word in found.words:
            ids = tokenizer()(word.text, add_special_tokens=False)["input_ids"]
            expected = ((model.embeddings.weight[ids] - padding) @ model.out.weight[0]).sum()
            assert word.weight == pytest.approx(float(expected), abs=1e-4), word.text


def test_what_cannot_be_explained() -> None:
    own = predictor(Classification())
    own.task = Generation()
    with pytest.raises(InputError, match="decision for each token that it writes"):
        own.explain(TEXT)
    own = predictor(Classification())
    own.model, torch_model = object.__new__(OnnxModel), own.model
    with pytest.raises(InputError, match="ONNX model computes predictions alone"):
        own.explain(TEXT)
    own.model = torch_model
    own.model.to(torch.bfloat16)
    with pytest.raises(InputError, match="16 bits"):
        own.explain(TEXT)
