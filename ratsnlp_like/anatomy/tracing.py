"""What happens to a text inside a real model: attention, the residual stream, the candidates of each layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..checkpoints import adapters as lora
from ..checkpoints.architectures import architecture_of, max_positions
from ..checkpoints.base import load_config, load_model, load_tokenizer, resolve
from ..errors import InputError
from ..inference.predictor import Predictor
from ..text.normalization import Normalizer
from .blocks import layer_norm
from .builds import Build, build_of, has_head, head_of
from .distribution import Decoding, decoding
from .steps import Step, describe
from .tables import Table

SUBLAYERS = ("attention", "feed-forward")


@dataclass(frozen=True, eq=False)
class Norm:
    """A layer normalisation of a model."""

    gamma: Tensor
    beta: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise over the last dimension."""
        return layer_norm(x, gamma=self.gamma, beta=self.beta, eps=self.eps).result


@dataclass(frozen=True, eq=False, repr=False)
class Candidates(Table):
    """What the model would say at one position, were it to stop after each layer."""

    position: int
    """Of the state that is read, from 0."""
    token: str
    """The token at the position."""
    words: tuple[tuple[str, ...], ...]
    """For each layer (the embeddings first) the likeliest words, the likeliest first."""
    probabilities: Tensor
    """Of these words, (layers + 1, words)."""

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        rows = [
            (layer_name(i), *(f"{word} {p:.3f}" for word, p in zip(words, own.tolist(), strict=True)))
            for i, (words, own) in enumerate(zip(self.words, self.probabilities, strict=True))
        ]
        header = ("layer", *(f"{rank + 1}." for rank in range(len(self.words[0]))))
        return f"candidates at position {self.position} ({self.token})", header, rows


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Table):
    """A text on its way through a model. Layers of `states` count from the embeddings, which are layer 0."""

    model: str
    """The kind of the model, and where it comes from."""
    text: str
    tokens: tuple[str, ...]
    """As they read: a leading space is `▁`, and bytes that are no character stand in `<>`."""
    ids: Tensor
    """Of the tokens, (tokens)."""
    causal: bool
    """Whether a token sees only what stands before it."""
    attentions: Tensor
    """Each row is whom a token looks at, and sums to 1: (layers, heads, tokens, tokens)."""
    states: Tensor
    """The residual stream: the embeddings, then after each layer; (layers + 1, tokens, width)."""
    between: Tensor
    """The residual stream between attention and feed-forward network, (layers, tokens, width)."""
    added: Tensor
    """What attention and feed-forward network add to it, (layers, 2, tokens, width)."""
    norms_behind: tuple[tuple[Norm, Norm], ...]
    """Of each layer, behind its two residual connections (BERT); none where they stand before (GPT-2)."""
    logits: Tensor | None
    """What the model says at each position, (tokens, vocabulary); None without the head of a language model."""
    lens_ids: Tensor | None
    """The likeliest words of each layer's state, (layers + 1, tokens, candidates)."""
    lens_probabilities: Tensor | None
    """Of these words, of the same shape."""
    mask_id: int | None
    """The id of [MASK]."""
    name_of: Callable[[int], str] = field(default=str)
    """The word of an id."""

    @property
    def layers(self) -> int:
        """How many blocks the model has."""
        return len(self.attentions)

    @property
    def norms(self) -> Tensor:
        """Length of the residual stream's vectors, (layers + 1, tokens)."""
        return self.states.norm(dim=-1)

    @property
    def added_norms(self) -> Tensor:
        """Length of what the sub-layers add, (layers, 2, tokens)."""
        return self.added.norm(dim=-1)

    @property
    def added_cosines(self) -> Tensor:
        """Cosine of what a sub-layer adds and the stream behind it (and its norm, in BERT), (layers, 2, tokens)."""
        results = torch.stack([self.between, self.states[1:]], dim=1)
        return torch.cosine_similarity(self.added, results, dim=-1)

    def rebuilt(self) -> Tensor:
        """Each next state from the one before and what is added: equals states[1:], (layers, tokens, width)."""
        if not self.norms_behind:
            return self.states[:-1] + self.added.sum(dim=1)
        out = []
        for state, (attention, feed_forward), (first, second) in zip(
            self.states[:-1], self.added, self.norms_behind, strict=True
        ):
            out.append(second(first(state + attention) + feed_forward))
        return torch.stack(out)

    def candidates(self, *, position: int | None = None, k: int = 5) -> Candidates:
        """The likeliest words by layer, as the model's own head reads each layer's state ("logit lens").

        Args:
            position: of the state, from 0 (from -1 backwards); the first [MASK], or the last token of a GPT, whose
                state at a position speaks of the word behind it.
            k: how many words of each layer.

        Raises:
            InputError: the model has no such head, no such position, no [MASK], or `trace` kept fewer words.
        """
        _, ids, probabilities = self._heard()
        if not 1 <= k <= ids.shape[-1]:
            raise InputError(
                f"{k}", place="k", expected=f"1 to {ids.shape[-1]}", fix="for more, trace with a larger `candidates`"
            )
        at = self._position(position)
        words = tuple(tuple(map(self.name_of, row)) for row in ids[:, at, :k].tolist())
        return Candidates(at, self.tokens[at], words, probabilities[:, at, :k])

    def decoding(self, *, position: int | None = None, **settings: Any) -> Decoding:
        """The model's distribution at a position under the settings of `generate`; see `anatomy.decoding`.

        Args:
            position: as for `candidates`.
            settings: temperature, top_k, top_p, repetition_penalty (of the tokens up to the position).

        Raises:
            InputError: as for `candidates`, or a setting lies outside its range.
        """
        logits, *_ = self._heard()
        at = self._position(position)
        previous = self.ids[: at + 1].tolist()
        return decoding(logits[at], previous=previous, names=self.name_of, **settings)

    def _heard(self) -> tuple[Tensor, Tensor, Tensor]:
        if self.logits is None or self.lens_ids is None or self.lens_probabilities is None:
            raise InputError(
                f"{self.model} has no head of a language model, and so no candidates",
                expected="a masked or a causal language model",
                fix="trace the checkpoint that it was fine-tuned from, such as ko-tiny-bert",
            )
        return self.logits, self.lens_ids, self.lens_probabilities

    def _position(self, position: int | None) -> int:
        tokens = len(self.tokens)
        if position is not None:
            if not -tokens <= position < tokens:
                raise InputError(f"{position}", place="position", expected=f"0 to {tokens - 1}, the last token")
            return position % tokens
        if self.causal:
            return tokens - 1
        found = (self.ids == self.mask_id).nonzero().flatten().tolist() if self.mask_id is not None else []
        if not found:
            raise InputError(
                f"there is no [MASK] in {self.text!r}",
                expected="a [MASK] where a masked language model is to guess a word",
                fix="write [MASK] in place of a word, or name a token with position=",
            )
        return int(found[0])

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        parts = {
            "ids": Step(self.ids, "tokens"),
            "attentions": Step(self.attentions, "layers, heads, tokens, tokens"),
            "states": Step(self.states, "layers + 1, tokens, width"),
            "added": Step(self.added, "layers, attention and feed-forward, tokens, width"),
            "norms": Step(self.norms, "layers + 1, tokens"),
            "added_norms": Step(self.added_norms, "layers, 2, tokens"),
            "added_cosines": Step(self.added_cosines, "layers, 2, tokens"),
        }
        if self.logits is not None:
            parts["logits"] = Step(self.logits, "tokens, vocabulary")
        header = ("name", "dimensions", "shape", "first values")
        return f"{self.model}: {' '.join(self.tokens)}", header, [describe(*part) for part in parts.items()]


def layer_name(layer: int) -> str:
    """`embeddings` for 0, else the number of the layer."""
    return str(layer) if layer else "embeddings"


def trace(model: Any, text: str, *, tokenizer: Any = None, text_pair: str | None = None, candidates: int = 10) -> Trace:
    """Send a text through a model and keep what happens inside; the model stays as it is.

    Args:
        model: the name or folder of a checkpoint, a `Predictor`, or a model of transformers with its `tokenizer`:
            BERT, RoBERTa, ELECTRA or GPT-2, with any head or none.
        text: one text. A [MASK] in it is the model's own, whatever its tokenizer calls it.
        tokenizer: of the model; not needed with a name or a `Predictor`.
        text_pair: a second text, for models of pairs.
        candidates: how many of the likeliest words of each layer are kept.

    Raises:
        InputError: the model cannot be had or taken apart, or the text is empty or longer than the model's positions.
    """
    text = _text(text)
    if candidates < 1:
        raise InputError(f"{candidates}", place="candidates", expected="at least 1")
    name, model, tokenizer, normalization = _open(model, tokenizer)
    build = build_of(model.config)
    normalizer = Normalizer(normalization)
    encoded = _encode(tokenizer, [normalizer(_text(t)).text for t in (text, text_pair) if t is not None])
    _check_length(encoded["input_ids"], model.config)
    with torch.no_grad(), _undisturbed(model):
        seen = _run(model, build, encoded)
        heard = _listen(head_of(model, build), seen["states"], candidates)
    ids = encoded["input_ids"][0].cpu()
    return Trace(
        model=f"{model.config.model_type} ({name})",
        text=text,
        tokens=tuple(readable(tokenizer, i) for i in ids.tolist()),
        ids=ids,
        causal=architecture_of(model.config).causal,
        mask_id=tokenizer.mask_token_id,
        name_of=lambda i: readable(tokenizer, i),
        **{key: value.float().cpu() for key, value in seen.items()},
        norms_behind=_norms(model, build),
        logits=heard[0],
        lens_ids=heard[1],
        lens_probabilities=heard[2],
    )


def readable(tokenizer: Any, token_id: int) -> str:
    """A token as it reads: bytes of a byte-level vocabulary become characters again, a leading space `▁`."""
    token = str(tokenizer.convert_ids_to_tokens(token_id))
    to_byte = _bytes()
    if type(_decoder(tokenizer)).__name__ != "ByteLevel" or not set(token) <= set(to_byte):
        return token
    raw = bytes(to_byte[character] for character in token)
    try:
        return raw.decode().replace(" ", "▁")
    except UnicodeDecodeError:
        return f"<{raw.hex(' ').upper()}>"


def _decoder(tokenizer: Any) -> Any:
    return tokenizer.backend_tokenizer.decoder if tokenizer.is_fast else None


@cache
def _bytes() -> dict[str, int]:
    """The byte of each character that stands for one in a byte-level vocabulary."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return {character: byte for byte, character in bytes_to_unicode().items()}


def _text(text: Any) -> str:
    if not isinstance(text, str):
        raise InputError(f"a {type(text).__name__}", place="text", expected="one text")
    return text


def _open(model: Any, tokenizer: Any) -> tuple[str, Any, Any, tuple[str, ...]]:
    """Name, model, tokenizer and the steps of normalisation of what `trace` was given."""
    if isinstance(model, Predictor):
        name = str(model.about.get("checkpoint", model.task.name))
        return f"{name}, {model.task.name}", lora.merged(model.model), model.tokenizer, model.task.normalization
    if isinstance(model, (str, Path)):
        return (str(model), *_load(str(model)), ())
    if not hasattr(model, "base_model") or not hasattr(model, "config"):
        raise InputError(
            f"a {type(model).__name__}",
            place="model",
            expected="the name or folder of a checkpoint, a Predictor, or a model of transformers",
        )
    if tokenizer is None:
        raise InputError("the model comes without its tokenizer", place="trace", fix="add tokenizer=...")
    return type(model).__name__, model, tokenizer, ()


def _load(given: str) -> tuple[Any, Any]:
    """A checkpoint's model, with the head of a language model where its weights have one, and its tokenizer."""
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForMaskedLM

    name = resolve(given)
    config = load_config(name)
    build_of(config)  # refused before the weights are loaded
    tokenizer = load_tokenizer(name, config)
    with_head = AutoModelForCausalLM if architecture_of(config).causal else AutoModelForMaskedLM
    model = load_model(name, config, with_head if has_head(config) else AutoModel, vocabulary=len(tokenizer))
    return model, tokenizer


def _encode(tokenizer: Any, texts: Sequence[str]) -> dict[str, Tensor]:
    if (mask := tokenizer.mask_token) is not None:
        texts = [text.replace("[MASK]", mask) for text in texts]
    # without a limit of length: what is too long is refused, not cut off
    encoded = dict(tokenizer(*texts, return_tensors="pt", truncation=False, verbose=False))
    if not encoded["input_ids"].numel():
        raise InputError(f"{texts[0]!r} has no tokens", place="text", expected="a text that is not empty")
    return {key: value for key, value in encoded.items() if key in tokenizer.model_input_names}


def _check_length(ids: Tensor, config: Any) -> None:
    limit = max_positions(config)
    if limit is not None and ids.shape[1] > limit:
        raise InputError(
            f"the text has {ids.shape[1]} tokens, special tokens included",
            place="text",
            expected=f"at most {limit}, the positions of this model",
            fix="trace a part of it",
        )


@contextmanager
def _undisturbed(model: Any) -> Iterator[None]:
    """The model without dropout and with attention that can be looked at; afterwards all is as it was."""
    training = [(module, module.training) for module in model.modules()]
    implementation = model.config._attn_implementation
    model.eval()
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(implementation)
        for module, flag in training:
            module.training = flag


def _run(model: Any, build: Build, encoded: dict[str, Tensor]) -> dict[str, Tensor]:
    """Attention, states, what stands between and what is added, of one text."""
    body, caught = model.base_model, defaultdict[str, list[Tensor]](list)
    blocks = list(attrgetter(architecture_of(model.config).layers)(body))
    with ExitStack() as hooks:
        for block in blocks:
            for name in ("attention", "feed_forward"):
                part = attrgetter(getattr(build, name))(block)
                hooks.callback(part.register_forward_hook(_keep_output(caught[name])).remove)
            between = attrgetter(build.between)(block)
            hooks.callback(between.register_forward_pre_hook(_keep_input(caught["between"])).remove)
        # the last of hidden_states has gone through GPT-2's final norm
        hooks.callback(blocks[-1].register_forward_hook(_keep_output(caught["last"])).remove)
        inputs = {key: value.to(model.device) for key, value in encoded.items()}
        output = body(**inputs, output_attentions=True, output_hidden_states=True, return_dict=True)
    states = [state[0] for state in output.hidden_states[:-1]]
    return {
        "attentions": torch.stack([attention[0] for attention in output.attentions]),
        "states": torch.stack([*states, *caught["last"]]),
        "between": torch.stack(caught["between"]),
        "added": torch.stack([torch.stack(caught["attention"]), torch.stack(caught["feed_forward"])], dim=1),
    }


def _keep_output(into: list[Tensor]) -> Callable[..., None]:
    def hook(_module: Any, _inputs: Any, output: Any) -> None:
        into.append((output[0] if isinstance(output, tuple) else output)[0])

    return hook


def _keep_input(into: list[Tensor]) -> Callable[..., None]:
    def hook(_module: Any, inputs: Any) -> None:
        into.append(inputs[0][0])

    return hook


def _norms(model: Any, build: Build) -> tuple[tuple[Norm, Norm], ...]:
    def copy(block: Any, path: str) -> Norm:
        norm = attrgetter(path)(block)
        return Norm(norm.weight.detach().float().cpu().clone(), norm.bias.detach().float().cpu().clone(), norm.eps)

    if not build.norms:
        return ()
    first, second = build.norms
    layers = attrgetter(architecture_of(model.config).layers)(model.base_model)
    return tuple((copy(layer, first), copy(layer, second)) for layer in layers)


def _listen(
    head: Callable[[Any], Any] | None, states: Tensor, candidates: int
) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
    """Logits of the last state, and of each state the likeliest words with their probabilities."""
    if head is None:
        return None, None, None
    ids, probabilities = [], []
    for state in states:  # one layer at a time: all logits at once would not fit for a long text
        logits = head(state).float()
        top = logits.softmax(-1).topk(min(candidates, logits.shape[-1]))
        ids.append(top.indices.cpu())
        probabilities.append(top.values.cpu())
    return logits.cpu(), torch.stack(ids), torch.stack(probabilities)
