"""Counts of what reading changed, ignored or left out: one log line per kind and split, never silence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from ..errors import InputError
from ..examples.base import Place

log = logging.getLogger("ratsnlp_like")

_LISTED = 5  # skipped rows whose errors are logged in full


@dataclass
class Notices:
    """Notices of one pass over a split.

    Args:
        name: the corpus and its split, for messages.
    """

    name: str
    counts: dict[str, tuple[int, Place | None]] = field(default_factory=dict)
    """Kind of notice -> number of rows, and the first of them."""
    labels: dict[str, str] = field(default_factory=dict)
    """Label in lower case -> its first form."""
    skipped: list[InputError] = field(default_factory=list)
    """Errors of the rows that were left out, the first of them only."""
    skipped_rows: int = 0

    def add(self, kind: str, place: Place | None) -> None:
        """Count a row.

        Args:
            kind: what was found in it, for messages: `labels with zero-width characters, which are removed`.
            place: of the row.
        """
        number, first = self.counts.get(kind, (0, place))
        self.counts[kind] = number + 1, first

    def see_label(self, label: str, place: Place | None) -> bool:
        """Count a row whose label differs only in case from one seen before, and return True if it does not."""
        first = self.labels.setdefault(label.casefold(), label)
        if first != label:
            self.add(f"two labels that differ only in case, {first!r} and {label!r}", place)
        return first == label

    def skip(self, error: InputError) -> None:
        """Count a row that cannot be read and is left out."""
        self.skipped_rows += 1
        if len(self.skipped) < _LISTED:
            self.skipped.append(error)

    def log(self) -> None:
        """Log all notices, at the end of the pass."""
        for message in self.messages():
            log.warning("%s", message)
            if (collected := _collected.get()) is not None:
                collected.append(message)

    def messages(self) -> list[str]:
        """Return one message for each kind of notice, and one for the rows that are left out."""
        out = []
        for kind, (number, first) in self.counts.items():
            where = f", first: {first}" if first is not None else ""
            out.append(f"{self.name}: {kind} (rows: {number:,}{where}).")
        if self.skipped_rows:
            shown = "".join(f"\n- {error}" for error in self.skipped)
            more = f"\n- and {self.skipped_rows - len(self.skipped):,} more" * (self.skipped_rows > len(self.skipped))
            skipped = f"rows that cannot be read are left out (--on_error skip): {self.skipped_rows:,}"
            out.append(f"{self.name}: {skipped}{shown}{more}")
        return out


_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


@contextmanager
def collect_notices() -> Iterator[list[str]]:
    """Collect the messages that are logged within, for a cache to log them again."""
    messages: list[str] = []
    token = _collected.set(messages)
    try:
        yield messages
    finally:
        _collected.reset(token)


def log_again(messages: Iterable[str]) -> None:
    """Log messages that `collect_notices` collected."""
    for message in messages:
        log.warning("%s", message)
