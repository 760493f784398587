"""SQuAD's JSON, as KorQuAD 1 and 2, KLUE-MRC and AI-Hub use it: articles of paragraphs of questions.

An article may be a paragraph itself (KorQuAD 2, simpletransformers), and the outer object may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row, shorten
from .json_files import read_json

_SQUAD = re.compile(r'\s*[\[{].*?"(?:paragraphs|qas|raw_html)"\s*:', re.DOTALL)  # raw_html: KorQuAD 2


def sniff_squad(head: str) -> bool:
    """Return True for an object with paragraphs or questions near its beginning."""
    return _SQUAD.match(head) is not None


def read_squad(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"id", "question", "context", "answers", "is_impossible", "title"} per question; the place is its number.

    Raises:
        InputError: an article has no paragraphs, a paragraph no context, or a question is not one.
    """
    number = 0
    for article in read_json(path, options):
        values = article.values
        is_paragraph = "qas" in values and "paragraphs" not in values  # KorQuAD 2; lists of contexts
        paragraphs = [values] if is_paragraph else _list(values, "paragraphs", f"article {article.place.line}", path)
        for paragraph in paragraphs:
            where = f"article {article.place.line} ({values.get('title', 'without title')})"
            context = paragraph.get("context")
            if not isinstance(context, str):
                raise InputError(
                    f"{where} has a paragraph without a context: {shorten(str(paragraph))}",
                    place=path,
                    expected='{"context": "...", "qas": [...]}',
                )
            for question in _list(paragraph, "qas", f"{where}, a paragraph", path):
                number += 1
                place = Place(str(path), number, "question")
                if question.get("question") is None:
                    raise InputError(
                        f"no question in {shorten(str(question))}", place=place, expected='{"question": "...", ...}'
                    )
                yield Row(
                    {
                        "id": question.get("id", question.get("guid", question.get("question_id"))),
                        "question": question.get("question"),
                        "context": context,
                        "answers": question.get("answers", question.get("answer")),
                        "is_impossible": question.get("is_impossible"),
                        "title": values.get("title", values.get("doc_title")),
                    },
                    place,
                )


def _list(value: dict[str, Any], key: str, where: str, path: Path) -> list[dict[str, Any]]:
    found = value.get(key)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(
            f"{where} has no {key}; its keys: {', '.join(value) or 'none'}",
            place=path,
            expected='{"data": [{"paragraphs": [{"context": "...", "qas": [...]}]}]}',
            fix="for an array of questions with their contexts: --format json",
        )
    return found


FORMATS.register(
    "squad",
    Format(
        "squad",
        (),
        read_squad,
        sniff_squad,
        "articles, paragraphs and questions (SQuAD, KorQuAD 1 and 2, AI-Hub)",
        found_in=("json",),
        precedence=40,
    ),
)
