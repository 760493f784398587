"""Tables of numbers and ragged lists in memory-mapped files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ratsnlp_like.data.table import Table, write_table


class TestTable:
    def test_rows_of_every_kind_across_chunks(self, tmp_path: Path) -> None:
        count = 4096 * 2 + 5
        rows = [
            {"ids": list(range(i % 7)), "scores": [i + 0.5] * (i % 3), "label": i, "value": i / 4, "name": f"줄 {i}"}
            for i in range(count)
        ]
        assert write_table(tmp_path / "t", rows) == count
        table = Table(tmp_path / "t")
        assert len(table) == count
        for i in (0, 1, 6, 4095, 4096, 4097, 8191, 8192, count - 1):
            row = table[i]
            assert row["ids"].tolist() == list(range(i % 7))
            assert row["scores"].tolist() == [i + 0.5] * (i % 3)
            assert (int(row["label"]), float(row["value"]), table.cells(i, ["name"])[0]) == (i, i / 4, f"줄 {i}")
        assert table.numbers("label").tolist() == list(range(count))
        assert table.numbers("ids").tolist() == [i % 7 for i in range(count)]
        assert list(table.all_cells(["name"])) == [(f"줄 {i}",) for i in range(count)]
        numbers, names = table.categories("name")
        assert names == sorted(f"줄 {i}" for i in range(count))
        assert [names[k] for k in numbers] == [f"줄 {i}" for i in range(count)]

    def test_just_one_chunk(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"label": i} for i in range(4096)])
        assert len(Table(tmp_path / "t")) == 4096
        assert int(Table(tmp_path / "t")[4095]["label"]) == 4095

    def test_no_row(self, tmp_path: Path) -> None:
        assert write_table(tmp_path / "t", []) == 0
        assert len(Table(tmp_path / "t")) == 0
        assert Table(tmp_path / "t").numbers("label").tolist() == []

    def test_lists_that_are_empty_throughout_the_first_chunk(self, tmp_path: Path) -> None:
        rows = [{"targets": [] if i < 4096 else [7]} for i in range(4097)]
        write_table(tmp_path / "t", rows)
        table = Table(tmp_path / "t")
        assert table[0]["targets"].tolist() == []
        assert table[4096]["targets"].tolist() == [7]

    def test_a_list_that_begins_with_a_whole_number_keeps_its_decimals(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"targets": [1, 0.5]}])
        assert Table(tmp_path / "t")[0]["targets"].tolist() == [1.0, 0.5]

    def test_rows_are_views_of_the_file(self, tmp_path: Path) -> None:
        write_table(tmp_path / "t", [{"ids": [i] * 100, "score": [0.5] * 50} for i in range(10_000)])
        before = pa.total_allocated_bytes()
        table = Table(tmp_path / "t")
        rows = [table[i] for i in range(10_000)]
        assert pa.total_allocated_bytes() - before < 100_000  # of 6,000,000
        assert not rows[5]["ids"].flags.owndata
        assert not rows[5]["ids"].flags.writeable
        addresses = [row["ids"].ctypes.data for row in rows[:3]]
        assert np.diff(addresses).tolist() == [400, 400]  # 100 numbers of 4 bytes, side by side
