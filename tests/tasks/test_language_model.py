"""Language models: loss, likelihood and perplexity; what is refused before training."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import write
from helpers_language_models import MODELS, TEXTS, batch_for, everywhere, model, plain_loss, raw
from torch.nn import functional as F

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.errors import InputError, with_article
from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.masked_lm import MaskedLM


class TestLoss:
    @pytest.fixture(params=MODELS)
    def name(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture
    def batch(self, name: str, tiny_tokenizer: Any, tiny_bpe_tokenizer: Any) -> dict[str, Any]:
        return batch_for(name, tiny_bpe_tokenizer if name == "gpt2" else tiny_tokenizer)

    def gradients(self, made: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
        made.zero_grad()
        loss.backward()
        return {n: p.grad.clone() for n, p in made.named_parameters() if p.grad is not None}

    def test_it_is_cross_entropy_over_the_hidden_tokens(self, name: str, batch: dict[str, Any]) -> None:
        made = model(name)
        loss, plain = MODELS[name].loss(made, batch), plain_loss(made, batch)
        assert float(loss) == pytest.approx(float(plain), rel=1e-5)
        assert float(plain) > 1  # of random weights
        ours, theirs = self.gradients(made, loss), self.gradients(made, plain)
        assert ours.keys() == theirs.keys()
        for parameter, gradient in theirs.items():
            torch.testing.assert_close(ours[parameter], gradient, rtol=1e-4, atol=1e-6, msg=parameter)

    def test_the_model_is_unchanged(self, name: str, batch: dict[str, Any]) -> None:
        made = model(name)
        inputs = {n: batch[n] for n in ("input_ids", "attention_mask")}
        before = made(**inputs).logits
        MODELS[name].loss(made, batch)
        assert torch.equal(made(**inputs).logits, before)
        assert not any(module._forward_hooks or module._forward_pre_hooks for module in made.modules())

    def test_likelihoods(self, name: str, batch: dict[str, Any]) -> None:
        """Of each window: the sum of its losses, its targets, and how many of them are ranked first."""
        made = model(name).eval()
        with torch.inference_mode():
            output = MODELS[name].evaluate_batch(made, batch)
            logits = made(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
        labels = everywhere(batch).view(batch["input_ids"].shape)
        assert len(output.raw) == len(labels)
        for found, row, wanted in zip(output.raw, logits, labels, strict=True):
            at = wanted != -100
            expected = F.cross_entropy(row[at], wanted[at], reduction="sum")
            assert found.loss == pytest.approx(float(expected), rel=1e-5)
            assert (found.targets, found.correct) == (int(at.sum()), int((row[at].argmax(1) == wanted[at]).sum()))
        assert output.targets == len(batch["labels"])
        assert float(output.loss) == pytest.approx(float(plain_loss(made, batch)), rel=1e-5)

    def test_perplexity(self, name: str, batch: dict[str, Any]) -> None:
        """exp of all losses over all targets: a text with many of them weighs more."""
        made, task = model(name).eval(), MODELS[name]
        with torch.inference_mode():
            output = task.evaluate_batch(made, batch)
        found = [task.decode(RawExample(""), [Window({}, likelihood)], []) for likelihood in output.raw]
        scores = task.score(found, [RawExample("")] * len(found), [])
        assert scores["perplexity"] == pytest.approx(math.exp(float(plain_loss(made, batch))), rel=1e-4)
        assert scores["targets"] == len(batch["labels"])

    def test_perplexity_is_that_of_transformers(self, tiny_bpe_tokenizer: Any) -> None:
        """One text in one window, and in several, whose first tokens are no targets."""
        made, text = model("gpt2").eval(), TEXTS[0]
        ids = torch.tensor([[*tiny_bpe_tokenizer(text)["input_ids"], 0]])
        assert ids.shape[1] > 12
        for length in (64, 6):
            features = CausalLM().encode(raw([text]), tiny_bpe_tokenizer, [], length)
            with torch.inference_mode():
                likelihoods = CausalLM().evaluate_batch(made, CausalLM().collate(features, tiny_bpe_tokenizer)).raw
                parts = [part for part in ids.split(length, dim=1) if part.shape[1] > 1]
                losses = [made(part, labels=part).loss * (part.shape[1] - 1) for part in parts]
            windows = [Window(f, r) for f, r in zip(features, likelihoods, strict=True)]
            found = CausalLM().decode(RawExample(text), windows, [])
            targets = ids.shape[1] - len(features)
            expected = math.exp(float(sum(losses)) / targets)
            assert CausalLM().score([found], raw([text]), [])["perplexity"] == pytest.approx(expected, rel=1e-4)

    def test_a_window_of_one_token_has_no_target(self, tiny_bpe_tokenizer: Any) -> None:
        batch = CausalLM().collate([{"input_ids": [5]}], tiny_bpe_tokenizer)
        loss = CausalLM().loss(made := model("gpt2"), batch)
        assert float(loss) == 0
        loss.backward()
        assert all(bool(p.grad.isfinite().all()) for p in made.parameters() if p.grad is not None)
        output = CausalLM().evaluate_batch(made, batch)
        assert (output.targets, asdict(output.raw[0])) == (0, {"loss": 0, "targets": 0, "correct": 0})


class TestRefused:
    @pytest.mark.parametrize(
        ("fields", "flag"),
        [
            ({"max_new_tokens": 0}, "--max_new_tokens"),
            ({"min_new_tokens": -1}, "--min_new_tokens"),
            ({"min_new_tokens": 9, "max_new_tokens": 8}, "--min_new_tokens"),
            ({"temperature": 0.0}, "--temperature"),
            ({"temperature": -1.0}, "--temperature"),
            ({"top_k": 0}, "--top_k"),
            ({"top_p": 0.0}, "--top_p"),
            ({"top_p": 1.1}, "--top_p"),
            ({"repetition_penalty": 0.0}, "--repetition_penalty"),
            ({"no_repeat_ngram_size": -1}, "--no_repeat_ngram_size"),
            ({"num_beams": 0}, "--num_beams"),
            ({"continuations": 0}, "--continuations"),
            ({"generation_seed": -1}, "--generation_seed"),
            ({"generation_seed": 2**63}, "--generation_seed"),
            ({"sample": False, "top_k": 3}, "--top_k"),
            ({"sample": False, "top_p": 0.5}, "--top_p"),
            ({"sample": False, "temperature": 0.5}, "--temperature"),
            ({"sample": False, "continuations": 2}, "--continuations"),
            ({"sample": False, "continuations": 4, "num_beams": 3}, "--continuations"),
        ],
        ids=str,
    )
    def test_generation(self, fields: dict[str, Any], flag: str) -> None:
        with pytest.raises(InputError) as caught:
            CausalLM(**fields)
        assert flag in str(caught.value)

    def test_all_at_once(self) -> None:
        with pytest.raises(InputError) as caught:
            CausalLM(top_k=0, top_p=2.0, num_beams=0)
        assert all(flag in str(caught.value) for flag in ("--top_k", "--top_p", "--num_beams"))

    @pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5])
    def test_mask_share(self, share: float) -> None:
        with pytest.raises(InputError, match="--mask_share"):
            MaskedLM(mask_share=share)

    def test_candidates(self) -> None:
        with pytest.raises(InputError, match="--candidates"):
            MaskedLM(candidates=0)

    @pytest.mark.parametrize("name", ["bert", "roberta", "electra"])
    def test_an_encoder_is_refused(self, name: str) -> None:
        with pytest.raises(InputError, match=f"{with_article(name)} does not generate text") as caught:
            CausalLM().check_model(model(name).config)
        assert "--task masked-lm" in str(caught.value)
        CausalLM().check_model(model("gpt2").config)

    def test_a_decoder_of_berts_kind_writes(self) -> None:
        CausalLM().check_model(model("bert", is_decoder=True).config)

    def test_blanks_with_the_tokenizer_of_a_gpt(self, tiny_bpe_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="--task causal-lm for a GPT"):
            MaskedLM().check_tokenizer(tiny_bpe_tokenizer)

    @pytest.mark.parametrize("name", ["masked-lm", "causal-lm"])
    def test_an_option_of_training(self, name: str, tiny_tokenizer: Any) -> None:
        """Prediction does not change what a model was trained for."""
        predictor = Predictor(TASKS[name](), None, tiny_tokenizer, [])
        for option in ("normalization", "mask_share", "unknown"):
            with pytest.raises(InputError, match=f"unknown option '{option}'"):
                predictor("[MASK]", **{option: 1})


def test_a_gpt_is_no_masked_lm_even_with_a_mask_token() -> None:
    """KoGPT2 v2 has `<mask>`."""
    from transformers import BertConfig, ElectraConfig, GPT2Config, RobertaConfig

    for kind in (BertConfig, ElectraConfig, RobertaConfig):
        MaskedLM().check_model(kind())
    with pytest.raises(InputError, match="--task masked-lm: the checkpoint is a gpt2") as caught:
        MaskedLM().check_model(GPT2Config())
    assert "--task causal-lm" in str(caught.value)


@pytest.mark.parametrize("has_head", [True, False])
def test_a_randomly_initialised_head_is_reported(
    has_head: bool, tmp_path: Path, tiny_tokenizer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM, BertForSequenceClassification

    from ratsnlp_like.checkpoints.model import load_model

    monkeypatch.setattr("ratsnlp_like.checkpoints.base.log.propagate", True)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(tiny_tokenizer), **sizes)
    (BertForMaskedLM if has_head else BertForSequenceClassification)(config).save_pretrained(tmp_path)
    load_model(tmp_path, BertConfig.from_pretrained(tmp_path), AutoModelForMaskedLM, vocabulary=len(tiny_tokenizer))
    assert ("has no head for language modelling" in caplog.text) is not has_head


def test_raw_text_of_squad_is_its_contexts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.corpora.columns.log.propagate", True)
    caplog.set_level("INFO", "ratsnlp_like")
    question = {"id": "1", "question": "누가?", "answers": [{"text": "비", "answer_start": 0}]}
    article = {"title": "날씨", "paragraphs": [{"context": "비가 왔다.", "qas": [question]}]}
    path = write(tmp_path / "a.json", json.dumps({"data": [article]}))
    (example,) = FileCorpus(file=path, kind=RawExample).examples(tmp_path, "train")
    assert str(example) == "비가 왔다."
    assert f"{path}: the text is read from 'context', not from 'title' (--text_column)." in caplog.text


def test_a_column_of_another_field_is_not_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ratsnlp_like.examples.generation import GenerationExample

    monkeypatch.setattr("ratsnlp_like.corpora.columns.log.propagate", True)
    caplog.set_level("INFO", "ratsnlp_like")
    path = write(tmp_path / "a.csv", "instruction,input,output\n요약해,가나,가\n")
    (example,) = FileCorpus(file=path, kind=GenerationExample).examples(tmp_path, "train")
    assert str(example) == "요약해\n가나"
    assert "is read from" not in caplog.text


def test_a_corpus_without_text_names_those_with_text() -> None:
    from ratsnlp_like.corpora.opening import open_corpus

    with pytest.raises(InputError, match=r"'sample-qa' .* has no column of bare text") as caught:
        open_corpus("sample-qa", RawExample, "tokenizer")
    assert {"sample-raw", "nsmc"} <= set(str(caught.value).replace(",", " ").split())
    assert "--task" not in str(caught.value)
