"""Facts about model types, compared with the models that transformers makes of them."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
from small_configs import small
from transformers import AutoConfig, AutoModel, BartConfig, BertConfig

from ratsnlp_like.checkpoints.architectures import (
    ARCHITECTURES,
    HEADS,
    architecture_of,
    check_head,
    has_head,
    max_positions,
)
from ratsnlp_like.errors import InputError


@pytest.mark.parametrize("model_type", [name for name, facts in ARCHITECTURES.items() if facts.layers])
def test_the_path_of_layers_leads_to_all_of_them(model_type: str) -> None:
    model = AutoModel.from_config(small(model_type))
    assert len(attrgetter(ARCHITECTURES[model_type].layers)(model)) == 3


@pytest.mark.parametrize("model_type", [name for name, facts in ARCHITECTURES.items() if facts.unpadded == "bert"])
def test_position_offsets_are_those_of_the_embeddings(model_type: str) -> None:
    import torch

    seen: list[Any] = []
    model = AutoModel.from_config(small(model_type)).eval()
    model.embeddings.position_embeddings.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    model(torch.full((1, 3), 5), attention_mask=torch.ones(1, 3, dtype=torch.long))
    first = 2 if ARCHITECTURES[model_type].offset_positions else 0  # the padding id is 1
    assert seen[0].tolist() == [[first, first + 1, first + 2]]


@pytest.mark.parametrize("model_type", [name for name in ARCHITECTURES if name not in {"bart", "t5", "funnel"}])
def test_a_causal_model_does_not_see_later_tokens(model_type: str) -> None:
    import torch

    torch.manual_seed(0)
    model = AutoModel.from_config(small(model_type)).eval()
    ids = torch.tensor([[5, 6, 7, 8]])
    other = torch.tensor([[5, 6, 7, 9]])
    with torch.no_grad():
        first, second = (model(one).last_hidden_state[0, 0] for one in (ids, other))
    assert torch.equal(first, second) is ARCHITECTURES[model_type].causal


def test_an_unknown_type_is_causal_by_its_heads() -> None:
    assert architecture_of(AutoConfig.for_model("gptj")).causal
    assert not architecture_of(AutoConfig.for_model("mpnet")).causal
    assert not architecture_of(AutoConfig.for_model("mbart")).causal
    assert "gptj" not in ARCHITECTURES
    assert "mpnet" not in ARCHITECTURES
    assert "mbart" not in ARCHITECTURES


def test_is_decoder_makes_an_encoder_causal() -> None:
    made = architecture_of(BertConfig(is_decoder=True))
    assert made.causal
    assert not made.unpadded
    assert not architecture_of(BartConfig()).causal


def test_heads_are_those_of_transformers() -> None:
    assert {head for head in HEADS if has_head("bert", head)} == {
        "causal-lm", "masked-lm", "question-answering", "sequence-classification", "token-classification",
    }  # fmt: skip
    assert not has_head("gemma3_text", "token-classification")
    assert has_head("bart", "seq2seq-lm")


def test_unbounded_positions() -> None:
    assert max_positions(AutoConfig.for_model("t5")) is None
    assert max_positions(AutoConfig.for_model("roberta", max_position_embeddings=514, pad_token_id=1)) == 512


@pytest.mark.parametrize(
    ("model_type", "head"),
    [("gemma3_text", "AutoModelForMaskedLM"), ("t5", "AutoModelForCausalLM")],
)
def test_a_missing_head_is_reported(model_type: str, head: str) -> None:
    import transformers

    message = f"transformers has no {head} for {model_type}"
    with pytest.raises(InputError, match=message):
        check_head(AutoConfig.for_model(model_type), getattr(transformers, head))


def test_a_head_that_exists_passes() -> None:
    from transformers import AutoModelForQuestionAnswering

    check_head(BertConfig(), AutoModelForQuestionAnswering)
    check_head(BertConfig(), AutoModel)
