"""Windows of language models with every tokenizer: texts, prompts, blanks, masks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import torch
from task_helpers import TOKENIZERS, Facts, Load

from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.base import AnyTask, ExampleCounts
from ratsnlp_like.tasks.causal_lm import CausalLM
from ratsnlp_like.tasks.causal_model import CausalModel
from ratsnlp_like.tasks.language_model import LanguageModel
from ratsnlp_like.tasks.masked_lm import MaskedLM

TASKS_OF_TEXT = [name for name in TASKS if issubclass(TASKS[name], LanguageModel)]
LONG = (
    "아침에 눈을 뜨자마자 창문부터 열었더니 젖은 흙냄새가 방 안으로 밀려 들어왔다. ㅋㅋㅋ 뷁쀍 😀 大韓 BTS 2024\n"
    "냉장고 구석에서 유통기한이 사흘 지난 두부를 발견했는데, 버릴까 말까 한참 고민했다."
)


class Model(NamedTuple):
    """A language model's task with a tokenizer that it can work with."""

    task: AnyTask
    facts: Facts
    tokenizer: Any


@pytest.fixture(
    params=[
        (task, name) for task in TASKS_OF_TEXT for name in TOKENIZERS if TOKENIZERS[name].mask or task != "masked-lm"
    ],
    ids="-".join,
)
def language_model(request: pytest.FixtureRequest, load: Load) -> Model:
    """Every language model with every tokenizer."""
    task, name = request.param
    return Model(TASKS[task](), TOKENIZERS[name], load(name))


def text_example(task: AnyTask, text: str) -> Example:
    """A text without a prompt, as an example of the task."""
    return GenerationExample(completion=text) if task.example is GenerationExample else RawExample(text)


def text_of(window: Mapping[str, Any], before: list[int], after: list[int]) -> list[int]:
    """The ids of a window without special tokens around them."""
    ids = list(window["input_ids"])
    return ids[len(before) : len(ids) - len(after)]


@pytest.mark.parametrize("max_length", [4, 7, 16, 512])
def test_windows_joined_are_the_text(language_model: Model, max_length: int) -> None:
    """Nothing is lost or repeated; for a causal model the end of a text is a token of its own."""
    task, facts, tokenizer = language_model
    before, after = facts.around
    end: list[int] = []
    if isinstance(task, CausalModel):
        after, end = [], [facts.end] if facts.end is not None else []
    whole = tokenizer(LONG, add_special_tokens=False)["input_ids"] + end
    windows = task.encode([text_example(task, LONG), text_example(task, "가")], tokenizer, [], max_length)
    parts = [text_of(window, before, after) for window in windows if window["example"] == 0]
    assert [i for part in parts for i in part] == whole
    assert all(len(part) == len(parts[0]) for part in parts[:-1])  # all full
    assert 1 <= len(parts[-1]) <= len(parts[0])
    assert [window["lost"] for window in windows] == [0] * len(windows)
    second = [i for window in windows if window["example"] == 1 for i in text_of(window, before, after)]
    assert second == tokenizer("가", add_special_tokens=False)["input_ids"] + end


def test_an_empty_text_has_no_window(language_model: Model) -> None:
    task, _, tokenizer = language_model
    texts = [text_example(task, ""), text_example(task, "가"), text_example(task, "")]
    assert [window["example"] for window in task.encode(texts, tokenizer, [], 16)] == [1]


def test_an_empty_prompt_is_an_input(load: Load) -> None:
    for name, ids in (("tiny_bpe_tokenizer", [0]), ("kogpt2-v1", [0]), ("tiny_tokenizer", [2])):
        (window,) = CausalLM().encode_inputs([RawExample("")], load(name), 16)
        assert window["input_ids"] == ids


def test_a_blank_alone_is_an_input(load: Load) -> None:
    for name in TOKENIZERS:
        if TOKENIZERS[name].mask:
            tokenizer, (before, after) = load(name), TOKENIZERS[name].around
            (window,) = MaskedLM().encode_inputs([RawExample("[MASK]")], tokenizer, 16)
            assert text_of(window, before, after)[-1] == tokenizer.mask_token_id


def test_blanks_in_a_long_text(load: Load) -> None:
    """They are predicted window by window, and none is lost."""
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
        MaskedLM().fit(ExampleCounts(2, 0), [], [], load(name))


def test_masked_tokens_are_the_labels(language_model: Model) -> None:
    """Put back, they restore the windows; for a causal model a label is the next token."""
    task, _, tokenizer = language_model
    windows = task.encode([text_example(task, LONG), text_example(task, "가 나")], tokenizer, [], 16)
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
