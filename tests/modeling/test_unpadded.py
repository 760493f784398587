"""The forward without padding: the same logits and gradients as the padded one, and less work."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from helpers import job, largest_difference, weights
from hypothesis import given, settings
from hypothesis import strategies as st

from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.modeling import unpadded
from ratsnlp_like.modeling.losses import gather
from ratsnlp_like.modeling.unpadded import attention
from ratsnlp_like.training.finetune import fine_tune

SMALL: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
FAMILIES = {"bert": "Bert", "roberta": "Roberta", "electra": "Electra", "xlm-roberta": "XLMRoberta"}
HEADS = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM")
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=7)


def model(family: str, head: str, attention: str = "eager", **changes: Any) -> Any:
    """Random weights; a random projection of ELECTRA's narrower embeddings too."""
    own = SMALL | ({"embedding_size": 16} if family == "electra" else {}) | changes
    name = FAMILIES[family]
    torch.manual_seed(5)
    config = getattr(transformers, name + "Config")(**own, attn_implementation=attention)
    made = getattr(transformers, name + head)(config).train()
    with torch.no_grad():  # so that biases and norms count as well
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made


def batch(lengths: list[int], *, types: bool = False) -> dict[str, torch.Tensor]:
    """Random ids, padded at the end."""
    longest = max(lengths)
    generator = torch.Generator().manual_seed(sum(lengths))
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(5, 60, mask.shape, generator=generator)
    out = {"input_ids": torch.where(mask.bool(), ids, 1), "attention_mask": mask}
    if types:
        out["token_type_ids"] = torch.randint(0, 2, mask.shape, generator=generator) * mask
    return out


def logits(made: Any, given: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits of the model, 0 where there is padding."""
    output = made(**given)
    out = output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits], dim=2)
    return out * given["attention_mask"][:, :, None] if out.dim() == 3 else out


def same_gradients(one: Any, other: Any) -> None:
    pairs = zip(one.named_parameters(), other.named_parameters(), strict=True)
    largest = max(float(p.grad.abs().max()) for p in one.parameters() if p.grad is not None)
    for (name, p), (_, q) in pairs:
        assert (p.grad is None) == (q.grad is None), name
        if p.grad is not None:
            assert float((p.grad - q.grad).abs().max()) <= 1e-5 * max(1.0, largest), name


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("family", FAMILIES)
@given(lengths=LENGTHS, types=st.booleans())
@settings(max_examples=3)
def test_logits_and_gradients(family: str, head: str, attention: str, lengths: list[int], types: bool) -> None:
    plain = model(family, head, attention, type_vocab_size=2)
    packed = copy.deepcopy(plain)
    assert unpadded.install(packed)
    inputs = batch(lengths, types=types)
    expected, got = logits(plain, inputs), logits(packed, inputs)
    assert got.shape == expected.shape
    assert float((expected - got).abs().max()) <= 1e-5
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    (expected * weight).sum().backward()
    (got * weight).sum().backward()
    same_gradients(plain, packed)


@pytest.mark.parametrize("family", FAMILIES)
@given(lengths=LENGTHS, share=st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=4)
def test_masked_language_models_compute_their_last_layer_for_hidden_tokens_alone(
    family: str, lengths: list[int], share: float
) -> None:
    plain = model(family, "ForMaskedLM")
    packed = copy.deepcopy(plain)
    unpadded.install(packed)
    inputs = batch(lengths)
    real = inputs["attention_mask"].flatten().nonzero().flatten()
    hidden = real[torch.rand(len(real), generator=torch.Generator().manual_seed(3)) < share]
    hidden = hidden if len(hidden) else real[-1:]
    targets = inputs["input_ids"].flatten()[hidden]
    losses = [gather(made, inputs, hidden).loss(targets) for made in (plain, packed)]
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=1e-5)
    for loss in losses:
        loss.backward()
    same_gradients(plain, packed)
    rows: list[int] = []
    hook = packed.base_model.encoder.layer[-1].output.register_forward_hook(
        lambda module, given, out: rows.append(out.shape[1])
    )
    gather(packed, inputs, hidden)
    hook.remove()
    assert rows == [len(hidden)]


def test_no_layer_sees_padding_and_the_last_one_only_first_tokens() -> None:
    packed = model("bert", "ForSequenceClassification")
    unpadded.install(packed)
    rows: list[int] = []
    for layer in packed.base_model.encoder.layer:
        layer.output.register_forward_hook(lambda module, given, out: rows.append(out.shape[1]))
    packed(**batch([3, 9, 4]))
    assert rows == [16, 16, 3]


def test_a_mask_with_padding_before_the_text() -> None:
    plain = model("bert", "ForTokenClassification")
    packed = copy.deepcopy(plain)
    unpadded.install(packed)
    mask = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]])
    inputs = {"input_ids": torch.randint(5, 60, (2, 5)), "attention_mask": mask}
    assert float((logits(plain, inputs) - logits(packed, inputs)).abs().max()) <= 1e-5


def test_given_lengths_are_not_read_from_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU each question after a tensor's numbers waits for it."""
    packed = model("bert", "ForTokenClassification").eval()
    unpadded.install(packed)
    inputs = batch([3, 9, 4])
    expected = packed(**inputs).logits

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the values of a tensor were read")

    with monkeypatch.context() as patch:
        for name in ("tolist", "nonzero", "item", "__bool__"):
            patch.setattr(torch.Tensor, name, refuse)
        got = packed(**inputs, lengths=[3, 9, 4]).logits
    assert torch.equal(got, expected)


def test_nor_how_many_tokens_each_text_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = model("bert", "ForMaskedLM").eval()
    unpadded.install(packed)
    inputs, hidden = batch([3, 9, 4]), torch.tensor([1, 9 + 2, 9 + 5, 18 + 3])
    targets = inputs["input_ids"].flatten()[hidden]
    expected = gather(packed, inputs, hidden).loss(targets)

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the values of a tensor were read")

    with monkeypatch.context() as patch:
        for name in ("tolist", "nonzero", "item", "__bool__"):
            patch.setattr(torch.Tensor, name, refuse)
        got = gather(packed, {**inputs, "lengths": [3, 9, 4], "counts": [1, 2, 1]}, hidden).loss(targets)
    assert torch.equal(got, expected)


@pytest.mark.slow
@given(lengths=LENGTHS, first=st.booleans())
@settings(max_examples=6)
def test_the_kernel_of_gpus_is_told_where_texts_begin_and_end(lengths: list[int], first: bool) -> None:
    """It is replaced by its definition: softmax attention, text by text."""
    packed = model("bert", "ForSequenceClassification" if first else "ForTokenClassification").eval()
    plain = copy.deepcopy(packed)
    unpadded.install(packed)
    calls: list[tuple[int, int]] = []

    def reference(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, of_q: torch.Tensor, of_k: torch.Tensor,
        most_q: int, most_k: int, *, scale: float,
    ) -> torch.Tensor:  # fmt: skip
        assert of_q.dtype == of_k.dtype == torch.int32
        assert (most_q, most_k) == (int(of_q.diff().max()), int(of_k.diff().max()))
        calls.append((most_q, most_k))
        out = []
        for i in range(len(of_q) - 1):
            own = [part[of[i] : of[i + 1]].transpose(0, 1) for part, of in ((q, of_q), (k, of_k), (v, of_k))]
            weights = (own[0] @ own[1].transpose(1, 2) * scale).softmax(-1)
            out.append((weights @ own[2]).transpose(0, 1))
        return torch.cat(out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "_kernel", lambda: reference)
        patch.setattr(attention, "_has_kernel", lambda q: True)
        got = logits(packed, batch(lengths))
    assert float((got - logits(plain, batch(lengths))).abs().max()) <= 1e-5
    longest = max(lengths)
    assert calls == [(longest, longest)] * 2 + [(1 if first else longest, longest)]


def test_dropout_is_on_in_training_and_off_in_evaluation() -> None:
    packed = model("bert", "ForSequenceClassification", hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3)
    unpadded.install(packed)
    inputs = batch([4, 9])
    assert not torch.equal(packed(**inputs).logits, packed(**inputs).logits)
    packed.eval()
    assert torch.equal(packed(**inputs).logits, packed(**inputs).logits)


@pytest.mark.parametrize("where", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
def test_dropout_reaches_the_last_layer(where: str) -> None:
    packed = model("bert", "ForSequenceClassification", num_hidden_layers=1, **{where: 0.5})
    packed.base_model.embeddings.dropout.p = 0.0
    packed.dropout.p = 0.0
    unpadded.install(packed)
    inputs = batch([4, 9])
    assert not torch.equal(packed(**inputs).logits, packed(**inputs).logits)


class TestAsBefore:
    """Calls that the forward without padding is not for."""

    def test_attentions_and_hidden_states(self) -> None:
        plain = model("bert", "ForTokenClassification").eval()
        packed = copy.deepcopy(plain)
        unpadded.install(packed)
        inputs = batch([3, 7])
        packed.set_attn_implementation("eager")  # transformers gives attentions under this one alone
        one, other = (made(**inputs, output_attentions=True, output_hidden_states=True) for made in (plain, packed))
        assert len(other.attentions) == len(other.hidden_states) - 1 == 3
        assert all(torch.equal(a, b) for a, b in zip(one.attentions, other.attentions, strict=True))
        assert all(torch.equal(a, b) for a, b in zip(one.hidden_states, other.hidden_states, strict=True))

    def test_hidden_states_under_it(self) -> None:
        packed = model("bert", "ForSequenceClassification").eval()
        plain = copy.deepcopy(packed)
        unpadded.install(packed)
        inputs = batch([3, 7])
        states = packed(**inputs, output_hidden_states=True).hidden_states
        expected = plain(**inputs, output_hidden_states=True).hidden_states
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(states, expected, strict=True))

    def test_without_a_mask(self) -> None:
        plain = model("roberta", "ForSequenceClassification").eval()
        packed = copy.deepcopy(plain)
        unpadded.install(packed)
        ids = torch.randint(5, 60, (2, 7))
        assert torch.allclose(plain(ids).logits, packed(ids).logits, atol=1e-6)

    def test_other_models(self) -> None:
        from transformers import BertConfig, BertLMHeadModel, GPT2Config, GPT2LMHeadModel

        gpt = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=9))
        decoder = BertLMHeadModel(BertConfig(**SMALL, is_decoder=True))
        for other in (gpt, decoder):
            before = other.config._attn_implementation
            assert not unpadded.install(other)
            assert other.config._attn_implementation == before

    def test_twice_and_removed(self) -> None:
        packed = model("bert", "ForSequenceClassification").eval()
        plain = copy.deepcopy(packed)
        unpadded.remove(packed)  # nothing to remove
        assert unpadded.install(packed)
        assert unpadded.install(packed)
        unpadded.remove(packed)
        assert not unpadded.installed(packed)
        inputs = batch([3, 7])
        assert torch.equal(packed(**inputs).logits, plain(**inputs).logits)


def test_what_is_saved_knows_nothing_of_it(tmp_path: Path) -> None:
    packed = model("bert", "ForSequenceClassification")
    names = set(packed.state_dict())
    unpadded.install(packed)
    assert set(packed.state_dict()) == names
    packed.save_pretrained(tmp_path)
    again = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert again.config._attn_implementation == "sdpa"
    assert "unpadded" not in (tmp_path / "config.json").read_text()


def test_a_copy_has_its_own(tmp_path: Path) -> None:
    """LoRA merges copies: the layer that was replaced must be the copy's."""
    packed = model("bert", "ForSequenceClassification")
    unpadded.install(packed)
    other = copy.deepcopy(packed)
    with torch.no_grad():
        for parameter in packed.parameters():
            parameter.zero_()
    inputs = batch([3, 7])
    assert float(other(**inputs).logits.abs().max()) > 0
    assert float(packed(**inputs).logits.abs().max()) == 0


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("task", ["classification", "ner", "masked-lm"])
def test_runs_are_the_same_with_and_without(tmp_path: Path, task: str) -> None:
    """In 32 bits and without dropout: the same weights after training, and the same metrics."""
    corpus = {"classification": "sample-sentiment", "ner": "sample-ner", "masked-lm": "sample-raw"}[task]
    overrides = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    overrides |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    results = [
        fine_tune(
            **job(
                tmp_path, task=task, corpus=corpus, output=tmp_path / str(flag), unpadded=flag,
                config_overrides=overrides,
            )
        )
        for flag in (True, False)
    ]  # fmt: skip
    on, off = (result.predictor.model for result in results)
    assert unpadded.installed(on)
    assert not unpadded.installed(off)
    assert largest_difference(*(weights(result.best) for result in results)) < 1e-4
    assert results[0].metrics["loss"] == pytest.approx(results[1].metrics["loss"], rel=1e-4)


def test_a_predictor_runs_without_padding() -> None:
    predictor = Predictor.from_pretrained("ko-tiny-bert", device="cpu")
    plain = Predictor.from_pretrained("ko-tiny-bert", device="cpu", unpadded=False)
    assert unpadded.installed(predictor.model)
    assert not unpadded.installed(plain.model)
    texts = ["이 영화는 [MASK] 재미있다", "[MASK]", "배우들 연기가 [MASK] 어색해서 집중이 [MASK] 않았다"]
    for one, other in zip(predictor(texts), plain(texts), strict=True):
        assert one.text == other.text
        assert [c.score for blank in one.candidates for c in blank] == pytest.approx(
            [c.score for blank in other.candidates for c in blank], rel=1e-4
        )
