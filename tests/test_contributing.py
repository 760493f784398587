"""The examples of CONTRIBUTING.md, run as they are, as cells of one notebook."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from helpers import write

from ratsnlp_like import TextExample
from ratsnlp_like.corpora.formats import read_rows
from ratsnlp_like.corpora.formats.base import FORMATS
from ratsnlp_like.errors import InputError
from ratsnlp_like.registry import CHECKPOINTS, CORPORA, LOGGERS, METRICS

DOCUMENT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
CELLS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
REGISTERED = (
    (CORPORA, "my-reviews"),
    (FORMATS, "bar"),
    (CHECKPOINTS, "my-lab/cased-bert"),
    (METRICS, "confident_accuracy"),
    (LOGGERS, "second-csv"),
)


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Run all cells; the corpus is in the default folder of corpora, runs are written to `tmp_path`."""
    rows = [
        f"{text}\t{label}" for text, label in (("맛있어요", 1), ("불친절해요", 0), ("또 올게요", 1), ("너무 짜요", 0))
    ]
    for split in ("train", "test"):
        write(tmp_path / "corpora" / "my_reviews" / f"{split}.tsv", "\n".join(["text\tlabel", *rows * 5, ""]))
    monkeypatch.setenv("RATSNLP_LIKE_CORPORA", str(tmp_path / "corpora"))
    monkeypatch.chdir(tmp_path)
    notebook = ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", notebook)
    for cell in CELLS:
        exec(compile(cell, "CONTRIBUTING.md", "exec", dont_inherit=True), vars(notebook))
    yield vars(notebook)
    for registry, name in REGISTERED:
        registry.remove(name)


@pytest.mark.slow
def test_every_example_registers_and_takes_part_in_a_run(cells: dict[str, Any], tmp_path: Path) -> None:
    assert len(CELLS) == 7
    result = cells["result"]
    assert result.predictor.labels == ["negative", "positive"]
    assert 0 <= result.test_metrics["confident_accuracy"] <= 1
    assert cells["counter"].steps == result.summary["steps"] > 0
    assert list(result.output.glob("second-csv/**/metrics.csv"))

    corpus = CORPORA["my-reviews"]
    for split, text in corpus.sample.items():
        write(tmp_path / "sample" / corpus.paths[split][0], text)
    assert list(corpus.examples(tmp_path / "sample", "train")) == [TextExample("국물이 시원해요", "positive")]

    (row,) = read_rows(write(tmp_path / "reviews.bar", "좋음|국물이 시원해요\n"))
    assert row.values == {"text": "국물이 시원해요", "label": "좋음"}
    with pytest.raises(InputError, match=r"reviews\.bar, line 1"):
        list(read_rows(write(tmp_path / "reviews.bar", "국물이 시원해요\n")))
    assert CHECKPOINTS["my-lab/cased-bert"].matches("my-lab/cased-bert-large", None)
