"""Columns of a file -> fields of an example: the columns that the user named, else known names."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache

from ..errors import InputError, did_you_mean
from ..examples.base import Example
from .cells import has_column
from .formats import Row
from .formats.base import listed

log = logging.getLogger("ratsnlp_like")

_SUGGESTED = 1000  # columns that a misspelt name is compared with


def find_columns(
    row: Row, kind: type[Example], named: Mapping[str, str], left_out: frozenset[str] = frozenset()
) -> dict[str, tuple[str, ...]]:
    """Return the column of each field (but those left out): the one that was named, else the first known name.

    Args:
        row: the first row of a file.
        kind: the type of example, whose fields are looked for.
        named: field -> column, as named by the user or the corpus.
        left_out: fields that are not read.

    Raises:
        InputError: a named column does not exist, or a required one is not found.
    """
    header = {name.strip().lower(): name for name in row.values}
    place = row.place.file
    clashes = _clashes(row.values, header)
    left_out |= _unused_alternatives(header, kind, named, place)
    found: dict[str, tuple[str, ...]] = {}
    others: dict[str, list[str]] = {}
    for name in kind.columns():
        if name in left_out:
            continue
        flag = f"--{name}_column"
        if wanted := named.get(name):
            found[name] = _named_columns(row, wanted, flag, found)
            continue
        known = [a for a in (name, *kind.aliases.get(name, ())) if a in header]
        taken = {column for columns in found.values() for column in columns}
        if known and known[0] in clashes:
            raise InputError(
                f"two columns for the {name}, which differ in case or spaces: {listed(clashes[known[0]])}",
                place=place,
                fix=f"name one of them: {flag} COLUMN",
            )
        if known and header[known[0]] not in taken:
            found[name] = (header[known[0]],)
            if known[0] != name:
                others[name] = [header[other] for other in known[1:]]
        elif name not in kind.optional:
            raise missing_column(row, kind, name)
    _report_choices(place, found, others)
    return found


def _clashes(names: Mapping[str, object], header: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of columns that are one name in lower case."""
    if len(header) == len(names):
        return {}
    lowered: dict[str, list[str]] = {}
    for name in names:
        lowered.setdefault(name.strip().lower(), []).append(name)
    return {lower: same for lower, same in lowered.items() if len(same) > 1}


def missing_column(row: Row, kind: type[Example], name: str) -> InputError:
    """Return the error for a field without a column."""
    return InputError(
        f"no column for the {name} among {listed(list(row.values))}",
        place=row.place.file,
        expected=f"a column named {', '.join(kind.aliases.get(name, (name,))[:6])}, ...",
        fix=f"name it: --{name}_column COLUMN; a file without a header line: --columns {','.join(kind.required())},...",
    )


def named_cell(row: Row, column: str, flag: str) -> str:
    """Return the cell of a column that the user named, as a string.

    Raises:
        InputError: there is no such column.
    """
    if column not in row.values:
        raise InputError(
            f"no column {column!r} ({flag}); the columns are {listed(list(row.values))}",
            place=row.place,
            fix=did_you_mean(column, row.values, few=True) or "name one of them",
        )
    return str(row.values[column])


def _named_columns(row: Row, wanted: str, flag: str, found: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns that a user named for a field: one, or several separated by commas."""
    place = row.place.file
    parts = [wanted] if has_column(row.values, wanted) else [part.strip() for part in wanted.split(",")]
    for part in parts:
        if not has_column(row.values, part):
            raise InputError(
                f"no column {part!r} ({flag}); the columns are {listed(list(row.values))}",
                place=place,
                fix=did_you_mean(part, list(row.values)[:_SUGGESTED], few=len(row.values) > 12) or "name one of them",
            )
    if clash := [part for columns in found.values() for part in columns if part in parts]:
        raise InputError(f"the column {clash[0]!r} is named twice ({flag})", place=place, fix="name another one")
    return tuple(parts)


def _report_choices(place: str, found: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> None:
    """Log the column that is read for a field, where another known one is read for none."""
    used = {column for columns in found.values() for column in columns}
    for name, columns in others.items():
        if unread := [repr(column) for column in columns if column not in used]:
            _report_choice(place, name, found[name][0], ", ".join(unread))


@cache  # once per file
def _report_choice(place: str, name: str, chosen: str, others: str) -> None:
    log.info("%s: the %s is read from %r, not from %s (--%s_column).", place, name, chosen, others, name)


def _unused_alternatives(
    header: Mapping[str, str], kind: type[Example], named: Mapping[str, str], place: str
) -> frozenset[str]:
    """Return the alternative fields of an example that this file does not have or that another one precedes."""
    if not kind.alternatives:
        return frozenset()
    present = [name for name in kind.alternatives if any(a in header for a in (name, *kind.aliases.get(name, ())))]
    chosen = next((name for name in kind.alternatives if named.get(name)), present[0] if present else None)
    if chosen is None:
        raise InputError(
            f"no column for {' or '.join(kind.alternatives)} among {listed(list(header.values()))}",
            place=place,
            fix="name it: " + ", ".join(f"--{name}_column COLUMN" for name in kind.alternatives),
        )
    unused = frozenset(kind.alternatives) - {chosen}
    return unused | {name for name, owners in kind.dependent.items() if unused.issuperset(owners)}
