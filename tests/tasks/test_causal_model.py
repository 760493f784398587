"""Generation with causal models: greedy, sampled, options and limits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from helpers_language_models import model

from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.causal_model import Generated


class TestGenerate:
    PROMPTS = ("김민준은", "영화가 정말 재미있어요 다시", "물")

    @pytest.fixture
    def bytes_predictor(self, tiny_bpe_tokenizer: Any) -> Predictor:
        made = model("gpt2", vocab_size=len(tiny_bpe_tokenizer)).eval()
        return Predictor(CausalLM(max_new_tokens=8), made, tiny_bpe_tokenizer, [], max_length=32)

    def test_greedy_decoding_equals_that_of_each_prompt_alone(self, bytes_predictor: Predictor) -> None:
        """Prompts of different lengths share a batch; nothing of that shows in what is written."""
        found = bytes_predictor(list(self.PROMPTS), sample=False)
        for prompt, one in zip(self.PROMPTS, found, strict=True):
            ids = bytes_predictor.tokenizer(prompt, return_tensors="pt")["input_ids"]
            with torch.inference_mode():
                alone = bytes_predictor.model.generate(
                    ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=8, pad_token_id=0
                )
            whole = bytes_predictor.tokenizer.decode(alone[0], skip_special_tokens=True)
            assert whole.startswith(prompt)
            assert isinstance(one, Generated)
            assert (one.text, one.continuations) == (whole, (whole[len(prompt) :],))
        assert len({one.continuations for one in found}) > 1

    def test_the_seed(self, bytes_predictor: Predictor) -> None:
        def texts(seed: int) -> list[str]:
            return [one.text for one in bytes_predictor(list(self.PROMPTS), generation_seed=seed)]

        state = torch.random.get_rng_state()
        assert texts(1) == texts(1)
        assert len({tuple(texts(seed)) for seed in range(5)}) > 1
        assert torch.equal(torch.random.get_rng_state(), state)  # the caller's random numbers are the caller's

    def test_several_continuations(self, bytes_predictor: Predictor) -> None:
        found = bytes_predictor(list(self.PROMPTS), continuations=3, temperature=2.0)
        assert [len(one.continuations) for one in found] == [3, 3, 3]
        assert len(set(found[0].continuations)) > 1
        assert all(one.text == p + one.continuations[0] for one, p in zip(found, self.PROMPTS, strict=True))
        beams = bytes_predictor(self.PROMPTS[0], continuations=3, sample=False, num_beams=3)
        assert len(set(beams.continuations)) == 3

    def certain(self, bytes_predictor: Predictor, token: int) -> Predictor:
        """A model that writes one token for ever: the head is tied to the embeddings, so the last norm points there."""
        made = bytes_predictor.model
        with torch.no_grad():
            made.transformer.ln_f.weight.zero_()
            made.transformer.ln_f.bias.copy_(1000 * made.transformer.wte.weight[token])
        return bytes_predictor

    def test_the_end_token_stops(self, bytes_predictor: Predictor) -> None:
        found = self.certain(bytes_predictor, 0)(list(self.PROMPTS), sample=False)
        assert [one.continuations for one in found] == [("",)] * 3
        longer = bytes_predictor(self.PROMPTS[0], sample=False, min_new_tokens=2, max_new_tokens=5)
        assert longer.continuations[0]

    def test_number_of_tokens(self, bytes_predictor: Predictor) -> None:
        (letter,) = bytes_predictor.tokenizer("a")["input_ids"]
        found = self.certain(bytes_predictor, letter)
        assert found("물", max_new_tokens=5).continuations == ("aaaaa",)
        assert found("물", max_new_tokens=1).text == "물a"
        assert found("물", max_new_tokens=6, no_repeat_ngram_size=2).continuations[0][:2] == "aa"
        assert found("물", max_new_tokens=6, no_repeat_ngram_size=2).continuations[0] != "aaaaaa"

    def test_options_reach_transformers(self, bytes_predictor: Predictor) -> None:
        task = CausalLM(top_k=3, temperature=0.5, repetition_penalty=1.2, num_beams=2, continuations=2)
        made = task.generation_config(bytes_predictor.model.config)
        assert (made.do_sample, made.top_k, made.top_p, made.temperature) == (True, 3, 1.0, 0.5)
        assert (made.repetition_penalty, made.num_beams, made.num_return_sequences) == (1.2, 2, 2)
        assert (made.eos_token_id, made.pad_token_id) == (0, 0)
        usual = CausalLM().generation_config(bytes_predictor.model.config)
        assert (usual.top_k, usual.top_p, usual.temperature, usual.max_new_tokens) == (0, 0.9, 1.0, 48)
        assert CausalLM(sample=False).generation_config(bytes_predictor.model.config).do_sample is False

    @pytest.mark.parametrize("values", [{"suppress_tokens": list(range(50, 250))}, {"output_hidden_states": "yes"}])
    def test_generation_config_of_the_model_is_not_read(
        self, bytes_predictor: Predictor, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any]
    ) -> None:
        from transformers import GenerationConfig

        options = {"max_new_tokens": 5, "sample": False}
        usual = bytes_predictor("오늘은", **options)
        own = GenerationConfig(**values)
        monkeypatch.setattr(bytes_predictor.model, "generation_config", own)
        assert bytes_predictor("오늘은", **options) == usual
        assert bytes_predictor.model.generation_config is own

    def test_sampling_from_one_token_is_greedy(self, bytes_predictor: Predictor) -> None:
        greedy = bytes_predictor(list(self.PROMPTS), sample=False)
        for options in ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-4}):
            assert bytes_predictor(list(self.PROMPTS), **options) == greedy

    def test_more_tokens_than_positions(self, bytes_predictor: Predictor) -> None:
        """64 positions; 물 is three bytes, hence as many tokens at most."""
        size = len(bytes_predictor.tokenizer("물")["input_ids"])
        assert bytes_predictor("물", sample=False, max_new_tokens=64 - size).text.startswith("물")
        with pytest.raises(InputError, match=f"prompt of {size} tokens and {65 - size} new ones") as caught:
            bytes_predictor("물", sample=False, max_new_tokens=65 - size)
        assert caught.value.place == "--max_new_tokens"
        assert caught.value.fix == f"--max_new_tokens {64 - size}"

    def test_a_prompt_longer_than_the_window(self, bytes_predictor: Predictor) -> None:
        with pytest.raises(InputError, match=r"the prompt has \d+ tokens: '뷁뷁") as caught:
            bytes_predictor("뷁" * 11)  # 33 bytes that no merge joins
        assert "at most 32" in str(caught.value)
        assert bytes_predictor("뷁" * 10 + "ab", max_new_tokens=1).text.startswith("뷁")

    def test_rows(self, bytes_predictor: Predictor) -> None:
        (row,) = bytes_predictor.with_options(continuations=2).rows(["물"])
        assert (row["text"], len(row["continuations"])) == ("물", 2)
        assert row["generated"] == "물" + row["continuations"][0]

    def test_white_space_at_the_end_of_a_prompt(self, bytes_predictor: Predictor) -> None:
        assert bytes_predictor("물 ", sample=False).text.startswith("물 ")

    def test_an_empty_prompt(self, bytes_predictor: Predictor) -> None:
        found = bytes_predictor("", sample=False)
        assert found.text == found.continuations[0] != ""
