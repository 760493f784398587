"""A calculation as named steps, each with its formula, shape and first values."""

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
    """Formula in the names of earlier steps."""


@dataclass(frozen=True, eq=False, repr=False)
class Steps(Table, Mapping[str, Tensor]):
    """Steps of a calculation by name, in order: `steps["scores"]` or `steps.scores` is a tensor."""

    title: str
    steps: Mapping[str, Step]

    def __getitem__(self, name: str) -> Tensor:
        return self.steps[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def __getattr__(self, name: str) -> Tensor:
        if name != "steps" and name in self.steps:  # copy.copy looks attributes up before `steps` is set
            return self.steps[name].value
        raise AttributeError(f"{name!r} is not a step of this calculation")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.steps]

    @property
    def result(self) -> Tensor:
        """Value of the last step."""
        return list(self.steps.values())[-1].value

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        return self.title, HEADER, [describe(name, step) for name, step in self.steps.items()]


HEADER = ("step", "formula", "shape", "first values")


def describe(name: str, step: Step) -> tuple[str, str, str, str]:
    """Return a step's row of the table."""
    return name, step.formula, shape_of(step.value), first_values(step.value)


def shape_of(value: Tensor) -> str:
    """Return a shape as `3 x 4`, or `()` for a number."""
    return " x ".join(map(str, value.shape)) or "()"


def first_values(value: Tensor) -> str:
    """Return the first six values, row by row."""
    flat = value.reshape(-1)
    shown = [f"{float(number):.5g}" for number in flat[:_SHOWN]]
    return ", ".join([*shown, *(["…"] if len(flat) > _SHOWN else [])])


def tensor(value: Any, name: str) -> Tensor:
    """Return numbers as a float tensor; a float tensor is returned unchanged.

    Raises:
        InputError: the values are not numbers, or the rows have different lengths.
    """
    try:
        converted = torch.as_tensor(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{' '.join(str(error).split())}", place=name, expected="numbers, in rows of the same length"
        ) from None
    return converted if converted.is_floating_point() else converted.to(torch.float32)
