"""The schedule of the learning rate, and values of options that are `auto`: its peak and the number of epochs."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..arguments import Schedule, TrainingArguments
from ..checkpoints import adapters as lora

log = logging.getLogger("ratsnlp_like")

_BASE_SIZE, _BASE_RATE = 85e6, 5e-5
"""A BERT of base shape: parameters without embeddings, and its learning rate (Devlin et al. 2018, arXiv:1810.04805)."""
_EXPONENT = 0.7
"""Measured for ko-tiny-bert (3.2 million parameters, 5e-4); at 303 million it yields the 2e-5 usual for large models,
at 9.5 million 2e-4 (ELECTRA small: 3e-4; Clark et al. 2020, arXiv:2003.10555)."""
_LOWEST, _HIGHEST = 1e-5, 1e-3
_LORA_FACTOR, _HIGHEST_LORA = 10, 2e-3
"""Adapters are few weights that start at zero (Hu et al. 2021, arXiv:2106.09685, use 4e-4 and more for base models)."""
_RANDOM_FACTOR = 2
"""Random weights have no pretraining to preserve."""
EPOCHS, MIN_STEPS, MAX_EPOCHS = 3, 200, 30
"""Passes over a corpus; fewest optimizer steps, for which passes are added; and most passes that are added for them."""


@dataclass(frozen=True)
class Choice:
    """A value for an option that is `auto`."""

    value: Any
    reason: str


def schedule_factor(step: int, *, schedule: Schedule, warmup: int, steps: int) -> float:
    """Return the share of the peak learning rate at a step, as the schedules of transformers do.

    transformers' own are not used: importing them fails next to a torch_xla that cannot be imported, as images of
    Colab had it.

    Args:
        step: from 0.
        schedule: what follows the warm-up.
        warmup: steps of a linear warm-up from 0.
        steps: of the training.
    """
    if step < warmup:
        return step / warmup
    if schedule == "constant":
        return 1.0
    left = max(0.0, (steps - step) / max(1, steps - warmup))
    return left if schedule == "linear" else (1 - math.cos(math.pi * left)) / 2


def settle(found: dict[str, Any], name: str, choose: Callable[[], Choice]) -> Any:
    """Return the value of an option that is `auto`, and log it; a resumed run keeps the one that it began with.

    Args:
        found: values by name, with their `reasons`; the choice is added.
        name: of the option.
        choose: called if there is no value yet.
    """
    if name not in found:
        choice = choose()
        found[name] = choice.value
        found.setdefault("reasons", {})[name] = choice.reason
    value = found[name]
    shown = f"{value:.0e}".replace("e-0", "e-") if isinstance(value, float) else str(value)
    log.info("%s %s: %s (--%s sets another)", name.replace("_", " "), shown, found["reasons"][name], name)
    return value


def with_learning_rate(
    arguments: TrainingArguments, model: Any, found: dict[str, Any], *, random: bool
) -> TrainingArguments:
    """Return the arguments with a learning rate, see `settle` and `choose_learning_rate`."""
    if arguments.learning_rate != "auto":
        return arguments
    rate = settle(found, "learning_rate", lambda: choose_learning_rate(model, random=random))
    return replace(arguments, learning_rate=rate)


def with_epochs(arguments: TrainingArguments, batches: int, found: dict[str, Any]) -> TrainingArguments:
    """Return the arguments with a number of epochs, see `settle` and `choose_epochs`.

    Args:
        arguments: of the run.
        batches: batches of an epoch.
        found: values by name.
    """
    if arguments.epochs != "auto":
        return arguments
    if arguments.max_steps is not None:  # which may be another number when a run is resumed
        found.pop("epochs", None)
    steps = -(-batches // arguments.accumulate)
    return replace(
        arguments, epochs=settle(found, "epochs", lambda: choose_epochs(steps, max_steps=arguments.max_steps))
    )


def learning_rate(arguments: TrainingArguments, model: Any) -> float:
    """Return the learning rate of the arguments; where it is `auto`, that for the model."""
    rate = arguments.learning_rate
    return float(choose_learning_rate(model).value) if rate == "auto" else rate


def choose_learning_rate(model: Any, *, random: bool = False) -> Choice:
    """Return a peak learning rate of AdamW: a power of the number of parameters, to one digit.

    Args:
        model: with its adapters, if it is trained with LoRA.
        random: the model starts from random weights.
    """
    size = size_without_embeddings(model)
    rate = _BASE_RATE * (_BASE_SIZE / max(size, 1)) ** _EXPONENT * (_RANDOM_FACTOR if random else 1)
    reason = f"for {_in_words(size)} parameters without embeddings" + ", random weights" * random
    highest = _HIGHEST
    if lora.has_adapter(model):
        rate, highest, reason = rate * _LORA_FACTOR, _HIGHEST_LORA, f"{reason}, LoRA"
    return Choice(float(f"{min(max(rate, _LOWEST), highest):.0e}"), reason)


def size_without_embeddings(model: Any) -> int:
    """Return the number of parameters that are neither embeddings nor adapters; tied weights are embeddings."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    named = model.named_parameters()
    return sum(p.numel() for name, p in named if id(p) not in embeddings and "lora_" not in name)


def _in_words(size: int) -> str:
    if size < 1e6:
        return f"{size:,}"
    return f"{size / 1e6:,.{1 if size < 100e6 else 0}f} million"


def choose_epochs(steps: int, *, max_steps: int | None = None) -> Choice:
    """Return the number of passes over a corpus: 3, and more where it is small or `max_steps` needs them.

    Args:
        steps: optimizer steps of an epoch.
        max_steps: steps that the user has set.
    """
    every = f"{steps:,} step{'s' * (steps != 1)} each"
    if max_steps is not None:
        return Choice(max(1, math.ceil(max_steps / steps)), f"{every}, for {max_steps:,} steps")
    epochs = max(EPOCHS, min(MAX_EPOCHS, math.ceil(MIN_STEPS / steps)))
    return Choice(epochs, every if epochs == EPOCHS else f"{every}, since a small corpus needs about {MIN_STEPS} steps")
