"""What language models share: windows over texts, the loss at some positions, perplexity; and generation.

A text longer than the window is cut into several: nothing is lost. Batches are grouped by length, which beats texts
packed into full windows: no padding either, and attention over short sequences.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Self, TypeVar

from ..errors import InputError, raise_together
from ..examples.base import Example
from ..modeling.streaming import pieces
from ..runtime.logging import quiet_transformers
from ..runtime.types import Array, Noise, Tensor
from ..text.tokens import Template
from .base import BatchOutput, Features, Statistics, Task, Window
from .batches import pad, pad_inputs

E = TypeVar("E", bound=Example)
P = TypeVar("P")


@dataclass(frozen=True)
class Likelihood:
    """How well a model knew a text."""

    loss: float
    """Sum over the targets, in nats."""
    targets: int = field(default=0, compare=False)
    """Tokens that had to be guessed."""
    correct: int = field(default=0, compare=False)
    """How many of them the model held for the likeliest."""


@dataclass(frozen=True)
class LanguageModel(Task[E, P]):
    """What both kinds share: windows over texts, the loss at some positions, perplexity."""

    best_metric: ClassVar[str] = "perplexity"
    maximize: ClassVar[bool] = False

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """A language model has no labels beside its vocabulary."""

    def fit(self, statistics: Statistics, labels: Sequence[str], examples: Iterable[E], tokenizer: Any) -> Self:
        """See `Task.fit`."""
        self.check(tokenizer)
        return super().fit(statistics, labels, examples, tokenizer)

    def check(self, tokenizer: Any) -> None:
        """Whether a tokenizer has what the task needs.

        Raises:
            InputError: it is of another kind of model.
        """

    def loss(self, model: Any, batch: Mapping[str, Tensor]) -> Tensor:
        """Cross entropy at the positions that are to be guessed."""
        from ..modeling.losses import gather

        return gather(model, model_inputs(batch), batch["positions"]).loss(batch["labels"])

    def _likelihoods(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """Raw is (loss, targets, correct) of each window."""
        import torch
        from torch.nn import functional as F

        from ..modeling.losses import gather

        rows, longest = batch["input_ids"].shape
        labels, sums = batch["labels"], torch.zeros(rows, 3, dtype=torch.float64, device=batch["labels"].device)
        start = 0
        for logits in gather(model, model_inputs(batch), batch["positions"]).logits():
            wanted = labels[start : start + len(logits)]
            losses = F.cross_entropy(logits, wanted, reduction="none")
            columns = [losses, torch.ones_like(losses), logits.argmax(1) == wanted]
            row = batch["positions"][start : start + len(logits)] // longest
            sums.index_add_(0, row, torch.stack([column.double() for column in columns], dim=1))
            start += len(logits)
        raw = sums.cpu().numpy()
        total, targets = float(raw[:, 0].sum()), float(raw[:, 1].sum())
        return BatchOutput(list(raw), torch.tensor(total / max(1.0, targets)), targets)

    @staticmethod
    def _likelihood(windows: Sequence[Window]) -> Likelihood:
        loss, targets, correct = sum(window.raw for window in windows)
        return Likelihood(float(loss), int(targets), int(correct))

    def score(self, predictions: Sequence[P], examples: Sequence[E], labels: Sequence[str]) -> dict[str, Any]:
        """Perplexity and accuracy over all targets."""
        known = [prediction for prediction in predictions if isinstance(prediction, Likelihood)]
        loss, targets = sum(p.loss for p in known), sum(p.targets for p in known)
        mean = loss / max(1, targets)
        return {
            "perplexity": math.exp(min(mean, 700.0)),
            "accuracy": sum(p.correct for p in known) / max(1, targets),
            "targets": targets,
        }

    def gold(self, features: Mapping[str, Any], labels: Sequence[str]) -> Array:
        """See `Task.gold`: nothing surprises a perfect model."""
        import numpy as np

        return np.zeros(3)


def parts(length: int, room: int, *, asked: bool) -> list[tuple[int, int]]:
    """Cuts of at most `room` tokens, without overlap; an empty text teaches nothing."""
    starts = range(0, length, room)
    return [(start, min(start + room, length)) for start in starts] or [(0, 0)] * asked


def model_inputs(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What of a batch goes into a language model."""
    return {name: batch[name] for name in ("input_ids", "attention_mask", "lengths", "counts") if name in batch}


@dataclass(frozen=True)
class Generated:
    """What a model wrote after a prompt."""

    text: str
    """The prompt and the first continuation."""
    continuations: tuple[str, ...]
    """What was written, without the prompt."""


@dataclass(frozen=True)
class CausalModel(LanguageModel[E, Likelihood | Generated]):
    """Guess each token from those before it. The end of a text is taught, so that generation knows when to stop."""

    example_input: ClassVar[tuple[str, ...]] = ("오늘은",)
    inference_options: ClassVar[frozenset[str]] = frozenset(
        {
            *("max_new_tokens", "min_new_tokens", "sample", "temperature", "top_k", "top_p", "repetition_penalty"),
            *("no_repeat_ngram_size", "num_beams", "continuations", "generation_seed"),
        }
    )

    max_new_tokens: int = 48
    """Most tokens to write."""
    min_new_tokens: int = 0
    """Fewest tokens to write."""
    sample: bool = True
    """Draw tokens by their probability; false: always the likeliest (or the best beam)."""
    temperature: float | None = None
    """Of sampling: below 1 safer, above 1 wilder."""
    top_k: int | None = None
    """Draw among this many likeliest tokens."""
    top_p: float | None = None
    """Draw among the likeliest tokens that make up this probability; 0.9 where neither this nor top_k is given."""
    repetition_penalty: float = 1.0
    """Above 1: tokens that occurred become less likely (Keskar et al. 2019, arXiv:1909.05858)."""
    no_repeat_ngram_size: int = 0
    """No run of this many tokens is written twice; 0: no limit."""
    num_beams: int = 1
    """Beams of a beam search."""
    continuations: int = 1
    """Continuations to write for a prompt."""
    generation_seed: int = 7
    """Of sampling, together with the prompts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = [
            InputError(f"{getattr(self, name)}", place=f"--{name}", expected=expected)
            for name, fine, expected in (
                ("max_new_tokens", self.max_new_tokens >= 1, "at least 1"),
                ("min_new_tokens", 0 <= self.min_new_tokens <= self.max_new_tokens, "from 0 to --max_new_tokens"),
                ("temperature", self.temperature is None or self.temperature > 0, "above 0; for 0 say --sample false"),
                ("top_k", self.top_k is None or self.top_k >= 1, "at least 1"),
                ("top_p", self.top_p is None or 0 < self.top_p <= 1, "above 0, at most 1"),
                ("repetition_penalty", self.repetition_penalty > 0, "above 0; 1 changes nothing"),
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
        """The standard head."""
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM

    def check_model(self, config: Any) -> None:
        """See `Task.check_model`.

        Raises:
            InputError: the checkpoint sees both sides of a word.
        """
        from transformers.models.auto.modeling_auto import (
            MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL,
        )
        from transformers.models.auto.modeling_auto import (
            MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED,
        )

        kind = config.model_type
        if kind not in CAUSAL or (kind in MASKED and not getattr(config, "is_decoder", False)):
            raise InputError(
                f"the checkpoint is a {kind}, which does not write from left to right",
                place=f"--task {self.name}",
                expected="a causal language model: a GPT",
                fix="skt/kogpt2-base-v2, ko-tiny-gpt; or --task masked-lm for a BERT",
            )

    def frame(self, tokenizer: Any, max_length: int) -> tuple[list[int], list[int], int]:
        """What stands before a text, what ends it, and the room between; its end stands for what would close it."""
        before, after = map(list, Template.of(tokenizer).single)
        end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
        return before, end, self.room(tokenizer, max_length) + len(after)

    @staticmethod
    def prompt(ids: list[int], text: str, example: E, tokenizer: Any, max_length: int) -> Features:
        """The window of a prompt to write on from.

        Raises:
            InputError: it is longer than the window.
        """
        if len(ids) > max_length:
            raise InputError(
                f"the prompt has {len(ids)} tokens: {text[:60]!r}",
                place=example.place,
                expected=f"at most {max_length}, the window that the model was trained with",
                fix="shorten it",
            )
        if not ids:  # the empty prompt of a model without a first token
            ids = [tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id]
        return {"input_ids": ids, "asked": 1}

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; `labels` are the tokens behind `positions`: (targets,). Prompts are padded before."""
        import numpy as np
        import torch

        if "asked" in features[0]:
            prompts = [list(reversed(f["input_ids"])) for f in features]
            ids, mask = pad(prompts, tokenizer.pad_token_id), pad([[1] * len(prompt) for prompt in prompts], 0)
            return {"input_ids": ids.flip(1), "attention_mask": mask.flip(1)}
        batch = pad_inputs([{"input_ids": f["input_ids"]} for f in features], tokenizer)
        longest = batch["input_ids"].shape[1]
        positions = np.concatenate([i * longest + _learnt(window) for i, window in enumerate(features)])
        batch["positions"] = torch.from_numpy(positions)
        batch["labels"] = batch["input_ids"].view(-1)[batch["positions"] + 1]
        return batch

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (loss, targets, correct), or a list of the ids of each continuation."""
        if "labels" in batch:
            return self._likelihoods(model, batch)
        written = self._write(model, batch)
        return BatchOutput([written[i : i + self.continuations] for i in range(0, len(written), self.continuations)])

    def _write(self, model: Any, batch: Mapping[str, Tensor], **options: Any) -> list[list[int]]:
        """The ids of each continuation of each prompt; `options` go to `generate`."""
        import torch

        prompt, limit = batch["input_ids"].shape[1], getattr(model.config, "max_position_embeddings", None)
        if limit is not None and prompt + self.max_new_tokens > limit:
            raise InputError(
                f"a prompt of {prompt} tokens and {self.max_new_tokens} new ones are more than the model's {limit}",
                place="--max_new_tokens",
                fix=f"--max_new_tokens {limit - prompt}" if prompt < limit else "shorten the prompt",
            )
        devices = [model.device] if model.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), quiet_transformers():
            # of the prompt too: prompts that are asked one by one shall not share their luck
            torch.manual_seed(self.generation_seed ^ zlib.crc32(batch["input_ids"].cpu().numpy().tobytes()))
            ids = model.generate(**batch, generation_config=self.generation_config(model.config), **options)
        return list(ids[:, prompt:].tolist())

    def stream(self, model: Any, features: Mapping[str, Any], tokenizer: Any) -> Iterator[str]:
        """See `Task.stream`; all pieces together are the continuation that is predicted with the same options.

        Raises:
            InputError: several continuations, or a beam, which is known only when all is written.
        """
        for name in ("continuations", "num_beams"):
            if getattr(self, name) > 1:
                raise InputError(f"{getattr(self, name)}", place=f"--{name}", expected="1 where text is streamed")
        batch = {name: value.to(model.device) for name, value in self.collate([features], tokenizer).items()}
        return pieces(
            lambda **options: self._write(model, batch, **options),
            lambda ids: _said(features, _continuation(features, list(ids), tokenizer)[1]),
        )

    def generation_config(self, config: Any) -> Any:
        """The options as `generate` takes them."""
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
        self, example: E, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> Likelihood | Generated:
        """See `Task.decode`."""
        if "asked" not in windows[0].features:
            return self._likelihood(windows)
        features = windows[0].features
        written = [_continuation(features, ids, tokenizer) for ids in windows[0].raw]
        return Generated("".join(written[0]), tuple(_said(features, text) for _, text in written))

    def answer(self, example: E) -> Likelihood:
        """See `Task.answer`."""
        return Likelihood(0.0)

    def to_row(self, prediction: Likelihood | Generated) -> dict[str, Any]:
        """See `Task.to_row`."""
        if isinstance(prediction, Likelihood):
            return asdict(prediction)
        return {"generated": prediction.text, "continuations": list(prediction.continuations)}


def _continuation(features: Mapping[str, Any], ids: list[int], tokenizer: Any) -> tuple[str, str]:
    """A prompt and what was written behind it: decoded together, for a space between them belongs to a token."""
    prompt = list(features["input_ids"])
    given = tokenizer.decode(prompt, skip_special_tokens=True)
    return given, tokenizer.decode(prompt + ids, skip_special_tokens=True)[len(given) :]


def _said(features: Mapping[str, Any], written: str) -> str:
    """What was written, without the space before a turn of a conversation, which is the template's."""
    return written.lstrip() if "turn" in features else written


def _learnt(window: Mapping[str, Any]) -> Array:
    """The positions of a window behind which a token is to be guessed. Shape: (targets,)."""
    import numpy as np

    if "learn" in window:
        return np.flatnonzero(np.asarray(window["learn"])[1:])
    return np.arange(len(window["input_ids"]) - 1)
