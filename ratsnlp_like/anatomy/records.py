"""Records of a trace: attention, the residual stream and the candidates of each layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .blocks import layer_norm
from .distribution import Decoding, decoding
from .steps import Step, describe
from .tables import Table


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
    """Most probable words at one position, as the model's head reads the state after each layer."""

    position: int
    """Position of the state, from 0."""
    token: str
    """Token at the position."""
    words: tuple[tuple[str, ...], ...]
    """Most probable words of each layer (the embeddings first), in descending order of probability."""
    probabilities: Tensor
    """Their probabilities. Shape: (layers + 1, words)."""

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        rows = [
            (layer_name(i), *(f"{word} {p:.3f}" for word, p in zip(words, own.tolist(), strict=True)))
            for i, (words, own) in enumerate(zip(self.words, self.probabilities, strict=True))
        ]
        header = ("layer", *(f"{rank + 1}." for rank in range(len(self.words[0]))))
        return f"candidates at position {self.position} ({self.token})", header, rows


@dataclass(frozen=True, eq=False, repr=False)
class Trace(Table):
    """Everything recorded while a text runs through a model. Layer 0 of `states` is the embeddings."""

    model: str
    """Model type, and the name it was loaded by."""
    text: str
    tokens: tuple[str, ...]
    """Readable tokens: a leading space is `▁`, and bytes that are no whole character are in `<>`."""
    ids: Tensor
    """Token ids. Shape: (tokens)."""
    causal: bool
    """True if a token attends only to itself and to earlier tokens."""
    attentions: Tensor
    """Attention weights; each row sums to 1. Shape: (layers, heads, tokens, tokens)."""
    states: Tensor
    """Residual stream: the embeddings, then the state after each layer. Shape: (layers + 1, tokens, width)."""
    mid_states: Tensor
    """Residual stream between attention and feed-forward network. Shape: (layers, tokens, width)."""
    updates: Tensor
    """Outputs of attention and feed-forward network, added to the stream. Shape: (layers, 2, tokens, width)."""
    post_norms: tuple[tuple[Norm, Norm], ...]
    """Norms after the two residual connections of each layer (BERT); empty for pre-norm models (GPT-2)."""
    logits: Tensor | None
    """Logits at each position; None without a language model head. Shape: (tokens, vocabulary)."""
    lens_ids: Tensor | None
    """Ids of the most probable words of each layer's state. Shape: (layers + 1, tokens, candidates)."""
    lens_probabilities: Tensor | None
    """Their probabilities, in the same shape."""
    mask_id: int | None
    """Id of [MASK]."""
    name_of: Callable[[int], str] = field(default=str)
    """Function from a token id to its readable token."""

    @property
    def layers(self) -> int:
        """Number of layers."""
        return len(self.attentions)

    @property
    def norms(self) -> Tensor:
        """Length of the vectors of the residual stream. Shape: (layers + 1, tokens)."""
        return self.states.norm(dim=-1)

    @property
    def update_norms(self) -> Tensor:
        """Length of the sub-layers' outputs. Shape: (layers, 2, tokens)."""
        return self.updates.norm(dim=-1)

    @property
    def update_cosines(self) -> Tensor:
        """Cosine of each sub-layer's output and the stream it results in. Shape: (layers, 2, tokens)."""
        results = torch.stack([self.mid_states, self.states[1:]], dim=1)
        return torch.cosine_similarity(self.updates, results, dim=-1)

    def reconstructed(self) -> Tensor:
        """Return each state computed from the previous one and the updates; equals `states[1:]`.

        Shape: (layers, tokens, width).
        """
        if not self.post_norms:
            return self.states[:-1] + self.updates.sum(dim=1)
        out = []
        for state, (attention, feed_forward), (first, second) in zip(
            self.states[:-1], self.updates, self.post_norms, strict=True
        ):
            out.append(second(first(state + attention) + feed_forward))
        return torch.stack(out)

    def candidates(self, *, position: int | None = None, k: int = 5) -> Candidates:
        """Return the most probable words by layer, as the model's own head reads each state ("logit lens").

        Args:
            position: of the state, from 0 (negative: from the end). Default: the first [MASK], or the last token of
                a causal model, whose state at a position predicts the next token.
            k: number of words for each layer.

        Raises:
            InputError: the model has no language model head, the position does not exist, the text has no [MASK], or
                `trace` kept fewer words.
        """
        _, ids, probabilities = self._head_outputs()
        if not 1 <= k <= ids.shape[-1]:
            raise InputError(
                f"{k}", place="k", expected=f"1 to {ids.shape[-1]}", fix="for more, trace with a larger `candidates`"
            )
        at = self._position(position)
        words = tuple(tuple(map(self.name_of, row)) for row in ids[:, at, :k].tolist())
        return Candidates(at, self.tokens[at], words, probabilities[:, at, :k])

    def decoding(self, *, position: int | None = None, **settings: Any) -> Decoding:
        """Return the model's distribution at a position under settings of `generate`; see `anatomy.decoding`.

        Args:
            position: as for `candidates`.
            settings: temperature, top_k, top_p, repetition_penalty (of the tokens up to the position).

        Raises:
            InputError: as for `candidates`, or a setting is out of range.
        """
        logits, *_ = self._head_outputs()
        at = self._position(position)
        previous = self.ids[: at + 1].tolist()
        return decoding(logits[at], previous=previous, names=self.name_of, **settings)

    def _head_outputs(self) -> tuple[Tensor, Tensor, Tensor]:
        if self.logits is None or self.lens_ids is None or self.lens_probabilities is None:
            raise InputError(
                f"{self.model} has no language model head, and so no candidates",
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
                f"no [MASK] in {self.text!r}",
                expected="a [MASK] where a masked language model is to predict a word",
                fix="write [MASK] in place of a word, or choose a token with position=",
            )
        return int(found[0])

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        parts = {
            "ids": Step(self.ids, "tokens"),
            "attentions": Step(self.attentions, "layers, heads, tokens, tokens"),
            "states": Step(self.states, "layers + 1, tokens, width"),
            "updates": Step(self.updates, "layers, attention and feed-forward, tokens, width"),
            "norms": Step(self.norms, "layers + 1, tokens"),
            "update_norms": Step(self.update_norms, "layers, 2, tokens"),
            "update_cosines": Step(self.update_cosines, "layers, 2, tokens"),
        }
        if self.logits is not None:
            parts["logits"] = Step(self.logits, "tokens, vocabulary")
        header = ("name", "dimensions", "shape", "first values")
        return f"{self.model}: {' '.join(self.tokens)}", header, [describe(*part) for part in parts.items()]


def layer_name(layer: int) -> str:
    """Return the number of a layer, or `embeddings` for layer 0."""
    return str(layer) if layer else "embeddings"
