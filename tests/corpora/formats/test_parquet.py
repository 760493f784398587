"""Parquet."""

from __future__ import annotations

from pathlib import Path

import pytest
from format_helpers import Write, fails, lines, values

from ratsnlp_like.corpora.formats import choose_format


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"text": f"문장 {n}", "label": n, "entities": [{"start": 0}]} for n in range(2500)]
    for name in ("a.parquet", "a.bin"):
        path = tmp_path / name
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        assert choose_format(path).name == "parquet"
        assert values(path) == rows
        assert lines(path) == list(range(1, 2501))


def test_parquet_without_rows(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"text": pyarrow.array([], pyarrow.string())}), tmp_path / "a.parquet")
    fails(tmp_path / "a.parquet", "has no rows")


def test_unreadable_parquet(write: Write) -> None:
    pytest.importorskip("pyarrow")
    fails(write("a.parquet", b"PAR1 and nothing more"), "cannot be read as Parquet", "again")
    fails(write("b.parquet", b"text\0\xff\n"), "cannot be read as Parquet")
    fails(write("c.csv", "text\n"), "cannot be read as Parquet", format="parquet")


def test_names_of_columns_that_are_not_utf8(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    parquet.write_table(pyarrow.table({"text": ["가"], "label": ["나"]}), path)
    path.write_bytes(path.read_bytes().replace(b"label", b"l\xe5bel"))
    fails(path, "cannot be read as Parquet after row 0")
