"""Errors of users and of training.

Every error that a user can fix is an `InputError`: the command line prints it as one message and exits with 2. The
message states the problem and its place, what was expected, and the fix. Any other exception is a defect of this
package and keeps its traceback.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class InputError(ValueError):
    """The user's input is wrong.

    Args:
        problem: one sentence.
        place: a file (`reviews.tsv`), a line of one (`reviews.tsv, line 12`) or a flag.
        expected: a valid input.
        fix: the remedy, ready to paste where possible.
    """

    def __init__(
        self,
        problem: str,
        *,
        place: object = None,
        expected: str | None = None,
        fix: str | None = None,
    ) -> None:
        self.problem, self.place, self.expected, self.fix = problem, place, expected, fix
        lines = [f"{place}: {problem}" if place else problem]
        if expected:
            lines.append(f"  expected: {expected}")
        if fix:
            lines.append(f"  fix: {fix}")
        super().__init__("\n".join(lines))

    def at(self, place: object) -> InputError:
        """Return the same problem with a place, unless it has one."""
        return self if self.place else InputError(self.problem, place=place, expected=self.expected, fix=self.fix)

    def or_else(self, other: str) -> InputError:
        """Return the same problem with another remedy after its own."""
        fix = f"{self.fix}; or {other}" if self.fix else other
        return InputError(self.problem, place=self.place, expected=self.expected, fix=fix)

    def __reduce__(self) -> tuple[object, ...]:  # survives worker processes
        return (_rebuild, (self.problem, self.place, self.expected, self.fix))


def with_article(name: str) -> str:
    """Return a name with its indefinite article: a bert, an albert, an xlm-roberta."""
    return f"an {name}" if re.match(r"[aeio]|xl", name, re.IGNORECASE) else f"a {name}"


def _rebuild(problem: str, place: object, expected: str | None, fix: str | None) -> InputError:
    return InputError(problem, place=place, expected=expected, fix=fix)


class TrainingError(RuntimeError):
    """Training cannot continue, for example because the loss is not finite. The message states reason and batch."""


def raise_together(errors: Sequence[InputError]) -> None:
    """Raise all problems of one configuration at once."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputError(f"{len(errors)} problems:\n" + "\n".join(f"- {error}" for error in errors))


def is_full(error: BaseException) -> bool:
    """Return whether an error means a full disk; safetensors and torch raise types of their own for it."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    text = str(error)
    return any(
        sign in text for sign in ("os error 28", "os error 27", "No space left", "file write failed", "File too large")
    )


def did_you_mean(name: str, known: Iterable[str], *, few: bool = False) -> str:
    """Return `did you mean 'nsmc'? known: ...` for an unknown name; with `few`, the close names only."""
    known = sorted(known)
    near = get_close_matches(name, known, n=3, cutoff=0.6) or [other for other in known if name and name in other][:3]
    close = [match for match in near if match != name]
    question = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    if few:
        return question
    return question + ("known: " + ", ".join(known) if known else "none is known")


def is_panic(error: BaseException) -> bool:
    """Return True for a panic of a library that is written in Rust, such as tokenizers; it is no `Exception`."""
    return type(error).__name__ == "PanicException"
