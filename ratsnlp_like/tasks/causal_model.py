"""Causal language models: training on the next token, and generation."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from ..errors import InputError, raise_together, with_article
from ..examples.base import Example
from ..modeling.streaming import stream_text
from ..runtime.logging import quiet_transformers
from ..runtime.types import Array, GenerativeModel, Noise, TokenizerLike
from ..text.tokens import Template
from .abilities import SupportsStreaming
from .base import E, F, Window
from .batches import pad, pad_inputs
from .features import Features, InputBatch, TargetBatch
from .language_model import LanguageModel, Likelihood
from .predictions import Prediction, TextView


@dataclass(frozen=True)
class Generated(Prediction):
    """A prompt and what a model generated after it."""

    text: str
    """The prompt and the first continuation."""
    continuations: tuple[str, ...]
    """Generated texts, without the prompt."""

    def to_row(self) -> dict[str, Any]:
        return {"generated": self.text, "continuations": list(self.continuations)}

    def cells(self) -> list[dict[str, str]]:
        return [{"continuation": f"...{text}"} for text in self.continuations]

    def view(self, example: Example) -> TextView:
        return {"kind": "text", "given": str(example), "texts": list(self.continuations)}


@contextmanager
def _own_options(model: GenerativeModel) -> Iterator[None]:
    """Let `generate` see the options of the task only, and not generation_config.json, which would fill in others."""
    from transformers import GenerationConfig

    saved, model.generation_config = model.generation_config, GenerationConfig()
    try:
        yield
    finally:
        model.generation_config = saved


@dataclass(frozen=True)
class CausalModel(SupportsStreaming[E], LanguageModel[E, Likelihood | Generated, F]):
    """Predict each token from those before it; the end of a text too, so that generation knows when to stop."""

    example_input: ClassVar[tuple[str, ...]] = ("오늘은",)
    inference_options: ClassVar[frozenset[str]] = frozenset(
        {
            *("max_new_tokens", "min_new_tokens", "sample", "temperature", "top_k", "top_p", "repetition_penalty"),
            *("no_repeat_ngram_size", "num_beams", "continuations", "generation_seed"),
        }
    )

    max_new_tokens: int = 48
    """Largest number of tokens to generate."""
    min_new_tokens: int = 0
    """Smallest number of tokens to generate."""
    sample: bool = True
    """Sample tokens by their probability; false: greedy decoding, or beam search."""
    temperature: float | None = None
    """Temperature of sampling: below 1 more conservative, above 1 more random."""
    top_k: int | None = None
    """Sample among this many most probable tokens."""
    top_p: float | None = None
    """Sample among the most probable tokens of this total probability; 0.9 where neither this nor top_k is given."""
    repetition_penalty: float = 1.0
    """Above 1: tokens that occurred become less likely (Keskar et al. 2019, arXiv:1909.05858)."""
    no_repeat_ngram_size: int = 0
    """No n-gram of this many tokens is generated twice; 0: no limit."""
    num_beams: int = 1
    """Number of beams of beam search; 1: none."""
    continuations: int = 1
    """Number of continuations of a prompt."""
    generation_seed: int = 7
    """Seed of sampling, together with the prompts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [
            InputError(f"{getattr(self, name)}", place=f"--{name}", expected=expected)
            for name, fine, expected in (
                ("max_new_tokens", self.max_new_tokens >= 1, "at least 1"),
                ("min_new_tokens", 0 <= self.min_new_tokens <= self.max_new_tokens, "from 0 to --max_new_tokens"),
                (
                    "temperature",
                    self.temperature is None or self.temperature >= 1e-6,
                    "1e-6 or more (0: --sample false)",
                ),
                ("top_k", self.top_k is None or self.top_k >= 1, "at least 1"),
                ("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0, at most 1"),
                ("repetition_penalty", 0.01 <= self.repetition_penalty <= 100, "0.01 to 100; 1 changes nothing"),
                ("no_repeat_ngram_size", self.no_repeat_ngram_size >= 0, "at least 0"),
                ("num_beams", self.num_beams >= 1, "at least 1"),
                ("continuations", self.continuations >= 1, "at least 1"),
                ("generation_seed", 0 <= self.generation_seed < 2**63, "at least 0"),
            )
            if not fine
        ]
        drawn = [name for name in ("temperature", "top_k", "top_p") if getattr(self, name) is not None]
        if not self.sample and drawn:
            flags = ", ".join(f"--{name}" for name in drawn)
            wrong.append(InputError(f"--sample false and {flags}", fix=f"leave out --sample false, or {flags}"))
        if not self.sample and self.continuations > self.num_beams:
            wrong.append(
                InputError(
                    f"{self.continuations} continuations, but without sampling there are {self.num_beams}",
                    place="--continuations",
                    fix=f"leave out --sample false, or --num_beams {self.continuations}",
                )
            )
        raise_together(wrong)

    def model_class(self) -> Any:
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM

    def check_model(self, config: Any) -> None:
        """Check that a model is causal."""
        from ..checkpoints.architectures import architecture_of, has_head

        kind = config.model_type
        if architecture_of(config).causal and has_head(kind, "causal-lm"):
            return
        if getattr(config, "is_encoder_decoder", False):
            problem = (
                f"{with_article(kind)} is an encoder-decoder: it generates one text from another, and continues none"
            )
        else:
            problem = f"{with_article(kind)} does not generate text: its tokens attend to both sides"
        raise InputError(
            problem,
            place=f"--task {self.name}",
            expected="a causal language model: a GPT",
            fix="skt/kogpt2-base-v2, ko-tiny-gpt; or --task masked-lm for a BERT",
        )

    def frame(self, tokenizer: TokenizerLike, max_length: int) -> tuple[list[int], list[int], int]:
        """Return the ids before a text, those after it, and the capacity of a window between.

        The end token takes the place of what a tokenizer adds after a text.
        """
        before, after = map(list, Template.of(tokenizer).single)
        end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
        return before, end, self.capacity(tokenizer, max_length) + len(after)

    @staticmethod
    def prompt(
        ids: list[int], text: str, example: Example, tokenizer: TokenizerLike, max_length: int, *, position: int
    ) -> Features:
        """Return the window of a prompt.

        Args:
            ids: of the prompt.
            text: of the prompt, for the message.
            example: of the prompt.
            tokenizer: of the model.
            max_length: longest window in tokens.
            position: of the example.

        Raises:
            InputError: the prompt is longer than the window.
        """
        if len(ids) > max_length:
            raise InputError(
                f"the prompt has {len(ids)} tokens: {text[:60]!r}",
                place=example.place,
                expected=f"at most {max_length}, the window that the model was trained with",
                fix="shorten it",
            )
        if not ids:  # the empty prompt of a model without a first token
            first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
            ids = [first] if first is not None else []
        return {"input_ids": ids, "example": position, "lost": 0}

    def collate(self, features: Sequence[F], tokenizer: TokenizerLike, *, noise: Noise | None = None) -> TargetBatch:
        """Pad windows; `labels` are the tokens after `positions`. Shape: (targets,)."""
        import numpy as np
        import torch

        batch = pad_inputs(features, tokenizer)
        longest = batch["input_ids"].shape[1]
        own = [i * longest + self.positions(window) for i, window in enumerate(features)]
        positions = torch.from_numpy(np.concatenate(own))
        return {**batch, "positions": positions, "labels": batch["input_ids"].view(-1)[positions + 1]}

    def positions(self, window: F) -> Array:
        """Return the positions of a window whose next token is a target; all by default. Shape: (targets,)."""
        import numpy as np

        return np.arange(len(window["input_ids"]) - 1)

    def collate_inputs(self, features: Sequence[Features], tokenizer: TokenizerLike) -> InputBatch:
        """Pad prompts on the left, so that generation continues all of them."""
        prompts = [list(reversed(f["input_ids"])) for f in features]
        ids, mask = pad(prompts, tokenizer.pad_token_id), pad([[1] * len(prompt) for prompt in prompts], 0)
        return {"input_ids": ids.flip(1), "attention_mask": mask.flip(1)}

    def predict_batch(self, model: GenerativeModel, batch: InputBatch) -> list[list[list[int]]]:
        """Return the ids of the continuations of each prompt."""
        ids = self._generate(model, batch)
        return [ids[i : i + self.continuations] for i in range(0, len(ids), self.continuations)]

    def _generate(self, model: GenerativeModel, batch: InputBatch, **options: Any) -> list[list[int]]:
        """Return the ids of each continuation of each prompt; `options` are passed to `generate`."""
        import torch

        prompt, limit = batch["input_ids"].shape[1], getattr(model.config, "max_position_embeddings", None)
        if limit is not None and prompt + self.max_new_tokens > limit:
            raise InputError(
                f"a prompt of {prompt} tokens and {self.max_new_tokens} new ones are more than the model's {limit}",
                place="--max_new_tokens",
                fix=f"--max_new_tokens {limit - prompt}" if prompt < limit else "shorten the prompt",
            )
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), quiet_transformers(), _own_options(model):
            # depends on the prompts too: prompts that come one by one do not all draw the same numbers
            torch.manual_seed(self.generation_seed ^ zlib.crc32(batch["input_ids"].cpu().numpy().tobytes()))
            ids = model.generate(**batch, generation_config=self.generation_config(model.config), **options)
        return list(ids[:, prompt:].tolist())

    def stream(self, model: GenerativeModel, example: E, tokenizer: TokenizerLike, max_length: int) -> Iterator[str]:
        """Yield the continuation piece by piece.

        Raises:
            InputError: there are several continuations, or a beam, which is complete only at the end.
        """
        for name in ("continuations", "num_beams"):
            if getattr(self, name) > 1:
                raise InputError(f"{getattr(self, name)}", place=f"--{name}", expected="1 where text is streamed")
        features = self.encode_inputs([example], tokenizer, max_length)[0]
        batch: Any = {
            name: value.to(model.device)  # type: ignore[attr-defined]
            for name, value in self.collate_inputs([features], tokenizer).items()
        }
        return stream_text(
            lambda **options: self._generate(model, batch, **options),
            lambda ids: self.trim(example, self._continuation(features, list(ids), tokenizer)[1]),
        )

    def generation_config(self, config: Any) -> Any:
        """Return the options as `generate` takes them."""
        from transformers import GenerationConfig

        drawing: dict[str, Any] = {}
        if self.sample:
            top_p = 0.9 if self.top_p is None and self.top_k is None else self.top_p
            drawing = {"temperature": self.temperature or 1.0, "top_k": self.top_k or 0, "top_p": top_p or 1.0}
        return GenerationConfig(
            max_new_tokens=self.max_new_tokens,
            min_new_tokens=self.min_new_tokens or None,
            do_sample=self.sample,
            repetition_penalty=self.repetition_penalty,
            no_repeat_ngram_size=self.no_repeat_ngram_size,
            num_beams=self.num_beams,
            num_return_sequences=self.continuations,
            bos_token_id=config.bos_token_id,
            eos_token_id=config.eos_token_id,
            pad_token_id=config.pad_token_id,
            **drawing,
        )

    def decode(
        self,
        example: E,
        windows: Sequence[Window],
        labels: Sequence[str],
        tokenizer: TokenizerLike | None = None,
    ) -> Likelihood | Generated:
        """Return the likelihood of a text, or the continuations of a prompt, by the type of the raw outputs."""
        parts = [window.raw for window in windows]
        if isinstance(parts[0], Likelihood):
            return Likelihood.total(parts)
        assert tokenizer is not None
        features = windows[0].features
        texts = [self._continuation(features, ids, tokenizer) for ids in parts[0]]
        return Generated("".join(texts[0]), tuple(self.trim(example, text) for _, text in texts))

    def trim(self, example: E, continuation: str) -> str:
        """Return a continuation without what belongs to the prompt; all of it by default."""
        return continuation

    @staticmethod
    def _continuation(features: Features, ids: list[int], tokenizer: TokenizerLike) -> tuple[str, str]:
        """Return a prompt and its continuation, decoded together: a space between them belongs to a token."""
        prompt = list(features["input_ids"])
        given = tokenizer.decode(prompt, skip_special_tokens=True)
        return given, tokenizer.decode(prompt + ids, skip_special_tokens=True)[len(given) :]

    def gold_prediction(self, example: E) -> Likelihood:
        return Likelihood(0.0)
