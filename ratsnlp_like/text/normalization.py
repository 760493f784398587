"""Korean text normalisation with the source of every character. Standard library only.

A span found in the normalised text (an answer, an entity) can be shown in the original, and a span
that a corpus marks in the original can be found again in the normalised text:

    >>> normalize = Normalizer(("html", "shorten-repeats"))
    >>> result = normalize("<b>기생충</b> 최고ㅋㅋㅋㅋㅋ")
    >>> result.text
    '기생충 최고ㅋㅋ'
    >>> result.from_original(3, 6), result.to_original(0, 3)
    ((0, 3), (3, 6))

A step reads the text and returns *edits*: (start, end, replacement). One function of `edits` applies them and
updates the map, so that a step keeps no record of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InputError, did_you_mean, raise_together
from .edits import Normalized
from .steps import STEPS


@dataclass(frozen=True, slots=True)
class Normalizer:
    """Applies named steps in the order given; without steps, texts do not change.

    Args:
        steps: names of `STEPS`.

    Raises:
        InputError: for a name that is not among `STEPS`.
    """

    steps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the names before the first text."""
        if isinstance(self.steps, str):
            raise InputError(
                f"the steps of normalisation are one string, {self.steps!r}",
                expected="a sequence of names",
                fix=f"steps=({self.steps!r},)",
            )
        object.__setattr__(self, "steps", tuple(self.steps))  # a list, as JSON has it, will do
        unknown = [name for name in self.steps if name not in STEPS]
        raise_together(
            [InputError(f"unknown step of normalisation {name!r}", fix=did_you_mean(name, STEPS)) for name in unknown]
        )

    def __call__(self, text: str) -> Normalized:
        """Normalise one text."""
        length = len(text)
        result = Normalized(text, text, range(length), range(1, length + 1))
        for name in self.steps:
            result = STEPS[name](result)
        return result
