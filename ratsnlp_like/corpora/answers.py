"""Answers to questions as files write them -> a list of `{"text", "answer_start"}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..examples.base import Place
from ..examples.values import parse_json
from .notices import Notices
from .offsets import from_utf16, has_astral


def normalise_answers(values: dict[str, Any], place: Place | None, notices: Notices) -> dict[str, Any]:
    """Return the values of a question with its answers as a list, without empty ones.

    An empty text, or a start of -1, is how many tools write that there is no answer. Starts in UTF-16 units are
    recognised by the text of the answer, corrected and counted.
    """
    given = parse_json(values.get("answers"), place)
    if given is None:
        return values
    context = values.get("context")
    if isinstance(given, Mapping) and isinstance(given.get("text"), (list, tuple)):
        starts = given.get("answer_start")
        texts = given["text"]
        if not isinstance(starts, (list, tuple)) or len(starts) != len(texts):
            return {**values, "answers": given}  # the example refuses it, or finds the texts
        given = [{"text": text, "answer_start": at} for text, at in zip(texts, starts, strict=True)]
    elif isinstance(given, str):
        given = [{"text": given, "answer_start": values.get("answer_start")}]
    elif isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, (list, tuple)):
        return {**values, "answers": given}
    answers = [item for item in given if not _is_none(item)]
    if isinstance(context, str) and has_astral(context):
        answers = [_in_characters(item, context, place, notices) for item in answers]
    return {**values, "answers": answers}


def _is_none(item: Any) -> bool:
    """Return True for an item that states that there is no answer."""
    if isinstance(item, str):
        return not item.strip()
    if not isinstance(item, Mapping):
        return False
    start = item.get("answer_start", item.get("start"))
    text = item.get("text")
    if isinstance(text, str):
        return not text.strip()
    return text is None and start in (None, -1, "-1") and not {"text", "answer_start", "start"}.isdisjoint(item)


def _in_characters(item: Any, context: str, place: Place | None, notices: Notices) -> Any:
    if not isinstance(item, Mapping):
        return item
    text, start = item.get("text"), item.get("answer_start", item.get("start"))
    if not isinstance(text, str) or not isinstance(start, int) or context.startswith(text, max(start, 0)):
        return item
    first = from_utf16(context, start)
    if first is None or not context.startswith(text, first):
        return item
    notices.add("answers with starts in UTF-16 units, as JavaScript counts, which are corrected", place)
    return {**item, "answer_start": first}
