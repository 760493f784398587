"""Windows of a split, selections of them, examples without windows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import read, tokenizer, write

from ratsnlp_like.data.batches import Batches, Loader
from ratsnlp_like.data.encoding import EncodedSplit, encode_split
from ratsnlp_like.examples.text import RawExample
from ratsnlp_like.tasks.masked_lm import MaskedLM


class TestExamplesWithoutWindows:
    """An empty line has no window for a language model."""

    @pytest.fixture
    def split(self, tmp_path: Path, cache: Path) -> EncodedSplit:
        rows = "".join(json.dumps({"text": text}) + "\n" for text in ("", "하나", "", "둘 셋 " * 20, "", "넷", ""))
        own = read(write(tmp_path / "raw.jsonl", rows), cache, kind=RawExample)
        return encode_split(own, MaskedLM(), tokenizer(), [], 16, cache=cache)

    def test_their_windows(self, split: EncodedSplit) -> None:
        assert len(split.read) == 7
        assert split.read.statistics.empty == 4
        assert set(split.example_rows.tolist()) == {1, 3, 5}
        assert (split.example_rows == 3).sum() > 1
        assert split.begins.sum() == 3
        assert split.example_rows[split.begins].tolist() == [1, 3, 5]

    def test_selections(self, split: EncodedSplit) -> None:
        assert len(split.select(np.array([0, 2, 6]))) == 0
        assert split.select(np.array([0, 5])).example_rows.tolist() == [5]
        kept = split.sample(2, seed=1)
        assert len(set(kept.example_rows.tolist())) == 2  # of those that have windows
        assert split.sample(3, seed=1) is split

    def test_batches(self, split: EncodedSplit) -> None:
        loader = Loader(split, tokenizer(), Batches(split.lengths, 2, shuffle=False))
        assert sorted(int(k) for batch in loader for k in batch["index"]) == list(range(len(split)))
