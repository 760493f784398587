"""Chat templates for tokenizers without one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import job, write

from ratsnlp_like.checkpoints.chat_templates import set_chat_template
from ratsnlp_like.errors import InputError
from ratsnlp_like.training.finetune import fine_tune

TURNS = [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "네"}]
CHATML = "<|im_start|>user\n안녕<|im_end|>\n<|im_start|>assistant\n네<|im_end|>\n"


def test_chatml(tiny_bpe_tokenizer: Any) -> None:
    before, config = len(tiny_bpe_tokenizer), SimpleNamespace(eos_token_id=0)
    for _ in range(2):  # a second time adds nothing
        set_chat_template(tiny_bpe_tokenizer, config, "chatml")
        assert len(tiny_bpe_tokenizer) == before + 2
        assert config.eos_token_id == [0, before + 1]
    assert tiny_bpe_tokenizer.apply_chat_template(TURNS, tokenize=False) == CHATML
    opened = tiny_bpe_tokenizer.apply_chat_template(TURNS[:1], tokenize=False, add_generation_prompt=True)
    assert opened.endswith("<|im_end|>\n<|im_start|>assistant\n")


def test_tokens_that_are_not_trained(tiny_bpe_tokenizer: Any) -> None:
    config = SimpleNamespace(eos_token_id=0)
    with pytest.raises(InputError, match=r"lacks <\|im_start\|> and <\|im_end\|>, and --lora does not train"):
        set_chat_template(tiny_bpe_tokenizer, config, "chatml", frozen=True)
    set_chat_template(tiny_bpe_tokenizer, config, "chatml")
    set_chat_template(tiny_bpe_tokenizer, config, "chatml", frozen=True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "no such file"),
        ("{% for message in %}", "no chat template"),
        ("안내문", "does not write the content of messages"),
    ],
)
def test_bad_files(content: str | None, problem: str, tmp_path: Path, tiny_bpe_tokenizer: Any) -> None:
    path = tmp_path / "template.jinja"
    if content is not None:
        write(path, content)
    with pytest.raises(InputError, match=problem):
        set_chat_template(tiny_bpe_tokenizer, SimpleNamespace(eos_token_id=0), str(path))


@pytest.mark.slow
def test_a_model_is_trained_on_conversations_and_keeps_the_template(tmp_path: Path) -> None:
    corpus = write(
        tmp_path / "talk.jsonl",
        "".join(
            f'{{"messages": [{{"role": "user", "content": "안녕 {i}"}}, {{"role": "assistant", "content": "네"}}]}}\n'
            for i in range(6)
        ),
    )
    template = "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\\n' }}{% endfor %}"
    template += "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    own = {"task": "generation", "corpus": corpus, "checkpoint": "ko-tiny-gpt", "max_steps": 1, "limit_train": 4}
    own |= {"config_overrides": {"n_layer": 1}, "eval_prompts": 0, "baselines": False}
    path = write(tmp_path / "template.jinja", template)
    result = fine_tune(**job(tmp_path, **own, chat_template=str(path)))
    assert result.predictor.tokenizer.chat_template == template
    assert result.predictor([[{"role": "user", "content": "안녕"}]], max_new_tokens=2)
