"""What a user sees when something is wrong.

Every error that a user can mend is an `InputError`: the command line prints it as one message and
exits with 2. It says what was got and where, what was expected, and how to mend it. Whatever else
escapes is a defect of this package and keeps its traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class InputError(ValueError):
    """The user's input is at fault.

    Args:
        problem: what was got, in one sentence.
        place: where it stands: a file (`reviews.tsv`), a line of one (`reviews.tsv, line 12`) or a flag.
        expected: what was expected instead.
        fix: how to mend it, ready to paste where possible.
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
        """The same problem with the place where it was met, unless it names one itself."""
        return self if self.place else InputError(self.problem, place=place, expected=self.expected, fix=self.fix)

    def __reduce__(self) -> tuple[object, ...]:  # survives worker processes
        return (_rebuild, (self.problem, self.place, self.expected, self.fix))


def _rebuild(problem: str, place: object, expected: str | None, fix: str | None) -> InputError:
    return InputError(problem, place=place, expected=expected, fix=fix)


class TrainingError(RuntimeError):
    """Training cannot go on (a loss that is not finite, say). The message holds the reason and the batch."""


def raise_together(errors: Sequence[InputError]) -> None:
    """Raise all problems of one configuration at once, so that a user mends them in one go."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputError(f"{len(errors)} problems:\n" + "\n".join(f"- {error}" for error in errors))


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk takes no more; safetensors and torch wrap it in their own kinds."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return True
    text = str(error)
    return any(
        sign in text for sign in ("os error 28", "os error 27", "No space left", "file write failed", "File too large")
    )


def did_you_mean(name: str, known: Iterable[str], *, few: bool = False) -> str:
    """`did you mean 'nsmc'? known: ...` for a name that is not among the known ones; with `few`, close names only."""
    known = sorted(known)
    near = get_close_matches(name, known, n=3, cutoff=0.6) or [other for other in known if name and name in other][:3]
    close = [match for match in near if match != name]
    question = f"did you mean {' or '.join(map(repr, close))}? " if close else ""
    if few:
        return question
    return question + ("known: " + ", ".join(known) if known else "none is known")
