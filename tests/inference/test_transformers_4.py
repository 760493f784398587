"""Model folders open in transformers 4 and 5 without this package, with the same ids and logits.

The packages of transformers 4 are read from the folder that $TRANSFORMERS_4 names:

    pip install --target FOLDER --no-deps "transformers==4.57.6" "huggingface_hub<1" "tokenizers<0.23"
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.matrix import MODEL_TYPES
from benchmarks.versions import Difference, compare, compare_bundled, save_all, table

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("TRANSFORMERS_4" not in os.environ, reason="$TRANSFORMERS_4 names no folder of transformers 4"),
]


def test_ids_and_logits(tmp_path: Path) -> None:
    expected = save_all(tmp_path, MODEL_TYPES)
    for packages, generation in (([os.environ["TRANSFORMERS_4"]], "4."), ([], "5.")):
        version, found = compare(tmp_path, expected, packages)
        assert version.startswith(generation)
        assert {kind for kind, _ in expected.keys() - found.keys()} <= {"hyperclovax"}  # not in version 4
        for key, own in found.items():
            rebuilt = generation == "5." and key[0] == "qwen2"  # its tokenizer, with Qwen's own rules for digits
            assert own.texts == int(rebuilt), (version, key)
            assert own.logits <= 1e-5, (version, key)
        assert {own.texts for own in compare_bundled(packages).values()} == {0}


def test_table() -> None:
    same, other = Difference(0, 0.0), Difference(1, 0.25)
    versions = {"4": {("bert", "ner"): other}, "5": {("bert", "ner"): same, ("bert", "masked-lm"): same}}
    assert list(table(versions))[2] == "| bert | 1 / 0 |  | 0.2 / 0 |  | not in this version / 0 |  |"
