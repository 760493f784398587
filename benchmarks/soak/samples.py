"""A small valid file of each format, in the layouts that registered corpora and annotation tools write."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.examples.pair import PairExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import CORPORA

REVIEWS = [
    ("국물이 시원하고 진해요", "긍정"),
    ('"강추"라더니 별로, 정말', "부정"),
    ("😀 또 가고 싶어요", "긍정"),
    ("그저 그래요", "부정"),
]
ENTITIES = [
    ("은별은 여수에 산다", [[0, 2, "PS"], [4, 6, "LC"]]),
    ("😀 한빛전자가 연다", [[2, 6, "OG"]]),
    ("비가 온다", []),
]
CONLL = "은별은\tB-PS\n여수에\tB-LC\n산다\tO\n\n한빛\tB-OG\n전자가\tI-OG\n연다\tO\n"
FASTTEXT = "__label__긍정 국물이 시원해요\n__label__부정 별로예요\n"
BRAT = "T1\tPS 0 2\t은별\nT2\tLC 4 6\t여수\n"


@dataclass(frozen=True)
class Sample:
    """A file, and how it is read."""

    name: str
    file: str
    content: bytes
    kind: type[Example]
    options: Options = field(default_factory=Options)
    beside: Mapping[str, bytes] = field(default_factory=dict)
    """Other files of the folder: name -> content."""
    corpus: FilesCorpus | None = None
    """The registered corpus that reads it; `file` is relative to its root."""

    @property
    def is_text(self) -> bool:
        """True if the file is text."""
        return not self.file.endswith((".parquet", ".xlsx"))

    def read(self, content: bytes, folder: Path, *, file: str | None = None) -> list[Example]:
        """Write content to a file and return its examples.

        Raises:
            InputError: it cannot be read, or a row lacks its label.
        """
        root = folder / self.name if self.corpus else folder
        path = root / (self.file if file is None or self.corpus else file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        for name, other in self.beside.items():
            (folder / name).write_bytes(other)
        corpus: Corpus = self.corpus or open_corpus(path, self.kind, "any", options=self.options)
        split = corpus.splits(root)[0]
        examples = []
        for example in corpus.examples(root, split):
            if example.missing is not None:
                raise corpus.missing_value(root, split, example)
            examples.append(example)
        return examples


@cache
def samples() -> list[Sample]:
    """Return the samples of all formats and of all registered corpora."""
    return [*_own(), *_registered()]


def _registered() -> Iterator[Sample]:
    for name, corpus in CORPORA.items():
        if isinstance(corpus, FilesCorpus) and corpus.sample:
            split, kind = next(iter(corpus.sample)), type(corpus)
            file = corpus.paths[split][0].replace("*", "-v1")
            own = type(kind.__name__, (kind,), {"folder": None})()  # a bundled corpus reads its own folder
            content = corpus.sample[split].encode()
            yield Sample(name, file, content, corpus.example_type, corpus.reading, corpus=own)


def _own() -> Iterator[Sample]:
    rows = [{"text": text, "label": label} for text, label in REVIEWS]
    quoted = "\n".join('"{}",{}'.format(text.replace('"', '""'), label) for text, label in REVIEWS)
    plain = "\n".join(f"{text}\t{label}" for text, label in REVIEWS)
    yield Sample("csv", "a.csv", f"text,label\n{quoted}\n".encode(), TextExample)
    yield Sample("tsv", "a.tsv", f"text\tlabel\n{plain}\n".encode(), TextExample)
    yield Sample("jsonl", "a.jsonl", _lines(rows), TextExample)
    yield Sample("json", "a.json", _json(rows), TextExample)
    yield Sample("text", "a.txt", "\n".join(text for text, _ in REVIEWS).encode(), RawExample)
    yield Sample("fasttext", "a.txt", FASTTEXT.encode(), TextExample)
    yield Sample("parquet", "a.parquet", _parquet(rows), TextExample)
    yield Sample("xlsx", "a.xlsx", _xlsx(rows), TextExample)
    yield Sample("conll", "a.conll", CONLL.encode(), EntityExample)
    entities = [{"text": text, "entities": spans} for text, spans in ENTITIES]
    yield Sample("entities", "a.jsonl", _lines(entities), EntityExample)
    doccano = [{"id": i, "text": text, "label": spans} for i, (text, spans) in enumerate(ENTITIES)]
    yield Sample("doccano", "a.jsonl", _lines(doccano), EntityExample)
    yield Sample("label-studio", "a.json", _json([_task(*row) for row in ENTITIES]), EntityExample)
    yield Sample("modu", "a.json", _json(_modu()), EntityExample)
    yield Sample("brat", "a.ann", BRAT.encode(), EntityExample, beside={"a.txt": "은별은 여수에 산다\n".encode()})
    tokens = [{"tokens": ["은별은", "여수에", "산다"], "ner_tags": ["B-PS", "B-LC", "O"]}]
    yield Sample("tokens", "a.jsonl", _lines(tokens * 2), EntityExample)
    pairs = [{"premise": "비가 온다", "hypothesis": "날씨가 흐리다", "label": "entailment"}] * 2
    yield Sample("pairs", "a.jsonl", _lines(pairs), PairExample)
    answers = [{"question": "누가?", "context": "은별은 여수에 산다", "answer": "은별", "answer_start": 0}] * 2
    yield Sample("answers", "a.jsonl", _lines(answers), QuestionExample)
    turns = [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "네, 안녕하세요"}]
    yield Sample("messages", "a.jsonl", _lines([{"messages": turns}] * 2), GenerationExample)
    alpaca = [{"instruction": "번역해 줘", "input": "hello", "output": "안녕"}] * 2
    yield Sample("alpaca", "a.json", _json(alpaca), GenerationExample)


def _lines(rows: list[Any]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _task(text: str, spans: list[Any]) -> dict[str, Any]:
    result = [
        {
            "from_name": "l",
            "to_name": "t",
            "type": "labels",
            "value": {"start": s, "end": e, "text": text[s:e], "labels": [label]},
        }
        for s, e, label in spans
    ]
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": result}]}


def _modu() -> dict[str, Any]:
    sentences = []
    for text, spans in ENTITIES:
        found = [{"id": 1, "form": text[s:e], "label": label, "begin": s, "end": e} for s, e, label in spans]
        sentences.append({"id": "D1.1", "form": text, "NE": found})
    return {"id": "X1", "metadata": {"title": "글"}, "document": [{"id": "D1", "metadata": {}, "sentence": sentences}]}


def _parquet(rows: list[dict[str, str]]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


def _xlsx(rows: list[dict[str, str]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in (list(rows[0]), *(list(row.values()) for row in rows)):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
