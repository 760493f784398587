"""ModernBERT without padding: rotary positions, windows, pooling; the logits and gradients of the padded forward."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForMaskedLM, ModernBertConfig
from transformers.models.modernbert import modeling_modernbert

from ratsnlp_like.modeling import unpadded
from ratsnlp_like.modeling.losses import gather
from ratsnlp_like.modeling.unpadded import attention as attention_module
from ratsnlp_like.modeling.unpadded.segments import BLOCK

WINDOW = 3
"""Tokens to each side that a query of a sliding layer attends to."""
SMALL: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "pad_token_id": 1,
    "local_attention": 2 * WINDOW,
    "rope_parameters": {  # far apart, so that a layer with those of the other kind is noticed
        "full_attention": {"rope_theta": 500.0, "rope_type": "default"},
        "sliding_attention": {"rope_theta": 7.0, "rope_type": "default"},
    },
}
HEADS = {
    "classification": ("ForSequenceClassification", {"classifier_pooling": "cls"}),
    "classification, mean": ("ForSequenceClassification", {"classifier_pooling": "mean"}),
    "tokens": ("ForTokenClassification", {}),
    "questions": ("ForQuestionAnswering", {}),
    "masked-lm": ("ForMaskedLM", {}),
}
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=7)
GLOBAL, SLIDING = "full_attention", "sliding_attention"


def model(head: str = "tokens", attention: str = "eager", dtype: torch.dtype = torch.float32, **changes: Any) -> Any:
    """Random weights, norms and biases."""
    name, own = HEADS[head]
    torch.manual_seed(5)
    config = ModernBertConfig(**SMALL | own | changes, attn_implementation=attention)
    made = getattr(modeling_modernbert, "ModernBert" + name)(config).train()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return made.to(dtype)


def pair(*arguments: Any, **changes: Any) -> tuple[Any, Any]:
    """A model with padding, and the same one without."""
    plain = model(*arguments, **changes)
    packed = copy.deepcopy(plain)
    assert unpadded.install(packed)
    return plain, packed


def batch(lengths: list[int], *, left: bool = False) -> dict[str, torch.Tensor]:
    """Random ids, padded at the end or at the beginning."""
    longest = max(lengths)
    mask = (torch.arange(longest) < torch.tensor(lengths)[:, None]).long()
    mask = mask.flip(1) if left else mask
    ids = torch.randint(5, 60, mask.shape, generator=torch.Generator().manual_seed(sum(lengths)))
    return {"input_ids": torch.where(mask.bool(), ids, 1), "attention_mask": mask}


def logits(made: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits of a model, 0 for padding."""
    output = made(**inputs)
    out = output.logits if "logits" in output else torch.stack([output.start_logits, output.end_logits], dim=2)
    return out * inputs["attention_mask"][:, :, None] if out.dim() == 3 else out


def same(plain: Any, packed: Any, inputs: dict[str, torch.Tensor], tolerance: float) -> None:
    """Compare logits and gradients."""
    expected, got = logits(plain, inputs), logits(packed, inputs)
    assert got.shape == expected.shape
    assert float((expected - got).abs().max()) <= tolerance
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1), dtype=expected.dtype)
    (expected * weight).sum().backward()
    (got * weight).sum().backward()
    same_gradients(plain, packed, tolerance)


def same_gradients(plain: Any, packed: Any, tolerance: float) -> None:
    largest = max(float(p.grad.abs().max()) for p in plain.parameters() if p.grad is not None)
    for (name, p), (_, q) in zip(plain.named_parameters(), packed.named_parameters(), strict=True):
        assert (p.grad is None) == (q.grad is None), name
        if p.grad is not None:
            assert float((p.grad - q.grad).abs().max()) <= tolerance * max(1.0, largest), name


def layer_outputs(packed: Any) -> list[int]:
    """Record the number of rows that each layer computes."""
    rows: list[int] = []
    for layer in packed.base_model.layers:
        layer.mlp.register_forward_hook(lambda module, given, out: rows.append(out.shape[1]))
    return rows


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("head", HEADS)
@given(lengths=LENGTHS, left=st.booleans())
@settings(max_examples=3)
def test_logits_and_gradients(head: str, attention: str, lengths: list[int], left: bool) -> None:
    left = left and head != "classification"  # with padding, the first column is read, not the first token
    same(*pair(head, attention), batch(lengths, left=left), 1e-5)


@pytest.mark.parametrize("last", [GLOBAL, SLIDING])
@pytest.mark.parametrize("head", HEADS)
def test_in_fp64(head: str, last: str) -> None:
    """The reference is SDPA: eager attention of transformers computes weights in fp32, NaN for padding of fp64."""
    kinds = [GLOBAL, SLIDING, SLIDING, last]
    same(*pair(head, "sdpa", torch.float64, layer_types=kinds), batch([3, 30, 9, 1, 28]), 1e-9)


@pytest.mark.parametrize("last", [GLOBAL, SLIDING])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@given(lengths=LENGTHS, share=st.sampled_from([0.1, 0.5, 1.0]))
@settings(max_examples=4)
def test_masked_language_models_compute_their_last_layer_for_hidden_tokens_alone(
    attention: str, last: str, lengths: list[int], share: float
) -> None:
    plain, packed = pair("masked-lm", attention, layer_types=[GLOBAL, SLIDING, SLIDING, last])
    rows, inputs = layer_outputs(packed), batch(lengths)
    real = inputs["attention_mask"].flatten().nonzero().flatten()
    hidden = real[torch.rand(len(real), generator=torch.Generator().manual_seed(3)) < share]
    hidden = hidden if len(hidden) else real[-1:]
    targets = inputs["input_ids"].flatten()[hidden]
    losses = [gather(made, inputs, hidden).loss(targets) for made in (plain, packed)]
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=1e-5)
    for loss in losses:
        loss.backward()
    same_gradients(plain, packed, 1e-5)
    assert rows == [sum(lengths)] * 3 + [len(hidden)]


def test_sparse_prediction_and_tied_weights() -> None:
    plain, packed = pair("masked-lm", sparse_prediction=True, tie_word_embeddings=True)
    assert packed.decoder.weight is packed.base_model.embeddings.tok_embeddings.weight
    inputs = batch([4, 9])
    labels = torch.full_like(inputs["input_ids"], -100)
    labels[0, 2], labels[1, 7] = 8, 9
    one, other = (made(**inputs, labels=labels) for made in (plain, packed))
    assert one.logits.shape == (2, 60)
    assert torch.allclose(one.logits, other.logits, atol=1e-5)
    one.loss.backward()
    other.loss.backward()
    same_gradients(plain, packed, 1e-5)


@pytest.mark.parametrize(
    ("head", "expected"),
    [("classification", [16, 16, 16, 3]), ("classification, mean", [16] * 4), ("tokens", [16] * 4)],
)
def test_no_layer_sees_padding_and_the_last_one_only_what_is_read(head: str, expected: list[int]) -> None:
    _, packed = pair(head)
    rows = layer_outputs(packed)
    packed(**batch([3, 9, 4]))
    assert rows == expected


def test_a_layer_with_a_window_sees_no_further() -> None:
    """Of one sliding layer, the state of a token depends on those within its window alone."""
    _, packed = pair("tokens", num_hidden_layers=1, layer_types=[SLIDING])
    inputs, other = batch([20, 12]), batch([20, 12])
    other["input_ids"][0, 10] = 5 + (inputs["input_ids"][0, 10] - 4) % 55
    changed = (logits(packed.eval(), inputs) != logits(packed, other)).any(2)
    assert changed.nonzero().tolist() == [[0, column] for column in range(10 - WINDOW, 10 + WINDOW + 1)]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("lengths", [[200], [150, 200, 180, 20], [120, 120]])
def test_long_texts_are_computed_in_blocks(attention: str, lengths: list[int]) -> None:
    plain, packed = pair("tokens", attention)
    calls: list[tuple[int, int]] = []
    name = "_eager" if attention == "eager" else "_fused"
    original = getattr(attention_module, name)

    def recorded(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **options: Any) -> torch.Tensor:
        calls.append((q.shape[2], k.shape[2]))
        return original(q, k, v, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention_module, name, recorded)
        same(plain, packed, batch(lengths), 1e-5)
    block = BLOCK * WINDOW
    assert (block, block + 2 * WINDOW) in calls
    assert max(keys for queries, keys in calls if queries <= block) <= max(block + 2 * WINDOW, 20)


def test_gaps_between_tokens_are_computed_with_padding() -> None:
    """A window counts columns, padding included."""
    plain, packed = pair("tokens")
    inputs = batch([20, 12])
    inputs["attention_mask"][0, 8:11] = 0
    assert torch.equal(logits(plain, inputs), logits(packed, inputs))


def test_given_positions() -> None:
    plain, packed = pair("tokens")
    inputs = batch([20, 12])
    inputs["position_ids"] = torch.randint(0, 40, (2, 20), generator=torch.Generator().manual_seed(2))
    one, other = (made(**inputs).logits * inputs["attention_mask"][:, :, None] for made in (plain, packed))
    assert float((one - other).abs().max()) <= 1e-5
    del inputs["position_ids"]
    assert float((one - logits(packed, inputs)).abs().max()) > 1e-3


def test_given_lengths_are_not_read_from_the_mask(monkeypatch: pytest.MonkeyPatch) -> None:
    _, packed = pair("masked-lm", layer_types=[GLOBAL, SLIDING, GLOBAL, SLIDING])
    inputs, hidden = batch([3, 19, 4]), torch.tensor([1, 19 + 2, 19 + 15, 38 + 3])
    expected = gather(packed.eval(), inputs, hidden).hidden

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the values of a tensor were read")

    with monkeypatch.context() as patch:
        for name in ("tolist", "nonzero", "item", "__bool__"):
            patch.setattr(torch.Tensor, name, refuse)
        got = gather(packed, {**inputs, "lengths": [3, 19, 4], "counts": [1, 2, 1]}, hidden).hidden
    assert torch.equal(got, expected)


@pytest.mark.parametrize("head", ["classification", "tokens"])
def test_the_kernel_of_gpus_has_the_window(head: str) -> None:
    """It is replaced by its definition, text by text; it has no window for some of the queries."""
    plain, packed = pair(head, layer_types=[GLOBAL, SLIDING, GLOBAL, SLIDING])
    windows: list[Any] = []

    def reference(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, of_q: torch.Tensor, of_k: torch.Tensor,
        most_q: int, most_k: int, *, scale: float, window_size: tuple[int, int] = (-1, -1),
    ) -> torch.Tensor:  # fmt: skip
        windows.append(window_size)
        out = []
        for i in range(len(of_q) - 1):
            own = [part[of[i] : of[i + 1]].transpose(0, 1) for part, of in ((q, of_q), (k, of_k), (v, of_k))]
            scores = own[0] @ own[1].transpose(1, 2) * scale
            if window_size[0] >= 0:
                steps = torch.arange(scores.shape[2])
                scores = scores.masked_fill((steps[:, None] - steps).abs() > window_size[0], -torch.inf)
            out.append((scores.softmax(-1) @ own[2]).transpose(0, 1))
        return torch.cat(out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention_module, "_kernel", lambda: reference)
        patch.setattr(attention_module, "_has_kernel", lambda q: True)
        got = logits(packed, batch([19, 30, 5]))
    assert float((got - logits(plain, batch([19, 30, 5]))).abs().max()) <= 1e-5
    none, some = (-1, -1), (WINDOW, WINDOW)
    assert windows == [none, some, none, *([some] if head == "tokens" else [])]


def test_dropout_is_on_in_training() -> None:
    for name in ("attention_dropout", "mlp_dropout", "embedding_dropout"):
        _, packed = pair("tokens", **{name: 0.5})
        inputs = batch([4, 9])
        assert not torch.equal(packed(**inputs).logits, packed(**inputs).logits), name
        packed.eval()
        assert torch.equal(packed(**inputs).logits, packed(**inputs).logits), name


def test_adapters_on_the_fused_projection() -> None:
    """The kept tokens alone have queries, and go through the adapter."""
    peft = pytest.importorskip("peft")
    plain = model("classification", attention_bias=True)
    adapted = peft.get_peft_model(plain, peft.LoraConfig(target_modules=["Wqkv", "Wo"], init_lora_weights=False))
    inputs = batch([4, 9, 30])
    expected = adapted(**inputs).logits
    assert unpadded.install(adapted.get_base_model())
    assert float((adapted(**inputs).logits - expected).abs().max()) <= 1e-5


def test_biases_of_the_fused_projection() -> None:
    same(*pair("classification", attention_bias=True, mlp_bias=True, norm_bias=True), batch([4, 30]), 1e-5)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("last", [GLOBAL, SLIDING])
def test_the_last_layer_for_first_tokens_of_the_padded_forward(head: str, last: str) -> None:
    plain = model(head, layer_types=[GLOBAL, SLIDING, SLIDING, last]).eval()
    inputs = batch([4, 30, 7])
    expected, rows = logits(plain, inputs), layer_outputs(plain)
    with unpadded.first_alone(plain):
        got = logits(plain, inputs)
    assert float((got - expected).abs().max()) <= 1e-5
    assert rows == [30, 30, 30, 1 if head == "classification" else 30]


def test_attentions_are_those_of_transformers() -> None:
    plain, packed = pair("tokens")
    inputs = batch([3, 7])
    one, other = (made.eval()(**inputs, output_attentions=True, output_hidden_states=True) for made in (plain, packed))
    assert len(other.attentions) == len(other.hidden_states) - 1 == 4
    assert all(torch.equal(a, b) for a, b in zip(one.attentions, other.attentions, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(one.hidden_states, other.hidden_states, strict=True))


def test_removed_and_saved(tmp_path: Any) -> None:
    plain, packed = pair("masked-lm")
    packed.save_pretrained(tmp_path)
    again = AutoModelForMaskedLM.from_pretrained(tmp_path, attn_implementation="eager")
    unpadded.remove(packed)
    assert not unpadded.installed(packed)
    inputs = batch([3, 7])
    expected = logits(plain.eval(), inputs)
    assert torch.equal(logits(packed.eval(), inputs), expected)
    assert torch.equal(logits(again.eval(), inputs), expected)
