"""Texts with classes: tables, folders, archives, objects in memory, exports of annotation tools."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

from .base import PLACES, ROWS, Kind, as_csv, as_json, as_jsonl, put, to_json

TEXTS = [f"{i}번째로 간 {PLACES[i % 4]} 식당, {'국물이 시원했다' if i % 2 else '오래 기다렸다'}" for i in range(ROWS)]
LABELS = [("추천", "비추천")[i % 2] for i in range(ROWS)]
ROWS_ = [{"text": text, "label": label} for text, label in zip(TEXTS, LABELS, strict=True)]
CLASSES = ("비추천", "추천")


def _lines(row: str, *, header: str = "", name: str = "rows.txt", encoding: str = "utf-8") -> Any:
    body = "".join(row.format(**values) + "\n" for values in ROWS_)
    return lambda folder: put(folder / name, header + body, encoding)


def _xlsx(folder: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["이 시트는 표지입니다"])
    sheet = book.create_sheet("응답")
    sheet.append(["후기", "별점"])
    for row in ROWS_:
        sheet.append(list(row.values()))
    book.save(folder / "rows.xlsx")
    return folder / "rows.xlsx"


def _parquet(folder: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(ROWS_), folder / "rows.parquet")
    return folder / "rows.parquet"


def _folder(*names: str) -> Any:
    def write(folder: Path) -> Path:
        for k, name in enumerate(names):
            part = ROWS_ if k == 0 else [{**row, "text": f"다시 {row['text']}"} for row in ROWS_[: ROWS // 3]]
            put(folder / "corpus" / name, "text,label\n" + "".join(f'"{r["text"]}",{r["label"]}\n' for r in part))
        return folder / "corpus"

    return write


def _zip(folder: Path) -> Path:
    inside = _folder("train.csv", "dev.csv")(folder)
    with zipfile.ZipFile(folder / "rows.zip", "w") as archive:
        for path in inside.iterdir():
            archive.write(path, path.name)
    return folder / "rows.zip"


def _gzip(folder: Path) -> Path:
    (folder / "rows.jsonl.gz").write_bytes(gzip.compress("".join(to_json(row) + "\n" for row in ROWS_).encode()))
    return folder / "rows.jsonl.gz"


def _data_set(_: Path) -> Any:
    import datasets

    return datasets.Dataset.from_list(ROWS_)


def _saved(folder: Path) -> Path:
    _data_set(folder).save_to_disk(folder / "saved")
    return folder / "saved"


def _frame(_: Path) -> Any:
    import pandas

    return pandas.DataFrame(ROWS_)


def _relation(i: int) -> dict[str, Any]:
    place = PLACES[i % 4]
    text = f"{i}호 두레건설은 {place}에 있다."
    ends = {"두레건설": "subject_entity", place: "object_entity"}
    entities = {
        column: {"word": word, "start_idx": text.index(word), "end_idx": text.index(word) + len(word) - 1, "type": "X"}
        for word, column in ends.items()
    }
    return {
        "guid": f"re-{i}",
        "sentence": text,
        **entities,
        "label": ("org:place", "no_relation")[i % 2],
        "source": "x",
    }


def _choice(i: int) -> dict[str, Any]:
    result = [{"from_name": "c", "to_name": "t", "type": "choices", "value": {"choices": [LABELS[i]]}}]
    return {"id": i, "data": {"text": TEXTS[i]}, "annotations": [{"id": i, "result": result, "was_cancelled": False}]}


def _klass(name: str, write: Any, labels: tuple[str, ...] = CLASSES, **options: Any) -> Kind:
    return Kind(name, "classification", write, options, labels=labels)


CELLS = '"{text}"{s}{label}'
SEVERAL = [{"text": text, "label": [["맛", "값"], ["맛"], []][i % 3]} for i, text in enumerate(TEXTS)]
HOT = [{"text": text, "맛": int(i % 2 == 0), "값": int(i % 3 == 0)} for i, text in enumerate(TEXTS)]
RELATIONS = ("no_relation", "org:place")

KINDS = (
    _klass("CSV", as_csv(ROWS_)),
    _klass(
        "CSV, CP949, Korean names of columns",
        _lines('"{text}",{label}', header="후기,별점\n", encoding="cp949", name="rows.csv"),
    ),
    _klass(
        "CSV, UTF-8 with a byte order mark", _lines('"{text}",{label}', header="\ufefftext,label\n", name="rows.csv")
    ),
    _klass("CSV, UTF-16", _lines('"{text}",{label}', header="\ufefftext,label\n", encoding="utf-16-le", name="a.csv")),
    _klass("CSV, semicolons", as_csv(ROWS_, delimiter=";")),
    _klass("CSV, `sep=;` of Excel", _lines('"{text}";{label}', header="sep=;\ntext;label\n", name="rows.csv")),
    _klass("CSV without a header", _lines('{label},"{text}"', name="rows.csv"), columns="label,text"),
    _klass("TSV without a header", _lines("{label}\t{text}"), columns="label,text"),
    _klass("TSV", _lines("{text}\t{label}", header="text\tlabel\n", name="rows.tsv")),
    _klass("fastText", _lines("__label__{label} {text}")),
    _klass("Excel, second sheet", _xlsx, sheet="응답"),
    _klass("JSON", as_json(ROWS_)),
    _klass("JSON within an object", as_json({"version": "1", "data": ROWS_})),
    _klass("JSON lines", as_jsonl(ROWS_)),
    _klass("JSON lines, gzip", _gzip),
    _klass("Parquet", _parquet),
    _klass(
        "nested JSON, dotted paths",
        as_json([{"talk": {"content": t}, "profile": {"emotion": k}} for t, k in zip(TEXTS, LABELS, strict=True)]),
        text_column="talk.content",
        label_column="profile.emotion",
    ),
    _klass("Korean names of columns", as_csv([{"댓글": r["text"], "감정": r["label"]} for r in ROWS_])),
    _klass("folder of train, dev, test", _folder("train.csv", "dev.csv", "test.csv")),
    _klass("folder of AI-Hub: Training, Validation", _folder("1.Training/a.csv", "2.Validation/a.csv")),
    _klass("folder of 학습, 검증, 평가", _folder("학습데이터.csv", "검증데이터.csv", "평가데이터.csv")),
    _klass("ZIP of train, dev", _zip),
    _klass("folder of save_to_disk", _saved),
    _klass("pandas DataFrame", _frame),
    _klass("datasets.Dataset", _data_set),
    _klass("list of dicts", lambda _: ROWS_),
    _klass("several labels in a list", as_jsonl(SEVERAL), ("값", "맛")),
    _klass("several labels, 0/1 columns", as_csv(HOT), ("값", "맛"), label_column="맛,값"),
    _klass("doccano, classes", as_jsonl([{"id": i, "text": t, "label": [LABELS[i]]} for i, t in enumerate(TEXTS)])),
    _klass("Label Studio, choices", as_json([_choice(i) for i in range(ROWS)])),
    _klass(
        "Prodigy, classes",
        as_jsonl([{"text": t, "label": LABELS[i], "answer": "accept", "_task_hash": i} for i, t in enumerate(TEXTS)]),
    ),
    _klass("KLUE-RE", as_json([_relation(i) for i in range(ROWS)]), RELATIONS),
)
