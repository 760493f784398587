"""fastText's training files."""

from __future__ import annotations

from format_helpers import Write, fails, values

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.text import TextExample


def test_one_label_and_several(write: Write) -> None:
    path = write("a.txt", "__label__추천 또 갈게요\n\n__label__반대 다시는 안 가요\n")
    examples = list(open_corpus(path, TextExample, "classification").examples(path.parent, "train"))
    assert examples == [TextExample("또 갈게요", "추천"), TextExample("다시는 안 가요", "반대")]
    several = write("b.txt", "__label__맛 __label__값 비싸지만 맛있다\n")
    assert values(several) == [{"text": "비싸지만 맛있다", "label": ["맛", "값"]}]


def test_a_line_without_label(write: Write) -> None:
    fails(write("a.txt", "__label__a 가\n나\n"), "no label in '나'", line=2, format="fasttext")
