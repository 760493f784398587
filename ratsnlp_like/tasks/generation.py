"""Text generation: what is written after a prompt, as the next turn of a conversation, or out of nothing.

Only the completion is learnt; a prompt is read. What a model writes is set when it is asked (`predict --top_k 50`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError
from ..examples.base import Example
from ..examples.generation import GenerationExample
from ..metrics.generation import generation_scores
from ..registry import TASKS
from ..text.tokens import tokenize
from .base import Features
from .language_model import CausalModel, Generated, Likelihood, parts

log = logging.getLogger("ratsnlp_like")

_REPLY = "네"
"""What a turn may begin with, to see how a tokenizer cuts the text before one."""


@dataclass(frozen=True)
class Generation(CausalModel[GenerationExample]):
    """Learn to write on: from prompts, from texts, or in conversations (through the tokenizer's chat template)."""

    name: ClassVar[str] = "generation"
    description: ClassVar[str] = "write on from a prompt: prompt, completion; or text; or messages"
    example: ClassVar[type[Example]] = GenerationExample
    evaluation_options: ClassVar[frozenset[str]] = frozenset({"eval_prompts"})

    eval_prompts: int = 100
    """Held-out prompts to write on from when a trained model is measured (chrF, distinct-1 and -2); 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eval_prompts < 0:
            raise InputError(f"{self.eval_prompts}", place="--eval_prompts", expected="at least 0")

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
                ids = _opened(example, tokenizer) if example.messages else before + prompt
                features = self.prompt(ids, example.prompt, example, tokenizer, max_length)
                out.append(features | {"example": i, "lost": 0} | ({"turn": 1} if example.messages else {}))
            elif example.messages:
                out += _cut(*_conversation(example, tokenizer), example, i, max_length)
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

    def score_generation(
        self,
        predict: Callable[[Sequence[GenerationExample]], list[Likelihood | Generated]],
        examples: Iterable[GenerationExample],
    ) -> dict[str, Any]:
        """How good and how varied what is written after held-out prompts is; see `generation_scores`.

        All completions of a prompt are references of it. Texts without a prompt are left out.
        """
        references: dict[GenerationExample, list[str]] = {}
        for example in examples if self.eval_prompts else ():
            if (question := _question(example)) is not None:
                references.setdefault(question[0], []).append(question[1])
        every = max(1, len(references) // max(1, self.eval_prompts))
        chosen = list(references)[::every][: self.eval_prompts]
        if not chosen:
            return {}
        try:
            said = [answer.continuations[0] for answer in predict(chosen) if isinstance(answer, Generated)]
        except InputError as error:  # a prompt that leaves no room to write: a finished training is not lost for it
            log.warning("held-out prompts were not written on from: %s", error)
            return {}
        return {**generation_scores([references[prompt] for prompt in chosen], said), "prompts": len(chosen)}


def _question(example: GenerationExample) -> tuple[GenerationExample, str] | None:
    """What can be asked of an example, and what should be said; None where there is no prompt."""
    if example.messages:
        *before, last = example.messages
        return (
            (GenerationExample(messages=tuple(before)), last.content) if before and last.role == "assistant" else None
        )
    return (GenerationExample(prompt=example.prompt), example.completion or "") if example.prompt else None


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


def _conversation(example: GenerationExample, tokenizer: Any) -> tuple[list[int], list[int]]:
    """The ids of a conversation, and which of them the assistant says.

    Templates tell roles apart in ways of their own: what a turn adds is what the conversation with it has more than
    the one before it, opened for the assistant. A token that begins before it and ends in it is learnt.
    """
    turns = _turns(example, tokenizer)
    (ids, offsets) = tokenize(tokenizer, [whole := _written(tokenizer, turns, opened=False)])[0]
    learn = [0] * len(ids)
    for k, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        opened, closed = _written(tokenizer, turns[:k], opened=True), _written(tokenizer, turns[: k + 1], opened=False)
        if not closed.startswith(opened) or not whole.startswith(closed):
            raise InputError(
                "the chat template writes a turn otherwise when others follow it, so that it cannot be learnt",
                place=example.place,
                fix="one example for each turn of the assistant, each ending with it",
            )
        for i, (start, end) in enumerate(offsets):
            learn[i] |= len(opened) < end and start < len(closed)
    if 1 not in learn:
        raise InputError("no message is the assistant's", place=example.place, expected='"role": "assistant"')
    return list(ids), learn


def _opened(example: GenerationExample, tokenizer: Any) -> list[int]:
    """The ids of a conversation, opened for the assistant's turn as they stand before one.

    The space at the end of a template belongs to the first token of what follows, where a tokenizer has such tokens.
    """
    opened = _written(tokenizer, _turns(example, tokenizer), opened=True)
    alone, followed = tokenize(tokenizer, [opened, opened + _REPLY])
    behind = next((k for k, (start, end) in enumerate(followed.offsets) if end > len(opened)), len(followed.ids))
    if behind < len(followed.ids) and followed.offsets[behind][0] >= len(opened):
        return list(followed.ids[:behind])
    return list(alone.ids)


def _turns(example: GenerationExample, tokenizer: Any) -> list[dict[str, str]]:
    if not tokenizer.chat_template:
        raise InputError(
            "the tokenizer of this checkpoint has no chat template",
            place=example.place,
            expected="a checkpoint made for conversations",
            fix="write prompt and completion instead of messages, or set tokenizer.chat_template",
        )
    return [{"role": role, "content": content} for role, content in example.messages]


def _written(tokenizer: Any, turns: list[dict[str, str]], *, opened: bool) -> str:
    return str(tokenizer.apply_chat_template(turns, add_generation_prompt=opened, tokenize=False))


TASKS.register("generation", Generation)
