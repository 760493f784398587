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


def test_instructions_with_columns_that_are_not_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    row = {"instruction": "고른다", "input": "국수, 밥", "output": "국수", "system": "짧게", "history": [["가", "나"]]}
    (example,) = read(tmp_path / "a.jsonl", row)
    assert example == GenerationExample("고른다\n국수, 밥", "국수")
    for name in ("system", "history"):
        assert f"the column {name!r} changes the meaning of a row and is not read (rows: 1" in caplog.text


@pytest.mark.parametrize("turn", ["가", ["user"], {"role": "user"}, {"from": "human"}, {"role": 1, "content": "가"}])
def test_turns_that_cannot_be_read(turn: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the message"):
        read(tmp_path / "a.jsonl", {"messages": [turn]})
