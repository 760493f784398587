"""Corpora by name, by object, and with the options of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import helpers
import pytest

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import CORPORA


@pytest.fixture
def lay(tmp_path: Path) -> Callable[[str], Corpus]:
    """`lay("nsmc")` writes the samples of a corpus where it looks for its files, and gives the corpus."""

    return lambda name: helpers.lay(name, tmp_path)


def texts_of(corpus: Corpus, split: str = "train", root: Path = Path()) -> list[str]:
    return [example.text for example in corpus.examples(root, split)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["nsmc", "klue-ner", "korean-hate-speech", "ner-book"])
def test_a_corpus_with_labels_read_as_text(name: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    labelled = lay(name)
    corpus = open_corpus(name, RawExample, "masked-lm")
    assert corpus.example_type is RawExample
    for split in labelled.splits(tmp_path):
        expected = [RawExample(text) for text in texts_of(labelled, split, tmp_path)]
        assert list(corpus.examples(tmp_path, split)) == expected
        assert all(example.missing is None for example in corpus.examples(tmp_path, split))
    assert CORPORA[name].example_type is not RawExample  # the registered one stays as it is


def test_raw_text_has_no_labels() -> None:
    with pytest.raises(InputError, match="'sample-raw' is for the task masked-lm, not for classification"):
        open_corpus("sample-raw", TextExample, "classification")


def test_a_corpus_of_another_task() -> None:
    with pytest.raises(InputError, match="'nsmc' is for the task classification, not for ner") as caught:
        open_corpus("nsmc", EntityExample, "ner")
    assert "klue-ner" in str(caught.value)


@pytest.mark.parametrize(("wrong", "right"), [("nmsc", "nsmc"), ("klue_ner", "klue-ner"), ("ner", "ner-book")])
def test_an_unknown_name(wrong: str, right: str) -> None:
    with pytest.raises(InputError, match=f"did you mean .*{right}"):
        open_corpus(wrong, Example, "any")


def test_a_registered_corpus_takes_the_users_columns() -> None:
    assert CORPORA["nsmc"].columns == {}
    changed = open_corpus("nsmc", TextExample, "classification", columns={"label": "id"}, label_separator="|")
    assert (changed.columns, changed.label_separator) == ({"label": "id"}, "|")
    assert CORPORA["nsmc"].columns == {}


def test_a_corpus_object_takes_the_users_options(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("후일담;점수\n좋다;긍정|추천\n", encoding="utf-8")
    own = FileCorpus(file=path, columns={"text": "후일담"})
    opened = open_corpus(
        own,
        TextExample,
        "classification",
        columns={"label": "점수"},
        label_separator="|",
        options=Options(delimiter=";"),
    )
    assert list(opened.examples(tmp_path, "train")) == [TextExample("좋다", ("긍정", "추천"))]
    assert own.columns == {"text": "후일담"}  # the given object stays as it is
    kept = open_corpus(replace(own, kind=TextExample), TextExample, "classification")
    assert kept == replace(own, kind=TextExample)


def test_examples_in_memory_have_no_columns() -> None:
    corpus = MemoryCorpus(kind=TextExample, given={"train": [TextExample("좋다", "긍정")]})
    with pytest.raises(InputError, match="columns for examples in memory"):
        open_corpus(corpus, TextExample, "classification", columns={"text": "review"})
    assert open_corpus(corpus, TextExample, "classification") is corpus


def test_options_that_a_corpus_cannot_take_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", logger="ratsnlp_like"):
        open_corpus("nsmc", TextExample, "classification", subset="small", options=Options(encoding="cp949"))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["Nsmc", "Nsmc"]
    assert "--subset is ignored" in caplog.text
    assert "--encoding and the like are ignored" in caplog.text
