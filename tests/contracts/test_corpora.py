"""Contracts of every registered corpus."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import helpers
import pytest

from ratsnlp_like.corpora.base import Corpus
from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.remote import RemoteFile
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.entity import Entity, EntityExample
from ratsnlp_like.examples.text import TextExample
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
