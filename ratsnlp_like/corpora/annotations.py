"""Entities as annotation tools export them -> `[start, end, label]` in characters of the text.

Read are items of doccano (`start_offset`), Label Studio (`value`, `labels`), Prodigy, DataTurks (`points`), NIKL
(`begin`, `form`), and triples. Corrections that the text itself proves are made and counted: offsets in UTF-16 units,
inclusive ends, white space at the edges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InputError
from ..examples.base import Place
from ..examples.values import clean_label, parse_json
from .notices import Notices
from .offsets import cuts_word, from_utf16, has_astral

_STARTS = ("start", "start_offset", "begin", "startOffset", "start_idx", "beginOffset")
_ENDS = ("end", "end_offset", "endOffset", "end_idx")
_LABELS = ("label", "labels", "type", "tag", "entity", "entity_type", "entity_group", "ne_type", "category", "class")
_TEXTS = ("text", "form", "word", "surface", "mention", "quote")
_LISTS = ("entities", "spans", "result", "annotations", "NE", "ne")
EXPECTED = '{"start": 0, "end": 3, "label": "PS"} or [0, 3, "PS"], in characters, end exclusive'


def normalise_entities(raw: Any, text: str, place: Place | None, notices: Notices, *, trim: bool = True) -> Any:
    """Return a list of `[start, end, label]`; a value of another form is returned as it is, for the example to refuse.

    Args:
        raw: the cell: a list of items, JSON of one, or an object that holds one.
        text: the text of the row.
        place: of the row, for messages.
        notices: counts of corrections.
        trim: move edges that are white space inwards; entities of published marks and tags are kept as they are.

    Raises:
        InputError: an item cannot be read as an entity.
    """
    raw = parse_json(raw, place)
    if isinstance(raw, str) and not raw.strip():
        return []
    if isinstance(raw, Mapping):
        raw = next((raw[name] for name in _LISTS if isinstance(raw.get(name), list)), raw)
    if not isinstance(raw, (list, tuple)):
        return raw
    seen: set[str] = set()
    out = [_entity(item, text, place, seen, notices, trim=trim) for item in raw if _is_span(item)]
    for kind in sorted(seen):
        notices.add(kind, place)
    return out


def _is_span(item: Any) -> bool:
    """Return False for items of Label Studio that are not spans: relations, choices."""
    if not isinstance(item, Mapping):
        return True
    kind = item.get("type")
    return kind in ("labels", "hypertextlabels") if "from_name" in item else not {"from_id", "to_id"} <= item.keys()


def _entity(item: Any, text: str, place: Place | None, seen: set[str], notices: Notices, *, trim: bool) -> list[Any]:
    quoted: Any = None
    inclusive = False
    if isinstance(item, Mapping):
        start, end, label, quoted, inclusive = _fields(item, place)
    elif isinstance(item, (list, tuple)) and len(item) == 3:
        start, end, label = item
    else:
        raise _unreadable(item, place)
    begin, stop, name = _offset(start, item, place), _offset(end, item, place), _label(label, item, place)
    if inclusive:
        stop += 1
    if (cleaned := clean_label(name)) != name:
        seen.add("labels with invisible characters or spaces at their edges, which are removed")
    notices.see_label(cleaned, place)
    begin, stop = _corrected(begin, stop, text, quoted if isinstance(quoted, str) else None, seen)
    return [*_trimmed(begin, stop, text, seen, trim=trim), cleaned]


def _fields(item: Mapping[str, Any], place: Place | None) -> tuple[Any, Any, Any, Any, bool]:
    """Return start, end, label, quoted text, and True if the end is inclusive."""
    merged = {**item, **item["value"]} if isinstance(item.get("value"), Mapping) else dict(item)
    inclusive = False
    match merged.get("points"):  # DataTurks
        case [{"start": _, "end": _} as point]:
            merged |= point
            inclusive = True
    start, end, label, quoted = (
        next((merged[name] for name in names if merged.get(name) is not None), None)
        for names in (_STARTS, _ENDS, _LABELS, _TEXTS)
    )
    if isinstance(item.get("value"), Mapping):  # "type" is the kind of Label Studio's control
        label = next((merged[name] for name in ("labels", "hypertextlabels", "label") if merged.get(name)), None)
    if end is None and start is not None and isinstance(merged.get("length"), int):
        end = start + merged["length"]
    if start is None or end is None or label is None:
        raise _unreadable(item, place)
    return start, end, label, quoted, inclusive


def _offset(value: Any, item: Any, place: Place | None) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise _unreadable(item, place)
    return int(value)


def _label(value: Any, item: Any, place: Place | None) -> str:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str) or not clean_label(value):
        raise _unreadable(item, place)
    return value


def _corrected(start: int, end: int, text: str, quoted: str | None, seen: set[str]) -> tuple[int, int]:
    """Correct offsets that the text of the entity proves to be counted otherwise."""
    if quoted is None:
        if has_astral(text[:start]) and cuts_word(text, start):
            seen.add(
                "texts with emoji and entities that begin inside a word: their offsets may be in UTF-16 units, as "
                "JavaScript counts, and cannot be corrected without the text of the entity"
            )
        return start, end
    if text[start:end] == quoted:
        return start, end
    if has_astral(text):
        first, last = from_utf16(text, start), from_utf16(text, end)
        if first is not None and last is not None and text[first:last] == quoted:
            seen.add("offsets in UTF-16 units, as JavaScript counts, which are converted to characters")
            return first, last
    if text[start : end + 1] == quoted:
        seen.add("entities whose end is inclusive, which is corrected")
        return start, end + 1
    if text[start:end].strip() == quoted.strip():
        return start, end
    return _unfound(start, end, text, quoted)


def _unfound(start: int, end: int, text: str, quoted: str) -> tuple[int, int]:
    where = text.find(quoted)
    raise InputError(
        f"the entity has the text {quoted!r}, but characters {start}-{end} are {text[max(start, 0) : max(end, 0)]!r}",
        fix=f"start {where}, end {where + len(quoted)}" if where >= 0 else "correct the offsets or the text",
    )


def _trimmed(start: int, end: int, text: str, seen: set[str], *, trim: bool) -> tuple[int, int]:
    """Move edges that are white space inwards: no token holds it."""
    if not 0 <= start < end <= len(text) or not (inner := text[start:end].strip()):
        return start, end
    first = start + text[start:end].index(inner)
    if (first, first + len(inner)) == (start, end):
        return start, end
    if not trim:
        seen.add("entities with white space at their edges, which no token can express")
        return start, end
    seen.add("entities with white space at their edges, which is trimmed")
    return first, first + len(inner)


def _unreadable(item: Any, place: Place | None) -> InputError:
    return InputError(f"cannot read the entity {str(item)[:80]!r}", place=place, expected=EXPECTED)
