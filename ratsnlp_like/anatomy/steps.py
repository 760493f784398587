"""A calculation as its named steps: each with its formula, its shape and its first values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..errors import InputError
from .tables import Table

_SHOWN = 6


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a calculation."""

    value: Tensor
    formula: str
    """How it comes about, in the names of the steps before it."""


@dataclass(frozen=True, eq=False, repr=False)
class Steps(Table, Mapping[str, Tensor]):
    """The steps of a calculation by name, in order: `steps["scores"]` or `steps.scores` is a tensor."""

    title: str
    steps: Mapping[str, Step]

    def __getitem__(self, name: str) -> Tensor:
        return self.steps[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getattr__(self, name: str) -> Tensor:
        if name != "steps" and name in self.steps:  # without steps while it is being copied
            return self.steps[name].value
        raise AttributeError(f"{name!r} is no step of this calculation")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.steps]

    @property
    def result(self) -> Tensor:
        """The last step."""
        return list(self.steps.values())[-1].value

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        return self.title, HEADER, [describe(name, step) for name, step in self.steps.items()]


HEADER = ("step", "formula", "shape", "first values")


def describe(name: str, step: Step) -> tuple[str, str, str, str]:
    """A row for the table of steps."""
    return name, step.formula, shape_of(step.value), first_values(step.value)


def shape_of(value: Tensor) -> str:
    """`3 x 4`; a number has the shape `()`."""
    return " x ".join(map(str, value.shape)) or "()"


def first_values(value: Tensor) -> str:
    """The first six values, row by row."""
    flat = value.reshape(-1)
    shown = [f"{float(number):.5g}" for number in flat[:_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(flat) > _SHOWN else [])])


def tensor(value: Any, name: str) -> Tensor:
    """Numbers of any kind as a tensor of floats; what is a tensor of floats stays what it is.

    Raises:
        InputError: these are no numbers, or rows of different lengths.
    """
    try:
        made = torch.as_tensor(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{' '.join(str(error).split())}", place=name, expected="numbers, in rows of the same length"
        ) from None
    return made if made.is_floating_point() else made.to(torch.float32)
