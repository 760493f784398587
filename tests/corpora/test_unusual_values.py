"""Values that annotation tools do not write and that were read as something else: each is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers import write

from ratsnlp_like.corpora.nsmc import NsmcGeneration
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example, Place
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import TextExample

TEXT = "은별은 여수에 산다"


@pytest.mark.parametrize(
    ("kind", "row", "problem"),
    [
        (TextExample, {"text": TEXT, "label": [["a"]]}, "among its classes"),
        (TextExample, {"text": TEXT, "label": [{"a": 1}]}, "among its classes"),
        (EntityExample, {"tokens": ["은별은", "산다"], "ner_tags": ["B-PS", ["O"]]}, "is no text"),
        (EntityExample, {"tokens": ["은별은", "산다"], "ner_tags": ["B-PS", None]}, "is no text"),
        (EntityExample, {"text": TEXT, "entities": [{"from_name": "a", "type": ["labels"]}] * 2}, None),
        (EntityExample, {"data": {"text": TEXT}, "annotations": [{"result": 5}]}, "the result of an annotation is '5'"),
        (QuestionExample, {"question": "누가?", "context": TEXT, "answers": {"a": 1}}, "cannot read the answer"),
        (QuestionExample, {"question": "누가?", "context": TEXT, "answers": [{}]}, "cannot read the answer"),
        (GenerationExample, {"messages": [{"role": "nobody", "content": "안녕"}]}, "unknown role 'nobody'"),
    ],
)
def test_values_of_other_types(kind: type[Example], row: dict[str, Any], problem: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    examples = open_corpus(path, kind, "any").examples(tmp_path, "train")
    if problem is None:
        assert [example.label_names for example in examples] == [()]
        return
    with pytest.raises(InputError, match=problem) as caught:
        list(examples)
    assert caught.value.place == Place(str(path), 1)


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_key_twice_in_one_object(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, '{"text": "가", "label": "나", "text": "다"}\n' * 2 if name == "a.jsonl" else "")
    if name == "a.json":
        write(path, '[\n{"text": "가", "label": "나", "text": "다"}]')
    with pytest.raises(InputError, match="the key 'text' twice, with different values"):
        list(open_corpus(path, TextExample, "any").examples(tmp_path, "train"))
    write(path, '[{"text": "가", "label": "나", "text": "가"}]' if name == "a.json" else '{"text":"가","label":"나"}\n')
    assert list(open_corpus(path, TextExample, "any").examples(tmp_path, "train")) == [TextExample("가", "나")]


@pytest.mark.parametrize(
    "content", ["id\tdocument\tlabel\n1\t좋아요\t7\n", "id\treview\tlabel\n1\t좋아요\t1\n", "id\tdocument\n1\t좋아요\n"]
)
def test_nsmc_of_another_layout(content: str, tmp_path: Path) -> None:
    write(tmp_path / "nsmc" / "ratings_train.txt", content)
    with pytest.raises(InputError):
        list(NsmcGeneration().examples(tmp_path, "train"))
