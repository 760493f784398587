"""Prompts and conversations: roles of ShareGPT, system prompts, instructions with inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.generation import GenerationExample, Message


def read(path: Path, *rows: dict[str, Any]) -> list[Any]:
    write(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return list(open_corpus(path, GenerationExample, "generation").examples(path.parent, "train"))


CHAT = (Message("user", "점심 뭐 먹지?"), Message("assistant", "국수 어때요?"))


@pytest.mark.parametrize("human", ["human", "user"])
@pytest.mark.parametrize("assistant", ["gpt", "chatgpt", "assistant"])
def test_turns_of_sharegpt(human: str, assistant: str, tmp_path: Path) -> None:
    turns = [{"from": human, "value": CHAT[0].content}, {"from": assistant, "value": CHAT[1].content}]
    (example,) = read(tmp_path / "a.jsonl", {"id": "c", "conversations": turns})
    assert example == GenerationExample(messages=CHAT)


def test_the_system_prompt_of_a_row_begins_its_conversation(tmp_path: Path) -> None:
    turns = [message._asdict() for message in CHAT]
    system = Message("system", "짧게 답한다.")
    with_column, within = read(
        tmp_path / "a.jsonl",
        {"system": system.content, "messages": turns},
        {"system": "무시된다", "messages": [system._asdict(), *turns]},
    )
    assert with_column == within == GenerationExample(messages=(system, *CHAT))


ALPACA = {
    "instruction": "고른다",
    "input": "국수, 밥",
    "output": "국수",
    "system": "짧게",
    "history": [["뭐 먹지?", "글쎄요"]],
}


def test_what_comes_before_an_instruction(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bare = {**ALPACA, "system": "", "history": None}
    first, second = read(tmp_path / "a.jsonl", ALPACA, bare)
    assert first.as_conversation().messages == (
        Message("system", "짧게"),
        Message("user", "뭐 먹지?"),
        Message("assistant", "글쎄요"),
        Message("user", "고른다\n국수, 밥"),
        Message("assistant", "국수"),
    )
    assert first.as_lines() == GenerationExample("짧게\n뭐 먹지?\n글쎄요\n고른다\n국수, 밥", "국수")
    assert second.history == ()  # all rows of a file are encoded alike
    assert [message.role for message in second.as_conversation().messages] == ["user", "assistant"]
    assert "is not read" not in caplog.text
    for example in (first, second, *read(tmp_path / "b.jsonl", {"prompt": "가", "completion": "나"})):
        assert GenerationExample.from_json(example.to_json()) == example


@pytest.mark.parametrize("history", ["어제", [["가"]], [["가", 1]], [{"role": "user", "content": "가"}]])
def test_a_history_that_is_no_pairs(history: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the history is"):
        read(tmp_path / "a.jsonl", {**ALPACA, "history": history})


def test_groups_of_a_cut_are_inputs(tmp_path: Path) -> None:
    turns = [message._asdict() for message in CHAT]
    other = [{"role": "user", "content": "저녁은?"}, turns[1]]
    chats = read(tmp_path / "a.jsonl", {"messages": turns}, {"messages": other}, {"messages": [*turns, *other]})
    texts = read(tmp_path / "b.jsonl", {"text": "비가 온다"}, {"text": "눈이 온다"}, {"text": "비가 온다"})
    prompts = read(tmp_path / "c.jsonl", ALPACA, {**ALPACA, "history": []}, {**ALPACA, "output": "밥"})
    for examples, distinct in ((chats, 3), (texts, 2), (prompts, 2)):
        assert len({example.group for example in examples}) == distinct


def test_turns_in_parts_of_text(tmp_path: Path) -> None:
    parts = [{"type": "text", "text": "점심 "}, {"type": "text", "text": "뭐 먹지?"}]
    (example,) = read(tmp_path / "a.jsonl", {"messages": [{"role": "user", "content": parts}, CHAT[1]._asdict()]})
    assert example == GenerationExample(messages=CHAT)
    image = [{"type": "image_url", "image_url": "x"}]
    with pytest.raises(InputError, match="cannot read the message"):
        read(tmp_path / "b.jsonl", {"messages": [{"role": "user", "content": image}]})


@pytest.mark.parametrize("turn", ["가", ["user"], {"role": "user"}, {"from": "human"}, {"role": 1, "content": "가"}])
def test_turns_that_cannot_be_read(turn: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the message"):
        read(tmp_path / "a.jsonl", {"messages": [turn]})
