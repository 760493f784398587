"""Decoding settings (temperature, top-k, top-p, repetition penalty) applied to a distribution over the next word."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError, raise_together
from .steps import Step, Steps, tensor
from .tables import Table

_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class Decoding(Table):
    """Distribution over the next word before and after decoding settings are applied."""

    steps: Steps
    """Logits after each setting, and the probabilities before the first and after the last."""
    name_of: Callable[[int], str] = field(default=str)
    """Function from an id to its word."""
    settings: str = ""
    """The settings in one line; empty without any."""

    @property
    def before(self) -> Tensor:
        """Probabilities of the model. Shape: (words)."""
        return self.steps["before"]

    @property
    def after(self) -> Tensor:
        """Probabilities that are sampled from; 0 for the words that were cut off. Shape: (words)."""
        return self.steps["after"]

    @property
    def kept(self) -> Tensor:
        """True for the words that remain. Shape: (words)."""
        return self.after > 0

    def candidates(self) -> list[tuple[str, float]]:
        """Return the words that remain with their probabilities, the most probable first."""
        values, ids = self.after.sort(descending=True, stable=True)
        return [(self.name_of(int(i)), float(p)) for p, i in zip(values, ids, strict=True) if p > 0]

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        ids = self.before.argsort(descending=True, stable=True)[:_SHOWN].tolist()
        kept = self.kept
        after = [f"{self.after[i]:.4f}" if kept[i] else "-" for i in ids]
        rows = [(self.name_of(i), f"{self.before[i]:.4f}", p) for i, p in zip(ids, after, strict=True)]
        title = f"{self.settings or 'default settings'}: {int(kept.sum())} of {len(self.before)} words remain"
        return title, ("word", "before", "after"), rows


def decoding(
    logits: Any,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float = 1.0,
    repetition_penalty: float = 1.0,
    previous: Iterable[int] = (),
    names: Sequence[str] | Callable[[int], str] = str,
) -> Decoding:
    """Apply decoding settings to a distribution, in the order of transformers: penalty, temperature, top-k, top-p.

    Args:
        logits: of the next word, (words); log-probabilities are accepted too.
        temperature: above 1 flattens the distribution, below 1 sharpens it.
        top_k: number of most probable words kept; None keeps all.
        top_p: the most probable words are kept until their probabilities add up to this.
        repetition_penalty: above 1 makes the words of `previous` less probable.
        previous: ids of the words so far.
        names: words by their ids.

    Raises:
        InputError: a setting is out of range.
    """
    previous = list(previous)
    x = tensor(logits, "logits")
    _check(x, previous, temperature=temperature, top_k=top_k, top_p=top_p, repetition_penalty=repetition_penalty)
    settings: tuple[tuple[str, float | None, Callable[[Tensor], Tensor], str], ...] = (
        (
            "repetition_penalty",
            None if repetition_penalty == 1 else repetition_penalty,
            lambda x: penalize_repetition(x, repetition_penalty, previous),
            "words so far: positive logits / penalty, negative logits · penalty",
        ),
        ("temperature", None if temperature == 1 else temperature, lambda x: x / temperature, "logits / temperature"),
        ("top_k", top_k, lambda x: keep_top_k(x, top_k or 1), "-∞ except for the k most probable"),
        ("top_p", None if top_p == 1 else top_p, lambda x: keep_top_p(x, top_p), "-∞ except for the top words up to p"),
    )
    steps = {"logits": Step(x, "input"), "before": Step(x.softmax(-1), "softmax of logits")}
    changed = [setting for setting in settings if setting[1] is not None]
    for name, _, change, formula in changed:
        x = change(x)
        steps[name] = Step(x, formula)
    steps["after"] = Step(x.softmax(-1), "softmax of the last logits")
    summary = ", ".join(f"{name}={value:g}" for name, value, *_ in changed)
    name_of = names if callable(names) else names.__getitem__
    return Decoding(Steps("decoding", steps), name_of, summary)


def penalize_repetition(logits: Tensor, penalty: float, previous: Sequence[int]) -> Tensor:
    """Return logits with the previous words made less probable: positive ones divided, negative ones multiplied."""
    out = logits.clone()
    seen = sorted(set(previous))
    out[seen] = torch.where(out[seen] < 0, out[seen] * penalty, out[seen] / penalty)
    return out


def keep_top_k(logits: Tensor, k: int) -> Tensor:
    """Return logits that are -∞ except for the k largest and any that tie with the k-th."""
    least = logits.topk(min(k, len(logits))).values[-1]
    return logits.masked_fill(logits < least, -math.inf)


def keep_top_p(logits: Tensor, p: float) -> Tensor:
    """Return logits that are -∞ except for the smallest set of the largest whose probabilities reach p."""
    ordered, ids = logits.sort()
    cut = ordered.softmax(-1).cumsum(-1) <= 1 - p
    cut[-1] = False
    return logits.masked_fill(torch.zeros_like(cut).scatter(0, ids, cut), -math.inf)


def _check(
    logits: Tensor,
    previous: Sequence[int],
    *,
    temperature: float,
    top_k: int | None,
    top_p: float,
    repetition_penalty: float,
) -> None:
    problems = []
    if logits.dim() != 1 or not len(logits):
        problems.append(
            InputError(f"the shape {tuple(logits.shape)}", place="logits", expected="one for each word: (words)")
        )
    elif wrong := [i for i in previous if not 0 <= i < len(logits)]:
        problems.append(InputError(f"{wrong[0]}", place="previous", expected=f"ids from 0 to {len(logits) - 1}"))
    if not temperature > 0:
        problems.append(
            InputError(
                f"{temperature}",
                place="temperature",
                expected="a number above 0",
                fix="for the most probable word alone (greedy search) set top_k=1",
            )
        )
    if top_k is not None and top_k < 1:
        problems.append(InputError(f"{top_k}", place="top_k", expected="at least 1", fix="None keeps all words"))
    if not 0 < top_p <= 1:
        problems.append(InputError(f"{top_p}", place="top_p", expected="above 0, 1 at most", fix="1 keeps all words"))
    if not repetition_penalty > 0:
        problems.append(InputError(f"{repetition_penalty}", place="repetition_penalty", expected="above 0; 1 for none"))
    raise_together(problems)
