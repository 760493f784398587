"""Counts of what reading changed, ignored or left out: one log line per kind and split, never silence."""

from __future__ import annotations

import logging
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

    def see_label(self, label: str, place: Place | None) -> None:
        """Count a row whose label differs only in case from one seen before."""
        first = self.labels.setdefault(label.casefold(), label)
        if first != label:
            self.add(f"two labels that differ only in case, {first!r} and {label!r}", place)

    def skip(self, error: InputError) -> None:
        """Count a row that cannot be read and is left out."""
        self.skipped_rows += 1
        if len(self.skipped) < _LISTED:
            self.skipped.append(error)

    def log(self) -> None:
        """Log all notices, at the end of the pass."""
        for kind, (number, first) in self.counts.items():
            where = f", first: {first}" if first is not None else ""
            log.warning("%s: %s (rows: %s%s).", self.name, kind, f"{number:,}", where)
        if self.skipped_rows:
            shown = "\n".join(f"- {error}" for error in self.skipped)
            more = f"\n- and {self.skipped_rows - len(self.skipped):,} more" * (self.skipped_rows > len(self.skipped))
            log.warning(
                "%s: rows that cannot be read are left out (--on_error skip): %s\n%s%s",
                self.name,
                f"{self.skipped_rows:,}",
                shown,
                more,
            )
