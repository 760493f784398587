"""Text generation: what is written after a prompt, as the next turn of a conversation, or out of nothing.

Only the completion is learnt; a prompt is read. What a model writes is set when it is asked (`predict --top_k 50`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from ..examples import Example, GenerationExample
from ..registry import TASKS
from .base import Features
from .language_model import CausalModel, parts


@dataclass(frozen=True)
class Generation(CausalModel[GenerationExample]):
    """Learn to write on: from prompts, from texts, or in conversations (through the tokenizer's chat template)."""

    name: ClassVar[str] = "generation"
    description: ClassVar[str] = "write on from a prompt: prompt, completion; or text; or messages"
    example: ClassVar[type[Example]] = GenerationExample

    def encode(
        self, examples: Sequence[GenerationExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; `learn` is 1 for the tokens of the completion, and for the end behind it.

        A text longer than the window goes on in further ones; of a completion the rest is lost.

        Raises:
            InputError: a prompt leaves no room in the window, or there is no chat template for messages.
        """
        before, end, room = self.frame(tokenizer, max_length)
        prompts = self.tokenize([example.prompt for example in examples], tokenizer, offsets=False)
        completions = self.tokenize([example.completion or "" for example in examples], tokenizer, offsets=False)
        out: list[Features] = []
        for i, (example, (_, (prompt, _)), (_, (completion, _))) in enumerate(
            zip(examples, prompts, completions, strict=True)
        ):
            if labels is None:
                ids = _conversation(example, tokenizer)[0] if example.messages else before + prompt
                out.append(self.prompt(ids, example.prompt, example, tokenizer, max_length) | {"example": i, "lost": 0})
            elif example.messages:
                out += _cut(*_conversation(example, tokenizer, learning=True), example, i, max_length)
            elif prompt:
                ids = [*before, *prompt, *completion, *end]
                learn = [0] * (len(before) + len(prompt)) + [1] * (len(completion) + len(end))
                out += _cut(ids, learn, example, i, max_length)
            else:
                whole = [*completion, *end] if completion else []
                for start, stop in parts(len(whole), room, asked=False):
                    learn = [0] * len(before) + [1] * (stop - start)
                    out.append({"input_ids": before + whole[start:stop], "learn": learn, "example": i, "lost": 0})
        return out


def _cut(ids: list[int], learn: list[int], example: GenerationExample, i: int, max_length: int) -> list[Features]:
    """One window, whose end is cut off where it is too long."""
    if not any(learn[:max_length]):
        raise InputError(
            f"the prompt alone has {learn.index(1) if 1 in learn else len(learn)} tokens: {example.prompt[:60]!r}",
            place=example.place,
            expected=f"less than {max_length}, so that some of the completion is learnt",
            fix="a longer --max_length, or a shorter prompt",
        )
    lost = max(0, len(ids) - max_length)
    return [{"input_ids": ids[:max_length], "learn": learn[:max_length], "example": i, "lost": lost}]


def _conversation(example: GenerationExample, tokenizer: Any, *, learning: bool = False) -> tuple[list[int], list[int]]:
    """The ids of a conversation, and which of them the assistant says; opened for its next turn when it is asked.

    Templates tell roles apart in ways of their own: what a turn adds is what the conversation with it has more than
    the one before it, opened for the assistant.
    """
    if not tokenizer.chat_template:
        raise InputError(
            "the tokenizer of this checkpoint has no chat template",
            place=example.place,
            expected="a checkpoint made for conversations",
            fix="write prompt and completion instead of messages, or set tokenizer.chat_template",
        )
    turns = [{"role": role, "content": content} for role, content in example.messages]
    if not learning:
        return _ids(tokenizer, turns, opened=True), []
    ids = _ids(tokenizer, turns, opened=False)
    learn: list[int] = []
    for k, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        opened, closed = _ids(tokenizer, turns[:k], opened=True), _ids(tokenizer, turns[: k + 1], opened=False)
        if closed[: len(opened)] != opened or ids[: len(closed)] != closed:
            raise InputError(
                "the chat template writes a turn otherwise when others follow it, so that it cannot be learnt",
                place=example.place,
                fix="one example for each turn of the assistant, each ending with it",
            )
        learn += [0] * (len(opened) - len(learn)) + [1] * (len(closed) - len(opened))
    if 1 not in learn:
        raise InputError("no message is the assistant's", place=example.place, expected='"role": "assistant"')
    return ids, learn + [0] * (len(ids) - len(learn))


def _ids(tokenizer: Any, turns: list[dict[str, str]], *, opened: bool) -> list[int]:
    made: Any = tokenizer.apply_chat_template(turns, add_generation_prompt=opened, tokenize=True)
    return list(made["input_ids"] if isinstance(made, Mapping) else made)


TASKS.register("generation", Generation)
