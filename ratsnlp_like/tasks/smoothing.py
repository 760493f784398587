"""Tasks whose targets are classes or tokens, and can be smoothed in training."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError
from .base import B, E, F, P, Task


@dataclass(frozen=True)
class SmoothsLabels(Task[E, P, F, B]):
    """A task with `label_smoothing`; its loss takes the field into account."""

    label_smoothing: float = 0.0
    """Share of the target distribution that is spread evenly over all classes (of a language model: over the
    vocabulary), such as 0.1 (Szegedy et al. 2016, arXiv:1512.00567)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.label_smoothing < 1:
            raise InputError(f"{self.label_smoothing}", place="--label_smoothing", expected="at least 0, below 1")
