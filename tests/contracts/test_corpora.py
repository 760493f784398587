"""Contracts of every registered corpus; then the published files, and files of the user's own."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import helpers
import pytest

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.corpora.remote import RemoteFile
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import RawExample, TextExample
from ratsnlp_like.registry import CORPORA, TASKS

SAMPLES = [(name, split) for name, corpus in CORPORA.items() for split in corpus.sample]
FILES = [name for name, corpus in CORPORA.items() if isinstance(corpus, FilesCorpus)]
ELSEWHERE = [name for name in FILES if CORPORA[name].folder is None]

# Expected examples of the samples, stated by hand. A new corpus needs no row here.
BY_HAND = {
    ("nsmc", "train"): [
        TextExample("기대 없이 봤는데 끝까지 웃었네요", "positive"),
        TextExample('"감동이라더니 졸기만 했다', "negative"),
        TextExample("", "negative"),
    ],
    ("nsmc", "test"): [
        TextExample("배우들 연기가 다 살렸다 ㅋㅋ", "positive"),
        TextExample("돈이 아까워요 ㅠㅠ", "negative"),
    ],
    ("korean-hate-speech", "train"): [
        TextExample("오늘 무대 정말 멋졌어요", "none"),
        TextExample("저 사람 또 나왔네 지겹다", "offensive"),
    ],
    ("klue-ner", "train"): [EntityExample("부산에서 봄", (Entity(0, 2, "LC"),))],
    ("klue-ner", "validation"): [EntityExample("두 명", (Entity(0, 3, "QT"),))],
    ("ner-book", "train"): [
        EntityExample("김서연은 부산에 산다", (Entity(0, 3, "PER"), Entity(5, 7, "LOC"))),
        EntityExample("값이 3<5 라고?", (Entity(3, 4, "NOH"), Entity(5, 6, "NOH"))),
    ],
    ("ner-book", "validation"): [EntityExample("9:30에 만나", (Entity(0, 4, "TIM"),))],
    ("sample-sentiment", "train"): [
        TextExample("국물이 시원해서 또 가고 싶어요", "긍정"),
        TextExample("세 시간을 버렸다", "부정"),
    ],
    ("sample-ner", "train"): [EntityExample("박하늘은 대전에 왔다", (Entity(0, 3, "PS"), Entity(5, 7, "LC")))],
}


@pytest.fixture
def lay(tmp_path: Path) -> Callable[[str], Corpus]:
    """`lay("nsmc")` writes the samples of a corpus where it looks for its files, and gives the corpus."""

    return lambda name: helpers.lay(name, tmp_path)


@pytest.mark.parametrize("name", CORPORA)
def test_its_description(name: str) -> None:
    corpus = CORPORA[name]
    assert 20 < len(corpus.description) < 200
    assert "\n" not in corpus.description
    assert corpus.task in TASKS
    assert issubclass(corpus.example_type, TASKS[corpus.task].example)
    assert corpus.sample


@pytest.mark.parametrize(("name", "split"), SAMPLES)
def test_its_sample_is_read(name: str, split: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    corpus = lay(name)
    assert isinstance(corpus, FilesCorpus)
    assert set(corpus.splits(tmp_path)) == set(corpus.sample)
    examples = list(corpus.examples(tmp_path, split))
    raw = corpus.sample[split]
    assert examples
    assert all(type(example) is corpus.example_type for example in examples)
    assert all(example.missing is None for example in examples)
    assert all(example.text in raw for example in examples if isinstance(example, TextExample))
    places = [example.place for example in examples]
    assert {place.file for place in places if place} == {str(corpus.path(tmp_path, split))}
    lines = [place.line for place in places if place]
    assert lines == sorted(set(lines))
    assert 1 <= lines[0] <= lines[-1] <= max(len(raw.splitlines()), len(examples))  # an array may be on one line


@pytest.mark.parametrize(("name", "split"), BY_HAND)
def test_its_sample_is_read_as_stated_by_hand(
    name: str, split: str, lay: Callable[[str], Corpus], tmp_path: Path
) -> None:
    assert list(lay(name).examples(tmp_path, split)) == BY_HAND[name, split]


@pytest.mark.parametrize(("name", "split"), SAMPLES)
def test_examples_survive_json(name: str, split: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    for example in lay(name).examples(tmp_path, split):
        again = type(example).from_json(example.to_json())
        assert (again, again.place) == (example, example.place)


@pytest.mark.parametrize(("name", "split"), SAMPLES)
def test_its_labels_are_those_it_declares(name: str, split: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    corpus = lay(name)
    declared = corpus.labels(tmp_path)
    for example in corpus.examples(tmp_path, split):
        if isinstance(example, EntityExample):
            assert all(example.text[entity.start : entity.end] for entity in example.entities or ())
        if declared is not None:
            assert set(example.label_names) <= set(declared)


@pytest.mark.parametrize("name", FILES)
def test_labels_are_not_read_for_prediction(name: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    corpus = lay(name)
    split = next(iter(corpus.sample))
    first = corpus.example_type.columns()[0]
    given = [getattr(example.as_input(), first) for example in corpus.examples(tmp_path, split)]
    inputs = list(corpus.inputs(tmp_path, split))
    assert [getattr(example, first) for example in inputs] == given
    assert all(example.label_names == () for example in inputs)


@pytest.mark.parametrize(("name", "split"), SAMPLES)
def test_its_fingerprint_follows_the_file(name: str, split: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    corpus = lay(name)
    assert isinstance(corpus, FilesCorpus)
    before = corpus.fingerprint(tmp_path, split)
    assert corpus.fingerprint(tmp_path, split) == before
    path = corpus.path(tmp_path, split)
    content = path.read_bytes()
    path.write_bytes(content + b" ")
    assert corpus.fingerprint(tmp_path, split) != before
    path.write_bytes(content)
    assert corpus.fingerprint(tmp_path, split) == before


@pytest.mark.parametrize("name", FILES)
def test_its_fingerprint_follows_how_it_is_read(name: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    corpus = lay(name)
    split = next(iter(corpus.sample))
    prints = {
        one.fingerprint(tmp_path, split)
        for one in (corpus, replace(corpus, columns={"text": "other"}), replace(corpus, label_separator=","))
    }
    assert len(prints) == 3


@pytest.mark.parametrize("name", ELSEWHERE)
def test_missing_files(name: str, tmp_path: Path, no_network: list[str]) -> None:
    corpus = CORPORA[name]
    assert isinstance(corpus, FilesCorpus)
    with pytest.raises(InputError) as caught:
        corpus.splits(tmp_path)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert "--corpus_root" in message
    left = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {".lock"}  # a failed download leaves no data


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_connection_is_opened_for_files_on_disk(
    name: str, lay: Callable[[str], Corpus], tmp_path: Path, no_network: list[str]
) -> None:
    corpus = lay(name)
    for split in corpus.splits(tmp_path):
        assert list(corpus.examples(tmp_path, split))
    assert no_network == []


REMOTE = [(name, file) for name, corpus in CORPORA.items() for file in corpus.remote]


@pytest.mark.parametrize(("name", "file"), REMOTE, ids=lambda value: getattr(value, "path", value))
def test_its_remote_files(name: str, file: RemoteFile) -> None:
    corpus = CORPORA[name]
    assert isinstance(corpus, FilesCorpus)
    assert file.url.startswith("https://")
    assert len(file.license) > 2
    assert file.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    assert any(Path(file.path).match(pattern) for patterns in corpus.paths.values() for pattern in patterns)


def test_the_corpora_of_the_book_have_addresses() -> None:
    assert {"nsmc", "korquad-v1", "klue-nli", "ner-book"} <= {name for name, _ in REMOTE}
    digests = {name: [file.sha256 is not None for file in CORPORA[name].remote] for name in ("nsmc", "korquad-v1")}
    assert digests == {"nsmc": [True, True], "korquad-v1": [True, True]}


def test_a_missing_corpus_is_downloaded_to_where_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[tuple[str, str | None]] = []

    def download(url: str, path: Path, *, sha256: str | None) -> None:
        wanted.append((url, sha256))
        helpers.write(path, "id\tdocument\tlabel\n1\t좋다\t1\n")

    monkeypatch.setattr("ratsnlp_like.corpora.remote.download", download)
    corpus = CORPORA["nsmc"]
    assert list(corpus.examples(tmp_path, "test")) == [TextExample("좋다", "positive")]
    assert wanted == [(file.url, file.sha256) for file in corpus.remote]
    assert corpus.splits(tmp_path) == ("train", "test")
    assert len(wanted) == 2  # and not again


@pytest.mark.parametrize("name", FILES)
def test_a_split_that_does_not_exist(name: str, lay: Callable[[str], Corpus], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no split 'trian'"):
        list(lay(name).examples(tmp_path, "trian"))


# The corpora that ship


@pytest.mark.parametrize(
    ("name", "labels", "counts"),
    [
        ("sample-sentiment", {"긍정", "부정"}, {"train": 440, "validation": 80, "test": 120}),
        ("sample-ner", {"PS", "LC", "OG", "DT", "QT"}, {"train": 280, "validation": 40, "test": 60}),
    ],
)
def test_bundled(name: str, labels: set[str], counts: dict[str, int], tmp_path: Path) -> None:
    """They are found wherever the root is, and no text is in two splits."""
    corpus = CORPORA[name]
    splits = {split: list(corpus.examples(tmp_path, split)) for split in corpus.splits(tmp_path)}
    assert {split: len(examples) for split, examples in splits.items()} == counts
    for examples in splits.values():
        assert {label for example in examples for label in example.label_names} == labels
    texts = [example.text for examples in splits.values() for example in examples]
    assert len(set(texts)) == len(texts)
    assert all(text.strip() == text != "" for text in texts)


# The real ones


def tally(corpus: Corpus, root: Path, split: str) -> tuple[int, int, Counter[str]]:
    """Rows, empty rows, and labels of a split."""
    rows = empty = 0
    labels: Counter[str] = Counter()
    for example in corpus.examples(root, split):
        rows += 1
        empty += not example.text.strip()
        labels.update(example.label_names)
    return rows, empty, labels


def test_nsmc(korpora_root: Path, no_network: list[str]) -> None:
    corpus = CORPORA["nsmc"]
    assert tally(corpus, korpora_root, "train") == (150_000, 6, {"negative": 75_001, "positive": 74_999})
    assert tally(corpus, korpora_root, "test") == (50_000, 1, {"negative": 24_999, "positive": 25_001})
    assert no_network == []


@pytest.mark.parametrize(
    ("column", "train", "validation"),
    [
        ("hate", {"none": 3486, "offensive": 2499, "hate": 1911}, {"none": 160, "offensive": 189, "hate": 122}),
        ("bias", {"none": 5148, "others": 1516, "gender": 1232}, {"none": 342, "gender": 67, "others": 62}),
        ("contain_gender_bias", {"False": 6664, "True": 1232}, {"False": 404, "True": 67}),
    ],
)
def test_korean_hate_speech(
    column: str, train: dict[str, int], validation: dict[str, int], korpora_root: Path, no_network: list[str]
) -> None:
    corpus = open_corpus("korean-hate-speech", TextExample, "classification", columns={"label": column})
    assert corpus.splits(korpora_root) == ("train", "validation")  # the published test file has no labels
    assert tally(corpus, korpora_root, "train") == (7896, 0, train)
    assert tally(corpus, korpora_root, "validation") == (471, 0, validation)
    assert no_network == []


def test_klue_ner(data: Path, no_network: list[str]) -> None:
    corpus = CORPORA["klue-ner"]
    train = {"PS": 2759, "QT": 2013, "DT": 1467, "OG": 1349, "LC": 1099, "TI": 348}
    validation = {"PS": 791, "QT": 495, "OG": 387, "DT": 374, "LC": 232, "TI": 82}
    assert tally(corpus, data, "train") == (3200, 0, train)
    assert tally(corpus, data, "validation") == (800, 0, validation)
    assert no_network == []


def test_ner_book(data: Path, no_network: list[str]) -> None:
    """As its README counts, but for `<<2>:NOH>` of val: an entity here, a mismatch for a regular expression."""
    corpus = CORPORA["ner-book"]
    train = {"PER": 13_741, "ORG": 13_047, "NOH": 12_122, "POH": 6337, "LOC": 6024, "DAT": 5047, "PNT": 1394}
    train |= {"DUR": 1255, "MNY": 1224, "TIM": 386}
    validation = {"PER": 1765, "ORG": 1552, "NOH": 1358 + 1, "POH": 833, "LOC": 782, "DAT": 680, "PNT": 224}
    validation |= {"MNY": 178, "DUR": 133, "TIM": 41}
    assert tally(corpus, data, "train") == (17_957, 0, train)
    assert tally(corpus, data, "validation") == (2368, 0, validation)
    assert no_network == []


# Files of the user's own


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


# Folders of the user's own


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


# Any text is raw text


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


# By name


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
