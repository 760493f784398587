"""Text generation: the continuation of a prompt, the next turn of a conversation, or a text from nothing.

The loss is over completions; prompts are context. Options of generation are set at prediction time
(`predict --top_k 50`).
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

from ..errors import InputError
from ..examples.base import Example
from ..examples.generation import GenerationExample
from ..metrics.generation import chrf_statistics, generation_scores
from ..registry import TASKS
from ..runtime.types import Array, TokenizerLike
from .abilities import SupportsGenerationMetrics
from .causal_model import CausalModel, Generated
from .conversations import encode_conversation, encode_opened
from .features import Features
from .language_model import Likelihood, split_text

log = logging.getLogger("ratsnlp_like")


class CompletionFeatures(Features):
    """Features of a prompt and its completion."""

    is_target: list[int]
    """1 for the tokens of a completion and for the end token after it, else 0."""


@dataclass(frozen=True)
class Generation(
    SupportsGenerationMetrics[GenerationExample, Likelihood | Generated],
    CausalModel[GenerationExample, CompletionFeatures],
):
    """Continue texts: trained on prompts, on texts, or on conversations (through the tokenizer's chat template)."""

    name: ClassVar[str] = "generation"
    description: ClassVar[str] = "continue a prompt: prompt, completion; or text; or messages"
    example: ClassVar[type[Example]] = GenerationExample
    evaluation_options: ClassVar[frozenset[str]] = frozenset({"eval_prompts"})

    eval_prompts: int = 100
    """Held-out prompts to continue in the evaluation of a trained model (chrF, distinct-1 and -2); 0: none."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.eval_prompts < 0:
            raise InputError(f"{self.eval_prompts}", place="--eval_prompts", expected="at least 0")

    def encode(
        self, examples: Sequence[GenerationExample], tokenizer: TokenizerLike, labels: Sequence[str], max_length: int
    ) -> list[CompletionFeatures]:
        """Encode prompts with their completions.

        A text longer than the window continues in further ones; of a completion the rest is lost.

        Raises:
            InputError: a prompt leaves no room in the window, or there is no chat template for messages.
        """
        examples = [_with_history(example, tokenizer) for example in examples]
        before, end, size = self.frame(tokenizer, max_length)
        prompts = self.tokenize([example.prompt for example in examples], tokenizer, offsets=False)
        completions = self.tokenize([example.completion or "" for example in examples], tokenizer, offsets=False)
        out: list[CompletionFeatures] = []
        for i, (example, (_, (prompt, _)), (_, (completion, _))) in enumerate(
            zip(examples, prompts, completions, strict=True)
        ):
            if example.messages:
                out.append(_cut(*encode_conversation(example, tokenizer), example, i, max_length))
            elif prompt:
                ids = [*before, *prompt, *completion, *end]
                targets = [0] * (len(before) + len(prompt)) + [1] * (len(completion) + len(end))
                out.append(_cut(ids, targets, example, i, max_length))
            else:
                whole = [*completion, *end] if completion else []
                for start, stop in split_text(len(whole), size):
                    targets = [0] * len(before) + [1] * (stop - start)
                    ids = before + whole[start:stop]
                    out.append({"input_ids": ids, "is_target": targets, "example": i, "lost": 0})
        return out

    def target_ids(self, examples: Sequence[GenerationExample], tokenizer: TokenizerLike) -> list[list[int]]:
        out: list[list[int]] = [[] for _ in examples]
        for window in self.encode(examples, tokenizer, (), sys.maxsize):
            pairs = zip(window["input_ids"], window["is_target"], strict=True)
            out[window["example"]] += [token for token, is_target in pairs if is_target]
        return out

    def encode_inputs(
        self, examples: Sequence[GenerationExample], tokenizer: TokenizerLike, max_length: int
    ) -> list[Features]:
        """Encode prompts, or conversations opened for the assistant.

        Raises:
            InputError: a prompt is longer than the window, or there is no chat template for messages.
        """
        examples = [_with_history(example, tokenizer) for example in examples]
        before, _, _ = self.frame(tokenizer, max_length)
        prompts = self.tokenize([example.prompt for example in examples], tokenizer, offsets=False)
        out = []
        for i, (example, (_, (prompt, _))) in enumerate(zip(examples, prompts, strict=True)):
            ids = encode_opened(example, tokenizer) if example.messages else before + prompt
            out.append(self.prompt(ids, example.prompt, example, tokenizer, max_length, position=i))
        return out

    def positions(self, window: CompletionFeatures) -> Array:
        """Return the positions of a window before tokens of a completion. Shape: (targets,)."""
        import numpy as np

        return np.flatnonzero(np.asarray(window["is_target"])[1:])

    def trim(self, example: GenerationExample, continuation: str) -> str:
        """Return a continuation without the space before a turn of a conversation, which is the template's."""
        return continuation.lstrip() if example.messages or example.history is not None else continuation

    def score_generation(
        self,
        predict: Callable[[Sequence[GenerationExample]], list[Likelihood | Generated]],
        examples: Iterable[GenerationExample],
    ) -> dict[str, Any]:
        """Return chrF and diversity of continuations of held-out prompts, and the `intervals` of chrF over prompts.

        All completions of a prompt are references for it. Texts without a prompt are left out.
        """
        references: dict[GenerationExample, list[str]] = {}
        for example in examples if self.eval_prompts else ():
            if (prompted := _prompt_and_reference(example)) is not None:
                references.setdefault(prompted[0], []).append(prompted[1])
        every = max(1, len(references) // max(1, self.eval_prompts))
        chosen = list(references)[::every][: self.eval_prompts]
        if not chosen:
            return {}
        try:
            texts = [found.continuations[0] for found in predict(chosen) if isinstance(found, Generated)]
        except InputError as error:  # a prompt without room for a continuation: a finished training is not lost for it
            log.warning("held-out prompts were not continued: %s", error)
            return {}
        gold = [references[prompt] for prompt in chosen]
        return {**generation_scores(gold, texts), "prompts": len(chosen), **_intervals(gold, texts)}


def _intervals(references: Sequence[Sequence[str]], texts: Sequence[str]) -> dict[str, Any]:
    from ..metrics.bootstrap import percentiles, resampled_scores

    if len(texts) < 2:
        return {}
    (found,) = resampled_scores([chrf_statistics(references, texts)])
    return {"intervals": {name: percentiles(values) for name, values in found.items()}}


def _with_history(example: GenerationExample, tokenizer: TokenizerLike) -> GenerationExample:
    """Return a prompt with what comes before it: as a conversation, or as lines where there is no chat template."""
    if example.history is None:
        return example
    if tokenizer.chat_template:
        return example.as_conversation()
    _report_lines()
    return example.as_lines()


@cache  # once
def _report_lines() -> None:
    log.info("the tokenizer has no chat template: system prompts and earlier turns are lines before the prompt.")


def _prompt_and_reference(example: GenerationExample) -> tuple[GenerationExample, str] | None:
    """Return an example as an input with the expected continuation; None where there is no prompt."""
    if not example.messages:
        return (replace(example, completion=None), example.completion or "") if example.prompt else None
    *before, last = example.messages
    return (GenerationExample(messages=tuple(before)), last.content) if before and last.role == "assistant" else None


def _cut(
    ids: list[int], targets: list[int], example: GenerationExample, position: int, max_length: int
) -> CompletionFeatures:
    """Return one window, which loses its end where it is too long.

    Raises:
        InputError: no target is left.
    """
    if not any(targets[:max_length]):
        raise InputError(
            f"the prompt alone has {targets.index(1) if 1 in targets else len(targets)} tokens: "
            f"{example.prompt[:60]!r}",
            place=example.place,
            expected=f"less than {max_length}, which leaves room for the completion",
            fix="a longer --max_length, or a shorter prompt",
        )
    return {
        "input_ids": ids[:max_length],
        "is_target": targets[:max_length],
        "example": position,
        "lost": max(0, len(ids) - max_length),
    }


TASKS.register("generation", Generation)
