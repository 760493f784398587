"""HTML as nested elements. Text is escaped when it becomes part of an element, so that none can be forgotten."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

Child: TypeAlias = "str | float | Iterable[Child] | None"
Attribute: TypeAlias = "str | float | bool | None"

_VOID = frozenset({"meta", "br"})
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Markup(str):
    """Text that is HTML already: the result of `element`, or a constant of this package."""

    __slots__ = ()


def escape(text: object) -> str:
    """Return a text as HTML, also within an attribute; control characters and surrogates become U+FFFD."""
    return html.escape(_CONTROL.sub("\ufffd", str(text)))


def element(tag: str, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        children: markup, texts to escape, numbers, nothing (None), or iterables of these.
        attributes: a trailing underscore is dropped and others become hyphens (`class_`, `stroke_width`); None and
            False leave the attribute out, True gives it no value.
    """
    parts = [f"<{tag}", *(_attribute(name, value) for name, value in attributes.items()), ">"]
    if tag not in _VOID:
        parts += [join(children), f"</{tag}>"]
    return Markup("".join(parts))


def join(children: Iterable[Child]) -> Markup:
    """Return children one after the other."""
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, (str, int, float)):
        return escape(child)
    return join(child)


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = name.removesuffix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(value)}"'
