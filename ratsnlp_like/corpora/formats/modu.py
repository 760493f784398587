"""The named entities of NIKL's Modu corpora: documents of sentences, or of utterances, with their entities.

{"document": [{"sentence": [{"form": "...", "NE": [{"form": "...", "label": "PS", "begin": 0, "end": 3}]}]}]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import InputError
from ...examples.base import Place
from .base import DEFAULTS, FORMATS, Format, Options, Row
from .json_files import read_json

_DOCUMENT = re.compile(r'\s*\{.*?"document"\s*:\s*\[.*?"(?:sentence|utterance)"\s*:\s*\[', re.DOTALL)
_ENTITIES = ("NE", "ne", "named_entity")


def sniff_modu(head: str) -> bool:
    """Return True for documents of sentences or utterances."""
    return _DOCUMENT.match(head) is not None


def read_modu(path: Path, options: Options = DEFAULTS) -> Iterator[Row]:
    """Yield {"id", "text"[, "entities"]} per sentence; the place is its number in the file.

    Raises:
        InputError: a document has no sentences, or a sentence no form.
    """
    number = 0
    for document in read_json(path, options):
        values = document.values
        sentences = values.get("sentence", values.get("utterance"))
        if not isinstance(sentences, list):
            raise InputError(
                f"document {document.place.line} has no sentences; its keys: {', '.join(values) or 'none'}",
                place=path,
                expected='{"document": [{"sentence": [{"form": "...", "NE": [...]}]}]}',
            )
        for sentence in sentences:
            number += 1
            place = Place(str(path), number, "sentence")
            if not isinstance(sentence, dict) or not isinstance(sentence.get("form"), str):
                raise InputError("the sentence has no form", place=place, expected='{"form": "...", "NE": [...]}')
            row = {"id": sentence.get("id"), "text": sentence["form"]}
            entities = next((sentence[name] for name in _ENTITIES if isinstance(sentence.get(name), list)), None)
            if entities is not None:
                row["entities"] = entities
            yield Row(row, place, typed=True)


FORMATS.register(
    "modu",
    Format(
        "modu",
        (),
        read_modu,
        sniff_modu,
        "NIKL's Modu corpora: documents of sentences with named entities",
        found_in=("json",),
        precedence=30,
    ),
)
