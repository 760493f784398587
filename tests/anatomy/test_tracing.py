"""Traces of real models: equality with the forward pass, candidates, and models left unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from anatomy_helpers import MASKED, PLAIN, bert, close, gpt, loaded, small, traced
from helpers import new_tokenizer
from tokenizers.processors import ByteLevel
from torch.nn import functional as F
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    T5Config,
    T5ForConditionalGeneration,
)

from ratsnlp_like import InputError, Predictor, anatomy
from ratsnlp_like.text.normalization import Normalizer


def traces() -> Iterator[Any]:
    yield pytest.param(lambda: (loaded("ko-tiny-bert", AutoModelForMaskedLM), MASKED), id="ko-tiny-bert")
    yield pytest.param(lambda: (loaded("ko-tiny-gpt", AutoModelForCausalLM), PLAIN), id="ko-tiny-gpt")
    for kind in ("roberta", "electra"):
        yield pytest.param(lambda kind=kind: (small(kind), MASKED), id=kind)


@pytest.mark.parametrize("make", traces())
def test_a_trace_equals_the_forward_pass_of_the_model(make: Any) -> None:
    (model, tokenizer), text = make()
    trace = anatomy.trace(model, text, tokenizer=tokenizer, candidates=5)
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads
    tokens, width = len(trace.tokens), model.config.hidden_size
    assert trace.attentions.shape == (layers, heads, tokens, tokens)
    assert trace.states.shape == (layers + 1, tokens, width)
    assert trace.updates.shape == (layers, 2, tokens, width)
    close(trace.attentions.sum(-1), torch.ones(layers, heads, tokens))
    above = trace.attentions.triu(1)
    assert bool((above == 0).all()) is trace.causal
    scale = float(trace.states.abs().max())
    close(trace.reconstructed() / scale, trace.states[1:] / scale)

    model.eval()
    with torch.no_grad():
        logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
    close(trace.logits, logits, 1e-3)
    top = logits.softmax(-1).topk(5)
    assert torch.equal(trace.lens_ids[-1], top.indices)
    close(trace.lens_probabilities[-1], top.values, 1e-4)


def test_a_changed_last_token_changes_earlier_states_of_bert_but_not_of_gpt() -> None:
    for name, sees in (("ko-tiny-bert", True), ("ko-tiny-gpt", False)):
        model, tokenizer = loaded(name, AutoModelForMaskedLM if sees else AutoModelForCausalLM)
        first, second = (
            anatomy.trace(model, f"배우들의 연기가 {last}", tokenizer=tokenizer) for last in ("좋다", "재미있다")
        )
        assert first.tokens != second.tokens
        alike = len([1 for a, b in zip(first.tokens, second.tokens, strict=False) if a == b and not a.startswith("[S")])
        assert alike >= 3
        same = torch.allclose(first.states[-1, :alike], second.states[-1, :alike], atol=1e-5)
        assert same is not sees


def test_mid_states_norms_and_cosines() -> None:
    trace = gpt()
    close(trace.mid_states, trace.states[:-1] + trace.updates[:, 0])
    by_hand = F.cosine_similarity(trace.updates[2, 1, 3], trace.states[3, 3], dim=0)
    assert float(trace.update_cosines[2, 1, 3]) == pytest.approx(float(by_hand))
    assert float(trace.update_norms[2, 1, 3]) == pytest.approx(float(trace.updates[2, 1, 3].pow(2).sum().sqrt()))
    assert trace.norms.shape == (5, len(trace.tokens))


def test_candidates_of_the_mask_and_of_the_next_token() -> None:
    found = bert().candidates(k=3)
    assert (found.position, found.token) == (3, "[MASK]")
    assert len(found.words) == 5
    assert found.words[-1][0] == "정말"
    assert bert().candidates(position=-2).position == len(bert().tokens) - 2
    assert gpt().candidates().position == len(gpt().tokens) - 1
    decoding = gpt().decoding(top_k=4)
    assert [word for word, _ in decoding.candidates()] == list(gpt().candidates(k=4).words[-1])


def test_tokens_are_readable_korean() -> None:
    assert bert().tokens == ("[CLS]", "이", "영화는", "[MASK]", "재미있다", "[SEP]")
    assert gpt().tokens[:3] == ("<s>", "이", "▁영화는")
    assert "<20 EB>" in traced("ko-tiny-gpt", "이 뷁").tokens  # part of a syllable


def test_trace_of_a_predictor_and_of_a_model_without_a_language_model_head() -> None:
    predictor = Predictor.from_pretrained("ko-tiny-bert", device="cpu")
    close(anatomy.trace(predictor, MASKED).states, bert().states)
    normalizing = predictor.with_options(normalization=("shorten-repeats",))
    repeated = "재미있다ㅋㅋㅋㅋㅋㅋㅋㅋ"
    seen = anatomy.trace(normalizing, repeated).tokens
    assert seen == anatomy.trace(predictor, Normalizer(("shorten-repeats",))(repeated).text).tokens
    assert seen != anatomy.trace(predictor, repeated).tokens
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForSequenceClassification)
    trace = anatomy.trace(model, MASKED, tokenizer=tokenizer)
    close(trace.states, bert().states)
    with pytest.raises(InputError, match="no language model head"):
        trace.candidates()


def test_a_checkpoint_saved_without_a_head_has_no_logits(tmp_path: Any) -> None:
    """A randomly initialised head would yield meaningless candidates."""
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForSequenceClassification)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    trace = anatomy.trace(tmp_path, MASKED)
    assert trace.logits is None
    close(trace.states, bert().states)


def test_a_text_pair_and_a_tokenizer_with_another_mask_token() -> None:
    model, tokenizer = loaded("ko-tiny-bert", AutoModelForMaskedLM)
    pair = anatomy.trace(model, "재미있다", tokenizer=tokenizer, text_pair="영화는 [MASK]")
    assert pair.tokens == ("[CLS]", "재미있다", "[SEP]", "영화는", "[MASK]", "[SEP]")
    tokenizer.mask_token = "[UNK]"
    assert anatomy.trace(model, MASKED, tokenizer=tokenizer).candidates().token == "[UNK]"


@pytest.mark.parametrize("fails", [False, True])
def test_trace_leaves_the_model_unchanged(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model, tokenizer = small("bert")
    model.train()
    model.bert.encoder.layer[0].eval()
    modes = [module.training for module in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    implementation = model.config._attn_implementation
    assert implementation != "eager"
    if fails:
        monkeypatch.setattr(type(model.base_model.encoder), "forward", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            anatomy.trace(model, MASKED, tokenizer=tokenizer)
    else:
        anatomy.trace(model, MASKED, tokenizer=tokenizer)
    assert [module.training for module in model.modules()] == modes
    assert model.config._attn_implementation == implementation
    hooks = [hook for m in model.modules() for hook in (*m._forward_hooks.values(), *m._forward_pre_hooks.values())]
    assert all(hook.__module__.startswith("transformers.") for hook in hooks)  # transformers keeps its own
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_an_unsupported_model_type_is_an_input_error() -> None:
    size = {"d_model": 8, "d_ff": 8, "d_kv": 4, "num_heads": 2, "num_layers": 1, "vocab_size": 16}
    with pytest.raises(InputError, match=r"model type 't5'[\s\S]*bert, roberta"):
        anatomy.trace(T5ForConditionalGeneration(T5Config(**size)), MASKED, tokenizer=new_tokenizer())


def test_an_empty_text_is_an_input_error() -> None:
    model, tokenizer = loaded("ko-tiny-gpt", AutoModelForCausalLM)
    tokenizer.backend_tokenizer.post_processor = ByteLevel()  # without <s>
    with pytest.raises(InputError, match="no tokens"):
        anatomy.trace(model, "", tokenizer=tokenizer)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: anatomy.trace("ko-tiny-brt", MASKED), "ko-tiny-bert"),
        (lambda: anatomy.trace("ko-tiny-bert", "영화 " * 600), "at most 512"),
        (lambda: anatomy.trace("ko-tiny-bert", ["영화"]), "one text"),
        (lambda: anatomy.trace("ko-tiny-bert", MASKED, candidates=0), "candidates: 0"),
        (lambda: anatomy.trace(7, MASKED), "an int"),
        (lambda: anatomy.trace(small("bert")[0], MASKED), "tokenizer=..."),
        (lambda: traced("ko-tiny-bert", "이 영화는 재미있다").candidates(), r"write \[MASK\]"),
        (lambda: bert().candidates(k=0), "1 to 10"),
        (lambda: bert().candidates(k=11), "larger `candidates`"),
        (lambda: bert().candidates(position=6), "0 to 5"),
        (lambda: gpt().decoding(temperature=0), "temperature: 0"),
    ],
)
def test_bad_input_is_an_input_error(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
