"""Conversations as token ids, through the chat template of a tokenizer."""

from __future__ import annotations

from ..errors import InputError
from ..examples.generation import GenerationExample
from ..runtime.types import TokenizerLike
from ..text.tokens import CUT, mark_special_tokens, tokenize_parts

_REPLY = "네"
"""A possible beginning of a turn, to see how a tokenizer cuts the text before one."""


def encode_conversation(example: GenerationExample, tokenizer: TokenizerLike) -> tuple[list[int], list[int]]:
    """Return the ids of a conversation, and 1 for each that is the assistant's, else 0.

    Templates mark roles in different ways: a turn of the assistant is the difference between the conversation that
    ends with it and the one before it, opened for the assistant. A token that begins before the turn and ends in it
    belongs to it.

    Raises:
        InputError: there is no chat template, it writes a turn differently when others follow, or no message is the
            assistant's.
    """
    turns = _turns(example, tokenizer)
    parts = _render(tokenizer, turns, opened=False)
    whole, (ids, offsets) = "".join(parts), tokenize_parts(tokenizer, parts)
    targets = [0] * len(ids)
    for k, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        opened = "".join(_render(tokenizer, turns[:k], opened=True))
        closed = "".join(_render(tokenizer, turns[: k + 1], opened=False))
        if not closed.startswith(opened) or not whole.startswith(closed):
            raise InputError(
                "the chat template writes a turn differently when others follow it, so that it cannot be trained on",
                place=example.place,
                fix="one example for each turn of the assistant, each ending with it",
            )
        for i, (start, end) in enumerate(offsets):
            targets[i] |= len(opened) < end and start < len(closed)
    if 1 not in targets:
        raise InputError("no message is the assistant's", place=example.place, expected='"role": "assistant"')
    return list(ids), targets


def encode_opened(example: GenerationExample, tokenizer: TokenizerLike) -> list[int]:
    """Return the ids of a conversation, opened for the assistant's turn, as they are before one.

    The space at the end of a template belongs to the first token of what follows, where a tokenizer has such tokens.

    Raises:
        InputError: there is no chat template.
    """
    parts = _render(tokenizer, _turns(example, tokenizer), opened=True)
    length = sum(map(len, parts))
    alone, followed = (tokenize_parts(tokenizer, [*parts[:-1], parts[-1] + reply]) for reply in ("", _REPLY))
    first = next((k for k, (start, end) in enumerate(followed.offsets) if end > length), len(followed.ids))
    if first < len(followed.ids) and followed.offsets[first][0] >= length:
        return list(followed.ids[:first])
    return list(alone.ids)


def _turns(example: GenerationExample, tokenizer: TokenizerLike) -> list[dict[str, str]]:
    if not tokenizer.chat_template:
        raise InputError(
            "the tokenizer of this checkpoint has no chat template",
            place=example.place,
            expected="a checkpoint made for conversations",
            fix="train with --chat_template chatml or FILE; or use prompt and completion instead of messages",
        )
    return [{"role": role, "content": mark_special_tokens(tokenizer, content)} for role, content in example.messages]


def _render(tokenizer: TokenizerLike, turns: list[dict[str, str]], *, opened: bool) -> list[str]:
    """Return the text of a conversation in parts: those of the template are recognised, none that a user wrote is."""
    return str(tokenizer.apply_chat_template(turns, add_generation_prompt=opened, tokenize=False)).split(CUT)
