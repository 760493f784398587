"""brat's annotations next to a text."""

from __future__ import annotations

from format_helpers import Write, fails, lines, values

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.entity import Entity, EntityExample

TEXT = "은별은 산다.\n\n집은 여수에 있다.\n"


def test_entities_of_each_line(write: Write) -> None:
    write("a.txt", TEXT)
    path = write("a.ann", "T1\tPS 0 2\t은별\nR1\tlives Arg1:T1 Arg2:T2\nT2\tLC 12 14\t여수\n#1\tNote T1\t?\n")
    assert values(path) == [
        {"text": "은별은 산다.", "entities": [[0, 2, "PS"]]},
        {"text": "집은 여수에 있다.", "entities": [[3, 5, "LC"]]},
    ]
    assert lines(path) == [1, 3]


def test_a_folder_reads_each_text_once(write: Write) -> None:
    folder = write("a.txt", TEXT).parent
    write("a.ann", "T1\tPS 0 2\t은별\n")
    corpus = open_corpus(folder, EntityExample, "ner")
    first, second = corpus.examples(folder, "train")
    assert first == EntityExample("은별은 산다.", (Entity(0, 2, "PS"),))
    assert second == EntityExample("집은 여수에 있다.", ())


def test_annotations_that_cannot_be_read(write: Write) -> None:
    path = write("a.ann", "T1\tPS 0 2;3 4\t은별\n")
    fails(path, "the text of the annotations is missing: a.txt")
    write("a.txt", TEXT)
    fails(path, "cannot read the entity", "one span", line=1)
    fails(write("a.ann", "T1\tPS 5 12\tx\n"), "spans lines", line=1)
    fails(write("a.ann", "\nT1\tPS 90 99\tx\n"), "outside the text", line=2)
