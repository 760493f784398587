"""Training rows with the noise of real text: a seeded half of them is perturbed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from ..errors import InputError
from ..examples.base import Example
from ..tasks.forward import can_be_wrong
from ..text.perturbations import perturb, random_of
from .reading import ReadSplit

_SHARE = 0.5
"""Share of the rows that are perturbed."""


@dataclass(frozen=True)
class AugmentedSplit(ReadSplit):
    """A split of which half of the rows are perturbed, each by one kind of noise. Nothing else changes."""

    names: tuple[str, ...] = ()
    """Of `text.perturbations.PERTURBATIONS`."""
    seed: int = 0

    @classmethod
    def of(cls, read: ReadSplit, names: Sequence[str], seed: int) -> AugmentedSplit:
        """Return a split with noise; entities and answers keep their spans."""
        return cls(**{f.name: getattr(read, f.name) for f in fields(ReadSplit)}, names=tuple(names), seed=seed)

    @property
    def variant(self) -> str:
        return f"{','.join(self.names)} {self.seed}"

    def _from_cells(self, cells: Sequence[Any]) -> Example:
        example = super()._from_cells(cells)
        random = random_of(f"{self.seed} {example}")
        if random.random() >= _SHARE:
            return example
        name = random.choice(self.names)
        return example.edited(partial(perturb, name=name, seed=self.seed))


def check_augmentation(task: object) -> None:
    """Check that noise in a text leaves its gold labels as they are.

    Raises:
        InputError: the task predicts the text itself, and would be trained to produce the noise.
    """
    if not can_be_wrong(task):
        raise InputError(
            "the task predicts the text itself: a model would be trained to write the noise",
            place="--augment",
            expected="a task with gold labels: classes, pairs, scores, entities, answers",
        )
