"""Texts with entities: exports of annotation tools, corpora with tags, offsets in UTF-16 units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .base import PLACES, ROWS, Kind, as_csv, as_json, as_jsonl, put, to_json

TYPES = ("LC", "PS")
WORDS = [["이슬비", "씨가", PLACES[i % 4], "바닷가", f"{i}번지에서", "우산을", "샀다."] for i in range(ROWS)]
"""A person of one word, and a place of two."""
TEXTS = [" ".join(words) for words in WORDS]


def _spans(text: str, *, astral: bool = False) -> list[tuple[int, int, str, str]]:
    """Return start, end, type and text of both entities; `astral` counts UTF-16 units."""
    place = " ".join(text.split(" ")[2:4]) if not text.startswith("😀") else " ".join(text.split(" ")[3:5])
    found = []
    for word, label in (("이슬비", "PS"), (place, "LC")):
        start = text.index(word)
        shift = len(text[:start].encode("utf-16-le")) // 2 - start if astral else 0
        found.append((start + shift, start + len(word) + shift, label, word))
    return found


def _items(text: str, start: str, end: str, **more: Any) -> list[dict[str, Any]]:
    return [{start: first, end: last, "label": label, **more} for first, last, label, _ in _spans(text)]


def _studio(text: str) -> list[dict[str, Any]]:
    return [
        {"from_name": "label", "to_name": "text", "type": "labels",
         "value": {"start": start, "end": end, "text": word, "labels": [label]}}
        for start, end, label, word in _spans(text)
    ]  # fmt: skip


def _minimal(text: str) -> list[dict[str, Any]]:
    return [{"start": s, "end": e, "text": word, "labels": [label]} for s, e, label, word in _spans(text)]


def _brat(folder: Path) -> Path:
    for k in range(2):
        own = TEXTS[k * ROWS // 2 : (k + 1) * ROWS // 2]
        begin, lines = 0, []
        for text in own:
            for start, end, label, word in _spans(text):
                lines.append(f"T{len(lines) + 1}\t{label} {begin + start} {begin + end}\t{word}\n")
            begin += len(text) + 1
        put(folder / "brat" / f"{k}.txt", "\n".join(own) + "\n")
        put(folder / "brat" / f"{k}.ann", "".join(lines))
    return folder / "brat"


def _modu() -> dict[str, Any]:
    sentences = [
        {"id": f"NE.{i}", "form": text, "NE": [
            {"id": k, "form": word, "label": label, "begin": start, "end": end}
            for k, (start, end, label, word) in enumerate(_spans(text), start=1)
        ]}
        for i, text in enumerate(TEXTS)
    ]  # fmt: skip
    return {"id": "NXNE", "metadata": {"title": "본보기"}, "document": [{"id": "NE", "sentence": sentences}]}


SCHEMES = {
    "BIO": ("B-PS", "O", "B-LC", "I-LC"),
    "IOB1": ("I-PS", "O", "I-LC", "I-LC"),
    "BIOES": ("S-PS", "O", "B-LC", "E-LC"),
    "BILOU": ("U-PS", "O", "B-LC", "L-LC"),
    "IO": ("PS", "O", "LC", "LC"),
}


def _tags(scheme: str) -> list[str]:
    return [*SCHEMES[scheme], "O", "O", "O"]


def _columns(line: Callable[[int, str, str], str], *, head: str = "", name: str, scheme: str = "BIO") -> Any:
    """Return a function that writes a word on each line."""

    def sentence(words: Iterable[str]) -> str:
        pairs = zip(words, _tags(scheme), strict=True)
        return "".join(line(k, word, tag) + "\n" for k, (word, tag) in enumerate(pairs, start=1))

    return lambda folder: put(folder / name, head + "\n".join(sentence(words) for words in WORDS))


def _word_and_tag(_: int, word: str, tag: str) -> str:
    return f"{word}\t{tag}"


def _naver(k: int, word: str, tag: str) -> str:
    return f"{k}\t{word}\t{'-' if tag == 'O' else f'{tag[2:]}_{tag[0]}'}"


def _characters(text: str) -> str:
    tags = ["O"] * len(text)
    for start, end, label, _ in _spans(text):
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return "".join(f"{character}\t{tag}\n" for character, tag in zip(text, tags, strict=True))


def _marked(text: str) -> str:
    for start, end, label, word in reversed(_spans(text)):
        text = f"{text[:start]}<{word}:{label}>{text[end:]}"
    return text


def _klue(folder: Path) -> Path:
    blocks = (f"## id-{i}\t{_marked(text)}\n{_characters(text)}\n" for i, text in enumerate(TEXTS))
    return put(folder / "klue.tsv", "".join(blocks))


def _parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"tokens": words, "ner_tags": _tags("BIO")} for words in WORDS]
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    return folder / "rows.parquet"


def _data_set(_: Path) -> Any:
    import datasets

    names = ["O", "B-PS", "I-PS", "B-LC", "I-LC"]
    tags = [[names.index(tag) for tag in _tags("BIO")] for _ in WORDS]
    features = datasets.Features(
        {"tokens": datasets.Sequence(datasets.Value("string")),
         "ner_tags": datasets.Sequence(datasets.ClassLabel(names=names))}
    )  # fmt: skip
    return datasets.Dataset.from_dict({"tokens": WORDS, "ner_tags": tags}, features=features)


def _ner(name: str, write: Any, **options: Any) -> Kind:
    return Kind(name, "ner", write, options, labels=TYPES)


EMOJI = [f"😀 {text}" for text in TEXTS]
UTF16 = [
    {"text": t, "entities": [{"start": s, "end": e, "label": k, "text": w} for s, e, k, w in _spans(t, astral=True)]}
    for t in EMOJI
]
PRODIGY = [{"text": t, "spans": _items(t, "start", "end", token_start=0), "answer": "accept"} for t in TEXTS]

KINDS = (
    _ner("doccano with relations", as_jsonl(
        [{"id": i, "text": t, "entities": _items(t, "start_offset", "end_offset", id=i), "relations": []}
         for i, t in enumerate(TEXTS)])),
    _ner("doccano, triples in `label`", as_jsonl([{"text": t, "label": [s[:3] for s in _spans(t)]} for t in TEXTS])),
    _ner("Label Studio, JSON", as_json(
        [{"id": i, "data": {"text": t}, "annotations": [{"result": _studio(t)}]} for i, t in enumerate(TEXTS)])),
    _ner("Label Studio, JSON-MIN", as_json([{"id": i, "text": t, "label": _minimal(t)} for i, t in enumerate(TEXTS)])),
    _ner("Label Studio, CSV", as_csv(
        [{"id": i, "text": t, "label": to_json(_minimal(t))} for i, t in enumerate(TEXTS)])),
    _ner("Prodigy, spans", as_jsonl(PRODIGY)),
    _ner("brat, a text with each .ann", _brat),
    _ner("NIKL's Modu", as_json(_modu())),
    _ner("tokens and ner_tags, JSON lines", as_jsonl([{"tokens": w, "ner_tags": _tags("BIO")} for w in WORDS])),
    _ner("tokens and ner_tags, Parquet", _parquet),
    _ner("tokens and ner_tags, datasets.Dataset", _data_set),
    *(_ner(f"columns of words, {scheme}", _columns(_word_and_tag, name="a.conll", scheme=scheme))
      for scheme in SCHEMES),
    _ner("CoNLL-2003, four columns", _columns(
        lambda _, word, tag: f"{word} NNP B-NP {tag}", head="-DOCSTART- -X- -X- O\n\n", name="a.conll")),
    _ner("CoNLL-U with a column of tags", _columns(
        lambda k, word, tag: f"{k}\t{word}\t{word}\tNOUN\t_\t_\t0\troot\t_\t{tag}",
        head="# sent_id = 1\n", name="a.conllu")),
    _ner("Naver and Changwon University", _columns(_naver, name="train_data")),
    _ner("KLUE-NER", _klue),
    _ner("book: text with marks", lambda folder: put(folder / "a.txt", "".join(f"{t}␞{_marked(t)}\n" for t in TEXTS))),
    _ner("JSON lines, [start, end, label]", as_jsonl(
        [{"text": t, "entities": [s[:3] for s in _spans(t)]} for t in TEXTS])),
    _ner("offsets in UTF-16 units", as_jsonl(UTF16)),
)  # fmt: skip
