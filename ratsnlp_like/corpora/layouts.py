"""Rows of annotation tools -> rows with the columns of an example.

A layout is recognised by the keys of a row: Label Studio's tasks, Prodigy's answers, tokens with tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import InputError
from ..examples.base import Example
from ..examples.entity import EntityExample
from .formats import Row
from .formats.conll import entities_from_words
from .notices import Notices

_TOKENS = ("tokens", "words")
_TAGS = ("ner_tags", "tags", "ner", "labels", "entities")
_VERDICTS = {"accept", "reject", "ignore"}
_KEYS = frozenset({"data", "answer", *_TOKENS})
"""Keys of which every layout has one: most rows have none, and are passed on at once."""


def adapt_rows(rows: Iterator[Row], kind: type[Example], notices: Notices, *, labelled: bool) -> Iterator[Row]:
    """Yield rows with the columns of an example.

    Args:
        rows: raw rows.
        kind: the type of example.
        notices: counts of rows that are left out.
        labelled: rows that an annotator rejected or skipped are left out; all rows are inputs otherwise.
    """
    has_text = kind.columns()[0] == "text"
    for row in rows:
        values = row.values
        if row.error is not None or _KEYS.isdisjoint(values):
            yield row
            continue
        if "data" in values and isinstance(values["data"], Mapping):
            adapted = _label_studio(row, notices)
        elif str(values.get("answer")) in _VERDICTS and not {"question", "context", "prompt"} & values.keys():
            adapted = _prodigy(values)
        elif has_text and any(isinstance(values.get(name), (list, tuple)) for name in _TOKENS):
            adapted = _tokens(row, kind)
        else:
            yield row
            continue
        if adapted is not None:
            yield row._replace(values=adapted)
        elif labelled:
            notices.add("rejected, skipped or not annotated: left out", row.place)
        else:
            yield row._replace(values=values.get("data", values))


def _label_studio(row: Row, notices: Notices) -> dict[str, Any] | None:
    """Columns of `data`, and the first complete annotation: spans as `entities`, a choice as `label`."""
    values = row.values
    data = dict(values["data"])
    annotations = values.get("annotations", values.get("completions"))
    if not isinstance(annotations, list):
        return data
    done = [one for one in annotations if isinstance(one, Mapping) and not one.get("was_cancelled")]
    if not done:
        return None
    if len(done) > 1:
        notices.add("several annotations of a row, of which the first is read", row.place)
    result = done[0].get("result") or []
    if not isinstance(result, list):
        raise InputError(
            f"the result of an annotation is {str(result)[:60]!r}",
            place=row.place,
            expected="a list, as Label Studio writes",
        )
    choices = [item["value"]["choices"] for item in result if "choices" in _value(item)]
    ratings = [item["value"]["rating"] for item in result if "rating" in _value(item)]
    if choices:
        data["label"] = choices[0][0] if isinstance(choices[0], list) and len(choices[0]) == 1 else choices[0]
    elif ratings:
        data["label"] = ratings[0]
    if not (choices or ratings) or any("labels" in _value(item) for item in result):
        data["entities"] = result
    return data


def _value(item: Any) -> Mapping[str, Any]:
    value = item.get("value") if isinstance(item, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _prodigy(values: Mapping[str, Any]) -> dict[str, Any] | None:
    if values["answer"] != "accept":
        return None
    out = {name: value for name, value in values.items() if name != "answer"}
    if "label" not in out and isinstance(out.get("accept"), list):  # multiple choice
        out["label"] = out["accept"]
    return out


def _tokens(row: Row, kind: type[Example]) -> dict[str, Any]:
    """Join tokens into a text; their tags become entities."""
    values = row.values
    column = next(name for name in _TOKENS if isinstance(values.get(name), (list, tuple)))
    words = [str(word) for word in values[column]]
    separator = "" if all(len(word) == 1 for word in words) else " "
    rest = {name: value for name, value in values.items() if name not in {column, *_TAGS, "text"}}
    tags_column = next((name for name in _TAGS if isinstance(values.get(name), (list, tuple))), None)
    if not issubclass(kind, EntityExample) or tags_column is None:
        return {"text": separator.join(words), **{name: values[name] for name in _TAGS if name in values}, **rest}
    tags = values[tags_column]
    if any(isinstance(tag, (int, float)) for tag in tags):
        raise InputError(
            f"{tags_column} are numbers: {str(list(tags))[:60]}",
            place=row.place,
            expected='their names, such as "B-PS" and "O"',
            fix="write names in place of numbers (a data set of the hub has them: its features), and export it again",
        )
    text, entities = entities_from_words(words, list(tags), separator=separator, places=row.place)
    return {"text": text, "entities": entities, **rest}
