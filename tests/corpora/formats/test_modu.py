"""NIKL's Modu corpora."""

from __future__ import annotations

import json
from typing import Any

import pytest
from format_helpers import Write, fails, values

from ratsnlp_like.corpora.formats import choose_format
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.entity import Entity, EntityExample


def document(unit: str = "sentence", entities: str = "NE") -> dict[str, Any]:
    sentence = {
        "id": "D1.1",
        "form": "은별은 여수에 산다.",
        "word": [{"id": 1, "form": "은별은", "begin": 0, "end": 3}],
        entities: [{"id": 1, "form": "은별", "label": "PS", "begin": 0, "end": 2}],
    }
    return {"id": "X1", "metadata": {"title": "글"}, "document": [{"id": "D1", "metadata": {}, unit: [sentence]}]}


@pytest.mark.parametrize("unit", ["sentence", "utterance"])
@pytest.mark.parametrize("entities", ["NE", "ne"])
@pytest.mark.parametrize("indent", [None, 1])
def test_sentences_with_entities(unit: str, entities: str, indent: int | None, write: Write) -> None:
    path = write("a.json", json.dumps(document(unit, entities), ensure_ascii=False, indent=indent))
    assert choose_format(path).name == "modu"
    corpus = open_corpus(path, EntityExample, "ner")
    assert list(corpus.examples(path.parent, "train")) == [EntityExample("은별은 여수에 산다.", (Entity(0, 2, "PS"),))]


def test_sentences_without_entities(write: Write) -> None:
    path = write("a.json", json.dumps(document(entities="morpheme"), ensure_ascii=False))
    assert values(path) == [{"id": "D1.1", "text": "은별은 여수에 산다."}]


def test_documents_without_sentences(write: Write) -> None:
    path = write("a.json", json.dumps({"document": [{"paragraph": []}]}))
    fails(path, "document 1 has no sentences", "paragraph", format="modu")
    path = write("a.json", json.dumps({"document": [{"sentence": [{"id": 1}]}]}))
    fails(path, "the sentence has no form", line=1, unit="sentence")
