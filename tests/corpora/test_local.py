"""Files, folders and archives of the user's own."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import CORPORA


@pytest.mark.parametrize(("name", "sentences", "words"), [("train", 3200, 41_453), ("dev", 800, 10_646)])
def test_a_conll_file(name: str, sentences: int, words: int, data: Path) -> None:
    corpus = open_corpus(data / "conll_example" / f"{name}.conll", EntityExample, "ner")
    examples = list(corpus.examples(data, "train"))
    assert len(examples) == sentences
    assert sum(len(example.text.split(" ")) for example in examples) == words
    for example in examples:
        assert isinstance(example, EntityExample)
        for entity in example.entities or ():  # made of whole words
            assert entity.start == 0 or example.text[entity.start - 1] == " "
            assert entity.end == len(example.text) or example.text[entity.end] == " "


def test_klue_ner_by_its_path(data: Path) -> None:
    """Given by its path, its format is detected, and it is read as the registered corpus is."""
    own = open_corpus(data / "klue" / "klue-ner_dev.tsv", EntityExample, "ner")
    registered = CORPORA["klue-ner"]
    assert list(own.examples(data, "train")) == list(registered.examples(data, "validation"))


def table(*rows: tuple[str, ...], header: str = "text,label") -> bytes:
    return "".join(f"{','.join(row)}\n" for row in (tuple(header.split(",")), *rows)).encode()


def lay_folder(root: Path, files: dict[str, bytes]) -> FileCorpus:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    corpus = open_corpus(root, TextExample, "classification")
    assert isinstance(corpus, FileCorpus)
    return corpus


def texts_of(corpus: Corpus, split: str = "train", root: Path = Path()) -> list[str]:
    return [example.text for example in corpus.examples(root, split)]  # type: ignore[attr-defined]


GOOD, BAD, SOSO = table(("좋다", "긍정")), table(("나쁘다", "부정")), table(("그저 그렇다", "중립"))


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train.csv", "dev.csv", "test.csv"), ("train", "validation", "test")),
        (("ratings_train.csv", "valid.csv", "ratings-test-00001.csv"), ("train", "validation", "test")),
        (("test.csv", "train.csv.gz", "validation.csv"), ("train", "validation", "test")),
        (("a/train.csv", "b/test.csv"), ("train", "test")),
        (("TRAIN.CSV", "Dev.csv"), ("train", "validation")),
        (("test.csv", "dev.csv"), ("validation", "test")),
        (("a.csv", "b.csv", "c.csv"), ("train",)),
        (("latest.csv", "trained.csv"), ("train",)),  # words that merely hold one
        (("train-test.csv", "a.csv"), ("train",)),  # of two splits it is neither
        (("Training/라벨/a.csv", "Validation/라벨/a.csv"), ("train", "validation")),
        (("1.Training/a.csv", "2.Validation/b.csv", "3.Test/c.csv"), ("train", "validation", "test")),
        (("감성_Training.csv", "감성_Validation.csv"), ("train", "validation")),
        (("학습.csv", "검증.csv", "시험.csv"), ("train", "validation", "test")),
        (("훈련데이터.csv", "평가용.csv"), ("train", "test")),
        (("댓글_학습셋.csv", "댓글test.csv"), ("train", "test")),
        (("영화평가.csv", "학습지.csv"), ("train",)),  # words that merely begin or end with one
        (("Validation/train.csv", "Validation/dev.csv"), ("train", "validation")),  # a file's own name first
    ],
    ids=str,
)
def test_splits_of_a_folder(names: tuple[str, ...], splits: tuple[str, ...], tmp_path: Path) -> None:
    contents = (GOOD, BAD, SOSO)
    corpus = lay_folder(tmp_path, dict(zip(names, contents, strict=False)))
    assert corpus.splits(tmp_path) == splits
    assert sorted(t for split in splits for t in texts_of(corpus, split)) == sorted(
        ["좋다", "나쁘다", "그저 그렇다"][: len(names)]
    )


@pytest.mark.parametrize("names", [("dev.csv",), ("test.csv",), ("a.csv", "valid.csv"), ("검증.csv", "시험.csv")])
def test_splits_for_evaluation_are_never_trained_on(names: tuple[str, ...], tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path, dict.fromkeys(names, GOOD))
    with pytest.raises(InputError, match="no split to train on") as caught:
        corpus.training_split(tmp_path)
    assert names[-1] in str(caught.value)
    assert "--train_files" in str(caught.value)


def test_files_that_the_user_names_for_splits(tmp_path: Path) -> None:
    lay_folder(tmp_path, {"a.csv": GOOD, "b.csv": BAD, "parts/1.csv": SOSO, "parts/2.csv": GOOD, "test.csv": BAD})
    files = {"train": ["parts/*.csv"], "validation": ["a.csv", "b.csv"], "test": []}
    corpus = open_corpus(tmp_path, TextExample, "classification", files=files)
    assert corpus.splits(tmp_path) == ("train", "validation")
    assert texts_of(corpus, "train", tmp_path) == ["그저 그렇다", "좋다"]
    assert texts_of(corpus, "validation", tmp_path) == ["좋다", "나쁘다"]
    with pytest.raises(InputError, match=r"no file 'c\.csv'") as caught:
        open_corpus(tmp_path, TextExample, "any", files={"train": ["c.csv"]}).splits(tmp_path)
    assert caught.value.place == "--train_files"


def test_a_split_without_labels(tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path, {"train.csv": GOOD, "test.csv": "text\n모르겠다\n".encode()})
    assert corpus.is_labelled(tmp_path, "train")
    assert not corpus.is_labelled(tmp_path, "test")


def test_a_zip_archive_is_a_folder_or_its_only_file(tmp_path: Path) -> None:
    one, several, damaged = (tmp_path / f"{name}.zip" for name in ("one", "several", "damaged"))
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr("안/자료.csv", GOOD)
    with zipfile.ZipFile(several, "w") as archive:
        archive.writestr("Training/a.csv", GOOD)
        archive.writestr("Validation/a.csv", BAD)
        archive.writestr("__MACOSX/._a.csv", b"\0")
    assert texts_of(open_corpus(one, TextExample, "any")) == ["좋다"]
    corpus = open_corpus(several, TextExample, "any")
    assert {split: texts_of(corpus, split) for split in corpus.splits(tmp_path)} == {
        "train": ["좋다"],
        "validation": ["나쁘다"],
    }
    damaged.write_bytes(several.read_bytes()[:60])
    with pytest.raises(InputError, match="the archive cannot be unpacked"):
        open_corpus(damaged, TextExample, "any").splits(tmp_path)


def test_names_in_a_zip_of_korean_windows(tmp_path: Path) -> None:
    class InCp949(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self.filename.encode("cp949"), self.flag_bits & ~0x800

    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(InCp949("학습.csv"), GOOD)
        archive.writestr(InCp949("검증.csv"), BAD)
    assert open_corpus(path, TextExample, "any").splits(tmp_path) == ("train", "validation")


def test_a_split_of_several_files(tmp_path: Path) -> None:
    """In the order of their names, with columns where each of them has them."""
    other = table(("1", "부정", "나쁘다"), header="id,label,text")
    corpus = lay_folder(tmp_path, {"train-02.csv": other, "train-01.csv.gz": GOOD, "dev.csv": SOSO})
    assert list(corpus.examples(tmp_path, "train")) == [TextExample("좋다", "긍정"), TextExample("나쁘다", "부정")]
    places = [example.place for example in corpus.examples(tmp_path, "train")]
    assert [(Path(place.file).name, place.line) for place in places if place] == [
        ("train-01.csv.gz", 2),
        ("train-02.csv", 2),
    ]


def test_other_files_of_a_folder_with_splits_are_ignored(tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path, {"train.csv": GOOD, "extra.csv": BAD})
    assert corpus.splits(tmp_path) == ("train",)
    assert texts_of(corpus) == ["좋다"]


def test_hidden_and_unknown_files_are_ignored(tmp_path: Path) -> None:
    files = {"a/b/deep.csv": GOOD, ".hidden.csv": BAD, ".git/x.csv": BAD, "a/.b/y.csv": BAD, "README": b"x"}
    corpus = lay_folder(tmp_path, files | {"model.bin": b"\0", "x.csv.bak": BAD, "c.tsv": b"text\tlabel\nx\ty\n"})
    assert texts_of(corpus) == ["좋다", "x"]  # of two formats


def test_a_folder_of_texts(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("둘\n셋\n", encoding="utf-8")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress("하나\n".encode()))
    corpus = open_corpus(tmp_path, RawExample, "masked-lm")
    assert list(corpus.examples(tmp_path, "train")) == [RawExample(text) for text in ("하나", "둘", "셋")]


def test_a_broken_file_of_a_folder_is_named(tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path, {"train-1.csv": GOOD, "train-2.csv": b"no,columns\n1,2\n"})
    with pytest.raises(InputError, match="no column for the text") as caught:
        list(corpus.examples(tmp_path, "train"))
    assert "train-2.csv" in str(caught.value)


def test_the_fingerprint_of_a_folder(tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path, {"train-1.csv": GOOD, "train-2.csv": BAD, "test.csv": SOSO})
    before = corpus.fingerprint(tmp_path, "train")
    (tmp_path / "test.csv").write_bytes(GOOD)
    assert corpus.fingerprint(tmp_path, "train") == before
    (tmp_path / "train-2.csv").write_bytes(SOSO)
    changed = corpus.fingerprint(tmp_path, "train")
    (tmp_path / "train-3.csv").write_bytes(BAD)
    assert len({before, changed, corpus.fingerprint(tmp_path, "train")}) == 3


@pytest.mark.parametrize(("files", "inside"), [({}, "nothing"), ({"a.bin": b"x", ".b.csv": BAD}, "a.bin")])
def test_a_folder_without_a_corpus(files: dict[str, bytes], inside: str, tmp_path: Path) -> None:
    corpus = lay_folder(tmp_path / "own", files) if files else FileCorpus(file=tmp_path)
    with pytest.raises(InputError, match=f"holds no corpus file .*{inside}") as caught:
        corpus.splits(tmp_path)
    assert caught.value.place == corpus.file
