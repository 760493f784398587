"""Types of options, which are the fields of dataclasses: checks of values, and types in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import InputError, did_you_mean


def check_types(kind: type[Any], options: Mapping[str, Any]) -> None:
    """Check that options have the types of the fields of a dataclass, as the command line does.

    Raises:
        InputError: an option has another type, or is not a field.
    """
    hints = get_type_hints(kind)
    for name, value in options.items():
        if name not in hints:
            raise InputError(f"unknown option {name!r}", fix=did_you_mean(name, hints))
        if not _fits(value, hints[name]):
            raise InputError(f"{value!r}", place=name, expected=type_in_words(hints[name]))


def type_in_words(hint: Any) -> str:
    """Return a type in words: `int | None` is `a whole number or nothing`."""
    return " or ".join(_in_words(part) for part in (get_args(hint) if _is_union(hint) else (hint,)))


def takes_list(hint: Any, *, unless: str) -> bool:
    """Return whether a flag of this type takes a list, and the value is not one of its single words."""
    parts = get_args(hint) if _is_union(hint) else (hint,)
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    words += ["null"] * (type(None) in parts)
    return unless not in words and any(get_origin(part) in {tuple, list} for part in parts)


def _fits(value: Any, hint: Any) -> bool:
    if _is_union(hint):
        return any(_fits(value, part) for part in get_args(hint))
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        return isinstance(value, str) or (isinstance(value, (tuple, list)) and _fit_in_order(value, get_args(hint)))
    if origin is list:
        return isinstance(value, list) and all(_fits(part, get_args(hint)[0]) for part in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fit_in_order(item, get_args(hint)) for item in value.items())
    if hint is float:  # NaN is a float, and no setting
        return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint is Path:
        return isinstance(value, (str, Path))
    return hint is Any or isinstance(value, origin or hint)


def _fit_in_order(values: Sequence[Any], hints: Sequence[Any]) -> bool:
    """Return whether the values of a tuple have its types."""
    if hints[1:] == (Ellipsis,):
        return all(_fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(_fits, values, hints))


def _is_union(hint: Any) -> bool:
    return get_origin(hint) in {Union, UnionType}


def _in_words(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " | ".join(map(str, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a list of {_in_words(get_args(hint)[0])}"
    names = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", type(None): "nothing"}
    return names.get(hint) or str(getattr(get_origin(hint) or hint, "__name__", hint))
