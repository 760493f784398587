"""Shared by the tests of the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

HEADER = "text\tlabel\n"
ROWS = [(f"{i}번 손님: {'좋아요' if i % 2 else '별로예요'}", "긍정" if i % 2 else "부정") for i in range(40)]


class Outcome(NamedTuple):
    """Exit code and outputs of a command."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


def check_message(outcome: Outcome, *parts: object) -> None:
    """Exit code 2, and one message that holds these parts."""
    assert outcome.code == 2, outcome.err
    assert "Traceback" not in outcome.err
    for part in parts:
        assert str(part) in outcome.err
    messages = [line for line in outcome.err.splitlines() if line.startswith("error: ")]
    assert len(messages) == 1, outcome.err
    rest = outcome.err.split("error: ", 1)[1].splitlines()[1:]
    assert all(line.startswith((" ", "- ")) for line in rest), outcome.err


def read_jsonl(text: str) -> list[dict[str, Any]]:
    """Parse one JSON object per line."""
    return [json.loads(line) for line in text.splitlines()]
