"""Examples in memory as a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample


def test_memory_corpus(tmp_path: Path) -> None:
    corpus = MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "긍정")], "test": []})
    assert corpus.splits(tmp_path) == ("train", "test")
    assert list(corpus.examples(tmp_path, "train")) == [TextExample("좋다", "긍정")]
    assert [row.values for row in corpus.rows(tmp_path, "train")] == [{"text": "좋다", "label": "긍정"}]
    other = MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "부정")]})
    assert corpus.fingerprint(tmp_path, "train") != other.fingerprint(tmp_path, "train")
    with pytest.raises(InputError, match="did you mean 'train'"):
        corpus.examples(tmp_path, "trian")
