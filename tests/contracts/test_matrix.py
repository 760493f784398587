"""The matrix of model types and tasks in the README is that of the records; `benchmarks.matrix` runs all cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.matrix import (
    CORPORA,
    MODEL_TYPES,
    NOT_RUN,
    Cell,
    has_own_head,
    insert,
    refusal,
    run_cell,
    symbols,
    table,
)
from ratsnlp_like.registry import CHECKPOINTS, TASKS

README = Path(__file__).parents[2] / "README.md"
CELLS = [(model_type, task) for model_type in MODEL_TYPES for task in CORPORA]


def test_every_listed_model_type_has_a_row_and_every_task_a_column() -> None:
    assert {entry.model_type for _, entry in CHECKPOINTS.items() if entry.model_type} <= set(MODEL_TYPES)
    built_in = {name for name, kind in TASKS.items() if kind.__module__.startswith("ratsnlp_like.")}
    assert built_in == set(CORPORA)


def test_the_table_is_that_of_the_records() -> None:
    found = symbols(README.read_text(encoding="utf-8"))
    assert list(found) == CELLS
    refused = {cell for cell in CELLS if refusal(*cell)}
    assert {cell for cell, symbol in found.items() if not symbol} == refused
    own = {cell for cell in CELLS if cell not in refused and has_own_head(*cell)}
    assert {cell for cell, symbol in found.items() if symbol.startswith("○")} == own
    assert not {cell for cell, symbol in found.items() if symbol == "✗"}


def test_a_table_is_read_as_it_is_written() -> None:
    cells = {cell: Cell(*cell) for cell in CELLS}
    cells["t5", "masked-lm"] = Cell("t5", "masked-lm", refusal="a t5 has no masks")
    cells["bart", "ner"] = Cell("bart", "ner", own_head=True, export="too large")
    text = insert("a\n<!-- matrix: python -m benchmarks.matrix -->\nold\n<!-- end of the matrix -->\nb", table(cells))
    assert text.startswith("a\n<!--")
    assert "- a MODEL has no masks (t5)" in text
    assert "- not exported: too large (ner)" in text
    never_exported = {"causal-lm": "●ᵗ", "generation": "●ᵗ"}
    assert symbols(text) == {cell: never_exported.get(cell[1], outcome.symbol) for cell, outcome in cells.items()}
    assert symbols(text)["bart", "ner"] == "○ᵗ"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("model_type", "task"),
    [
        pytest.param("gemma3_text", "ner", marks=pytest.mark.slow),
        pytest.param("bart", "ner", marks=pytest.mark.slow),
        pytest.param("qwen3", "question-answering", marks=pytest.mark.slow),
        pytest.param("funnel", "classification", marks=pytest.mark.slow),
    ],
)
def test_a_cell(model_type: str, task: str, tmp_path: Path) -> None:
    cell = run_cell(model_type, task, tmp_path, exported=False)
    assert cell == Cell(model_type, task, own_head=has_own_head(model_type, task), export=NOT_RUN)
