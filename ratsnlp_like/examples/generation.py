"""Prompts with their completions, and conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, Self

from ..errors import InputError, did_you_mean
from .base import Example, Place
from .text import TEXT_NAMES
from .values import as_string, is_missing, parse_json


class Message(NamedTuple):
    """A turn of a conversation."""

    role: str
    content: str


class Exchange(NamedTuple):
    """A turn of the user and the response to it, as in the `history` of Alpaca's data."""

    prompt: str
    response: str


@dataclass(frozen=True)
class GenerationExample(Example):
    """A prompt and its completion; None where that is to be generated.

    A text alone is a completion of an empty prompt. The `input` of an instruction (as in Alpaca's data) follows it on a
    line of its own; `system` and `history` come before it. A conversation ends with the turn to train on, or with the
    one to respond to.

    Raises:
        InputError: neither a text, nor a prompt, nor messages.
    """

    aliases: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "prompt": ("prompt", "instruction", "question", "q", "input", "질문", "지시", "명령", "입력"),
        "completion": ("completion", "response", "output", "answer", "a", "답변", "응답", "대답", "출력"),
        "text": TEXT_NAMES,
        "messages": ("messages", "conversation", "conversations", "대화"),
        "input": ("입력",),
    }
    optional: ClassVar[frozenset[str]] = frozenset(
        {"prompt", "completion", "text", "messages", "input", "system", "history"}
    )
    predicted: ClassVar[frozenset[str] | None] = frozenset({"completion"})
    dependent: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "system": ("messages", "prompt"),
        "history": ("prompt",),
        "input": ("prompt",),
    }
    alternatives: ClassVar[tuple[str, ...]] = ("messages", "prompt", "text")

    prompt: str = ""
    completion: str | None = None
    text: str | None = None
    """Only read: a text to train on as a whole."""
    messages: tuple[Message, ...] = ()
    input: str | None = None
    """Only read: the input of an instruction."""
    system: str | None = None
    """System prompt before a prompt; of messages it is their first turn."""
    history: tuple[Exchange, ...] | None = None
    """Earlier turns before a prompt; None in a file that has neither them nor system prompts."""

    @classmethod
    def from_row(cls, row: Mapping[str, Any], place: Place | None = None) -> Self:
        """Return the example of a row; messages are [{"role", "content"}]."""
        if row.get("messages"):
            system = as_string(row.get("system"), "system", place)
            return cls(messages=_with_system(system, _messages(row["messages"], place)), place=place)
        if row.get("prompt") is None and row.get("text") is not None:
            return cls(completion=as_string(row["text"], "text", place), place=place)
        if row.get("prompt") is None:
            raise InputError(
                "the row has no prompt",
                place=place,
                expected="a prompt with its completion, or a text, or messages",
                fix="fill it in or take the row out",
            )
        completion = row.get("completion")
        written = None if completion is None else as_string(completion, "completion", place)
        prompt, about = as_string(row["prompt"], "prompt", place), as_string(row.get("input"), "input", place)
        prompt = f"{prompt}\n{about}" if about.strip() else prompt
        if not {"system", "history"} & row.keys():
            return cls(prompt=prompt, completion=written, place=place)
        system = as_string(row.get("system"), "system", place)
        history = _history(row.get("history"), place)
        return cls(prompt=prompt, completion=written, system=system.strip() or None, history=history, place=place)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the example of an input: a string is a prompt, a list of messages a conversation to respond to."""
        if isinstance(value, str):
            return cls(prompt=value)
        if isinstance(value, (list, tuple)):
            return cls(messages=_messages(value, None))
        return super().of(value).as_input() if isinstance(value, Mapping) else super().of(value)

    def as_input(self) -> Self:
        """Return this example as an input: a text alone, which is trained on as a whole, is a prompt."""
        if self.prompt or self.messages or self.completion is None:
            return self
        return replace(self, prompt=self.completion, completion=None)

    @classmethod
    def is_one(cls, value: Any) -> bool:
        """Return True for one input; a list of messages is one conversation."""
        is_conversation = (
            isinstance(value, (list, tuple))
            and len(value) > 0
            and all(isinstance(item, Mapping) and {"role", "content"} <= set(item) for item in value)
        )
        return is_conversation or super().is_one(value)

    def __str__(self) -> str:
        """Return the input as one line of text: of a conversation its last turn."""
        return self.messages[-1].content if self.messages else self.prompt

    def inputs(self) -> dict[str, Any]:
        """Return the messages of a conversation, or the prompt."""
        if self.messages:
            return {"messages": [message._asdict() for message in self.messages]}
        earlier = {"system": self.system, "history": [list(turns) for turns in self.history or ()]}
        return {"prompt": self.prompt, **{name: value for name, value in earlier.items() if value}}

    def as_conversation(self) -> GenerationExample:
        """Return a prompt with its system prompt, history and completion as messages."""
        turns = [Message("system", self.system)] if self.system else []
        for prompt, response in self.history or ():
            turns += [Message("user", prompt), Message("assistant", response)]
        turns.append(Message("user", self.prompt))
        if self.completion is not None:
            turns.append(Message("assistant", self.completion))
        return type(self)(messages=tuple(turns), place=self.place)

    def as_lines(self) -> GenerationExample:
        """Return a prompt that begins with its system prompt and its history, each on a line of its own."""
        *earlier, _ = self._lines()
        prompt = "\n".join([*earlier, self.prompt])
        return type(self)(prompt=prompt, completion=self.completion, place=self.place)

    def _lines(self) -> list[str]:
        """Return the system prompt, the earlier turns and the prompt."""
        earlier = [text for turns in self.history or () for text in turns]
        return [*filter(None, [self.system]), *earlier, self.prompt]

    @property
    def group(self) -> str:
        """The input: a prompt with what comes before it, all turns but the last, or a text that is alone."""
        if self.group_name is not None:
            return self.group_name
        if self.messages:
            return "\n".join(message.content for message in self.messages[:-1] or self.messages)
        return "\n".join(self._lines()) or self.completion or ""

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to train on: the completion is blank; of a prompt alone, the prompt."""
        if self.messages:
            return any(message.role == "assistant" and not message.content.strip() for message in self.messages)
        return not (self.prompt if self.completion is None else self.completion).strip()

    @property
    def missing(self) -> str | None:
        """`completion`, where it is to be generated."""
        return None if self.messages or self.completion is not None else "completion"


_ROLES = {"human": "user", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "bing": "assistant"}
"""Roles of ShareGPT -> those of chat templates."""
_KNOWN_ROLES = (
    *("system", "user", "assistant", "developer", "tool", "function", "function_call", "observation", "ipython"),
    "model",
)
"""Roles that chat templates render; most of them drop a turn of another role without a word."""


def _turn(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return role and content of a turn; ShareGPT calls them `from` and `value`."""
    if "role" in item or "from" not in item:
        return item.get("role"), _joined(item.get("content"))
    return _ROLES.get(str(item["from"]), item["from"]), item.get("value")


def _joined(content: Any) -> Any:
    """Return the content of a turn that is given as parts of text, as OpenAI's API has them, as one text."""
    if not isinstance(content, list) or not content:
        return content
    texts = [part.get("text") if isinstance(part, Mapping) and part.get("type") == "text" else None for part in content]
    return "".join(map(str, texts)) if None not in texts else content


def _with_system(system: str, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Return a conversation that begins with the system prompt of its row, unless it has one."""
    if not system.strip() or (messages and messages[0].role == "system"):
        return messages
    return (Message("system", system), *messages)


def _messages(given: Any, place: Place | None) -> tuple[Message, ...]:
    given = parse_json(given, place)
    if not isinstance(given, (list, tuple)) or not given:
        raise InputError(
            f"the messages are {str(given)[:60]!r}",
            place=place,
            expected='[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]',
        )
    out = []
    for item in given:
        parts = _turn(item) if isinstance(item, Mapping) else item
        if not isinstance(parts, (list, tuple)) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
            raise InputError(
                f"cannot read the message {str(item)[:80]!r}",
                place=place,
                expected='{"role": "user", "content": "..."}',
            )
        if parts[0] not in _KNOWN_ROLES:
            raise InputError(
                f"unknown role {parts[0][:40]!r} of a message",
                place=place,
                expected="system, user, assistant, or another role of chat templates",
                fix=did_you_mean(parts[0][:40], _KNOWN_ROLES),
            )
        out.append(Message(*parts))
    return tuple(out)


def _history(given: Any, place: Place | None) -> tuple[Exchange, ...]:
    given = parse_json(given, place)
    if is_missing(given) or given == "":
        return ()
    if isinstance(given, (list, tuple)):
        turns = [tuple(item) if isinstance(item, (list, tuple)) else () for item in given]
        if all(len(turn) == 2 and all(isinstance(text, str) for text in turn) for turn in turns):
            return tuple(Exchange(*turn) for turn in turns)
    raise InputError(
        f"the history is {str(given)[:60]!r}",
        place=place,
        expected='a list of pairs, [["an earlier prompt", "its response"]]',
        fix='or write the conversation as messages: [{"role": "user", "content": "..."}, ...]',
    )
