"""Language modelling on raw text: fill in the blank (BERT) and the next word (GPT), from scratch or continued.

A text longer than the window is cut into several: nothing is lost. Batches are grouped by length, which beats texts
packed into full windows: no padding either, and attention over short sequences.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from ..arrays import Array, Noise, Tensor
from ..errors import InputError, raise_together
from ..examples import Example, RawExample
from ..quiet import quiet_transformers
from ..registry import TASKS
from ..spans import Template
from .base import BatchOutput, Features, Statistics, Task, Window, pad, pad_inputs

E = TypeVar("E", bound=Example)
P = TypeVar("P")
_MASK = "[MASK]"
"""How a blank is written in a text to be filled in, whatever the tokenizer's own mask token is."""
_MASKED, _REPLACED_BY_ANY = 0.8, 0.1
"""Of the tokens to be guessed: the share that becomes the mask token, and the share that becomes any token; the rest
stays as it is (Devlin et al. 2019, arXiv:1810.04805)."""


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
        from ..losses import gather

        return gather(model, model_inputs(batch), batch["positions"]).loss(batch["labels"])

    def _likelihoods(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """Raw is (loss, targets, correct) of each window."""
        import torch
        from torch.nn import functional as F

        from ..losses import gather

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
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


# Fill in the blank ---------------------------------------------------------------------------------------------------


class Candidate(NamedTuple):
    """A token for a blank."""

    token: str
    score: float
    """Its probability, 0 to 1."""


@dataclass(frozen=True)
class Filled:
    """A text whose blanks are filled in."""

    text: str
    """With the likeliest token in each blank, each guessed alone."""
    candidates: tuple[tuple[Candidate, ...], ...]
    """For each blank the likeliest tokens, best first."""


@dataclass(frozen=True)
class MaskedLM(LanguageModel[RawExample, Likelihood | Filled]):
    """Guess the tokens that are hidden. Masks are drawn anew in every epoch, and stay the same in evaluation."""

    name: ClassVar[str] = "masked-lm"
    description: ClassVar[str] = "pretrain a BERT on raw text, or adapt one to it: text"
    example: ClassVar[type[Example]] = RawExample
    asking: ClassVar[frozenset[str]] = frozenset({"candidates"})
    ask: ClassVar[tuple[str, ...]] = ("오늘은 [MASK] 좋다",)

    mask_share: float = 0.15
    """Share of the tokens to be guessed; 80% of them are masked, 10% replaced by any token, 10% left as they are."""
    whole_words: bool = False
    """Mask all tokens of an eojeol (what stands between spaces), or none of them."""
    candidates: int = 5
    """Tokens to propose for a blank."""

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = []
        if not 0 < self.mask_share < 1:
            wrong.append(InputError(f"{self.mask_share}", place="--mask_share", expected="a share between 0 and 1"))
        if self.candidates < 1:
            wrong.append(InputError(f"{self.candidates}", place="--candidates", expected="at least 1"))
        raise_together(wrong)

    def model_class(self) -> Any:
        """The standard head."""
        from transformers import AutoModelForMaskedLM

        return AutoModelForMaskedLM

    def check(self, tokenizer: Any) -> None:
        """See `LanguageModel.check`."""
        if tokenizer.mask_token_id is None:
            raise InputError(
                "the tokenizer of this checkpoint has no mask token",
                place="--task masked-lm",
                expected="a BERT, a RoBERTa, an ELECTRA generator",
                fix="--task causal-lm for a GPT",
            )

    def encode(
        self, examples: Sequence[RawExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; to be filled in, a text has at least one [MASK]."""
        room = self.room(tokenizer, max_length)
        asked = labels is None
        if asked:
            self.check(tokenizer)
        texts = [_with_blanks(example, tokenizer) if asked else example.text for example in examples]
        out: list[Features] = []
        tokens = self.tokenize(texts, tokenizer, offsets=self.whole_words)
        for i, (normalized, (ids, offsets)) in enumerate(tokens):
            words = list(_eojeols(normalized.text, offsets)) if self.whole_words else []
            for start, end in parts(len(ids), room, asked=asked):
                built, _, lead = Template.of(tokenizer).build(ids[start:end])
                features: Features = {"input_ids": built, "example": i, "lost": 0}
                if asked:
                    features["asked"] = 1
                elif self.whole_words:
                    behind = len(built) - lead - (end - start)
                    features["words"] = [-1] * lead + words[start:end] + [-1] * behind
                out.append(features)
        return out

    def collate(
        self, features: Sequence[Mapping[str, Any]], tokenizer: Any, *, noise: Noise | None = None
    ) -> dict[str, Tensor]:
        """See `Task.collate`; `positions` in the flattened batch and their true `labels`: (targets,)."""
        import numpy as np
        import torch

        batch = pad_inputs(features, tokenizer)
        flat = batch["input_ids"].numpy().reshape(-1)
        if "asked" in features[0]:
            batch["positions"] = torch.from_numpy(np.flatnonzero(flat == tokenizer.mask_token_id))
            return batch
        special, ordinary = special_ids(tokenizer)
        positions, fates, others = [], [], []
        longest = batch["input_ids"].shape[1]
        for i, window in enumerate(features):
            # in evaluation by its own content: the same masks in any batch
            rng = noise if noise is not None else np.random.default_rng(_digest(window["input_ids"]))
            chosen = self._choose(window, special, rng)
            positions.append(i * longest + chosen)
            fates.append(rng.random(len(chosen)))
            others.append(ordinary[rng.integers(len(ordinary), size=len(chosen))])
        places, fate, other = np.concatenate(positions), np.concatenate(fates), np.concatenate(others)
        batch["positions"], batch["labels"] = torch.from_numpy(places), torch.from_numpy(flat[places])
        replaced = fate >= 1 - _REPLACED_BY_ANY
        flat[places[fate < _MASKED]] = tokenizer.mask_token_id
        flat[places[replaced]] = other[replaced]
        return batch

    def _choose(self, window: Mapping[str, Any], special: Array, rng: Noise) -> Array:
        """Which places of a window are to be guessed, at least one. Shape: (targets,)."""
        import numpy as np

        places = np.flatnonzero(~special[window["input_ids"]])
        if not len(places):
            return places
        groups = np.arange(len(places))
        if "words" in window:
            groups = np.unique(np.asarray(window["words"])[places], return_inverse=True)[1]
        luck = rng.random(int(groups[-1]) + 1)
        taken = luck < self.mask_share
        taken[luck.argmin()] = True
        return places[taken[groups]]

    def predict_batch(self, model: Any, batch: Mapping[str, Tensor]) -> BatchOutput:
        """See `Task.predict_batch`; raw is (loss, targets, correct), or (ids, probabilities) of each blank."""
        from ..losses import gather

        if "labels" in batch:
            return self._likelihoods(model, batch)
        rows, longest = batch["input_ids"].shape
        raw: list[list[tuple[Any, Any]]] = [[] for _ in range(rows)]
        at = iter(batch["positions"].tolist())
        for logits in gather(model, model_inputs(batch), batch["positions"]).logits():
            best = logits.softmax(1).topk(min(self.candidates, logits.shape[1]))
            for scores, ids in zip(best.values.tolist(), best.indices.tolist(), strict=True):
                raw[next(at) // longest].append((ids, scores))
        return BatchOutput(raw)

    def decode(
        self, example: RawExample, windows: Sequence[Window], labels: Sequence[str], tokenizer: Any = None
    ) -> Likelihood | Filled:
        """See `Task.decode`; a piece that goes on with a word is joined to it."""
        if "asked" not in windows[0].features:
            return self._likelihood(windows)
        blanks = []
        for ids, scores in (blank for window in windows for blank in window.raw):
            tokens = [tokenizer.decode([token]).strip() for token in ids]
            blanks.append(tuple(Candidate(token, score) for token, score in zip(tokens, scores, strict=True)))
        parts = _with_blanks(example, tokenizer).split(tokenizer.mask_token)
        text = parts[0]
        for blank, part in zip(blanks, parts[1:], strict=True):
            token = blank[0].token
            text = text.rstrip() + token.removeprefix("##") if token.startswith("##") else text + token
            text += part
        return Filled(text, tuple(blanks))

    def answer(self, example: RawExample) -> Likelihood:
        """See `Task.answer`."""
        return Likelihood(0.0)

    def to_row(self, prediction: Likelihood | Filled) -> dict[str, Any]:
        """See `Task.to_row`."""
        if isinstance(prediction, Likelihood):
            return asdict(prediction)
        return {"filled": prediction.text, "candidates": [[c._asdict() for c in b] for b in prediction.candidates]}


@lru_cache(maxsize=16)
def special_ids(tokenizer: Any) -> tuple[Array, Array]:
    """Which ids are special, (vocabulary,); and those that are not."""
    import numpy as np

    special = np.zeros(len(tokenizer), dtype=bool)
    special[tokenizer.all_special_ids] = True
    return special, np.flatnonzero(~special)


def _digest(ids: Any) -> int:
    import numpy as np

    return zlib.crc32(np.ascontiguousarray(ids, dtype=np.int64).tobytes())


def _eojeols(text: str, offsets: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The number of the eojeol in which each token begins."""
    number, cursor = 0, 0
    for start, _ in offsets:
        number += any(character.isspace() for character in text[cursor:start])
        cursor = max(cursor, start)
        yield number


def _with_blanks(example: RawExample, tokenizer: Any) -> str:
    text = example.text.replace(_MASK, tokenizer.mask_token)
    if tokenizer.mask_token not in text:
        raise InputError(
            f"there is nothing to fill in: {example.text[:60]!r}",
            place=example.place,
            expected=f"a text with {_MASK} in it",
            fix=f"{example.text[:20].split(' ')[0]} {_MASK} ...",
        )
    return text


# The next word -------------------------------------------------------------------------------------------------------


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

    ask: ClassVar[tuple[str, ...]] = ("오늘은",)
    asking: ClassVar[frozenset[str]] = frozenset(
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
    """Of sampling."""

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

    def configure(self, config: Any, labels: Sequence[str]) -> None:
        """See `LanguageModel.configure`.

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
            torch.manual_seed(self.generation_seed)
            ids = model.generate(**batch, generation_config=self.generation_config(model.config))
        written = ids[:, prompt:].tolist()
        return BatchOutput([written[i : i + self.continuations] for i in range(0, len(written), self.continuations)])

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
        prompt = list(windows[0].features["input_ids"])
        given = tokenizer.decode(prompt, skip_special_tokens=True)
        whole = [tokenizer.decode(prompt + ids, skip_special_tokens=True) for ids in windows[0].raw]
        continuations = tuple(text[len(given) :] for text in whole)
        return Generated(given + continuations[0], continuations)

    def answer(self, example: E) -> Likelihood:
        """See `Task.answer`."""
        return Likelihood(0.0)

    def to_row(self, prediction: Likelihood | Generated) -> dict[str, Any]:
        """See `Task.to_row`."""
        if isinstance(prediction, Likelihood):
            return asdict(prediction)
        return {"generated": prediction.text, "continuations": list(prediction.continuations)}


@dataclass(frozen=True)
class CausalLM(CausalModel[RawExample]):
    """Guess the next word of raw text."""

    name: ClassVar[str] = "causal-lm"
    description: ClassVar[str] = "pretrain a GPT on raw text, or adapt one to it; ask it to write on: text"
    example: ClassVar[type[Example]] = RawExample

    def encode(
        self, examples: Sequence[RawExample], tokenizer: Any, labels: Sequence[str] | None, max_length: int
    ) -> list[Features]:
        """See `Task.encode`; a text to learn from ends with the end token, a prompt is kept open.

        Raises:
            InputError: a prompt is longer than the window.
        """
        before, after = map(list, Template.of(tokenizer).single)
        room = self.room(tokenizer, max_length) + len(after)  # the end of a text stands for what would close it
        end = [tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else []
        out: list[Features] = []
        tokens = self.tokenize([example.text for example in examples], tokenizer, offsets=False)
        for i, (example, (_, (ids, _))) in enumerate(zip(examples, tokens, strict=True)):
            if labels is None:
                asked = self.prompt(before + ids, example.text, example, tokenizer, max_length)
                out.append(asked | {"example": i, "lost": 0})
                continue
            whole = [*ids, *end] if ids else []
            for start, stop in parts(len(whole), room, asked=False):
                out.append({"input_ids": before + whole[start:stop], "example": i, "lost": 0})
        return out


def _learnt(window: Mapping[str, Any]) -> Array:
    """The positions of a window behind which a token is to be guessed. Shape: (targets,)."""
    import numpy as np

    if "learn" in window:
        return np.flatnonzero(np.asarray(window["learn"])[1:])
    return np.arange(len(window["input_ids"]) - 1)


TASKS.register("masked-lm", MaskedLM)
TASKS.register("causal-lm", CausalLM)
