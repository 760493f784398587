"""Corpora of pairs: samples, and the published files where they are at hand."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from helpers import lay, write
from hypothesis import strategies as st

from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example
from ratsnlp_like.examples.pair import PairExample, ScoredPairExample
from ratsnlp_like.registry import CORPORA

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


P, S = PairExample, ScoredPairExample
SAMPLES: dict[tuple[str, str], list[Example]] = {
    ("klue-nli", "train"): [
        P("비가 그쳐서 우산을 접었다.", "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
    ],
    ("klue-nli", "validation"): [P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral")],
    ("kornli", "validation"): [
        P('그가 "비가 그쳤다고 말했다.', "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
    ],
    ("kornli", "test"): [P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral")],
    ("question-pair", "train"): [
        P("헤어진 지 한 달 됐어", "이별한 지 한 달", "same"),
        P("고백할까, 말까", "점심 뭐 먹지", "different"),
    ],
    ("question-pair", "test"): [P("선물 뭐가 좋을까", "무슨 선물을 사지", "same")],
    ("klue-sts", "train"): [
        S("방이 아주 넓어요.", "방이 정말 크네요.", 4.4),
        S("역에서 가깝습니다.", "침대가 편했어요.", 0.0),
    ],
    ("klue-sts", "validation"): [S("비가 온다.", "눈이 온다.", 1.3)],
    ("korsts", "train"): [
        S("아이가 웃는다.", '"아이가 웃고 있다.', 4.8),
        S("개가 뛴다.", "비행기가 난다.", 0.0),
    ],
    ("korsts", "validation"): [S("기차가 늦었다.", "버스가 늦었다.", 2.5)],
    ("korsts", "test"): [S("물가가 올랐다.", "물가가 크게 올랐다.", 3.66666666666666)],
    ("sample-nli", "train"): [
        P("비가 그쳐서 우산을 접었다.", "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
        P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral"),
    ],
    ("sample-sts", "train"): [
        S("방이 아주 넓어요.", "방이 정말 크네요.", 4.4),
        S("역에서 가깝습니다.", "침대가 편했어요.", 0.0),
        S("비가 온다.", "눈이 온다.", 1.3),
    ],
}
PAIRS = [(n, split) for n, c in CORPORA.items() if c.task in {"pair", "similarity"} for split in c.sample]


@pytest.mark.parametrize(("name", "split"), PAIRS)
def test_samples(name: str, split: str, tmp_path: Path) -> None:
    assert list(lay(name, tmp_path).examples(tmp_path, split)) == SAMPLES[name, split]


def test_a_zero_of_question_pair_is_the_same_question(tmp_path: Path) -> None:
    """Against the name of its column, and in a file that is given by its path, too."""
    corpus = lay("question-pair", tmp_path)
    assert corpus.labels(tmp_path) == ("same", "different")
    assert isinstance(corpus, FilesCorpus)
    path = corpus.path(tmp_path, "test")
    own = open_corpus(path, PairExample, "pair", like="question-pair")
    assert [example.label_names for example in own.examples(tmp_path, "train")] == [("same",)]


def test_training_pairs_of_kornli_are_two_files(tmp_path: Path) -> None:
    header = "sentence1\tsentence2\tgold_label\n"
    folder = tmp_path / "kornli"
    write(folder / "multinli.train.ko.tsv", header + "가\t나\tneutral\n")
    with pytest.raises(InputError, match=r"snli_1\.0_train\.ko\.tsv"):
        list(CORPORA["kornli"].examples(tmp_path, "train"))
    second = write(folder / "snli_1.0_train.ko.tsv", header + '"다\t라\tentailment\n')
    assert list(CORPORA["kornli"].examples(tmp_path, "train")) == [
        P("가", "나", "neutral"),
        P('"다', "라", "entailment"),
    ]
    before = CORPORA["kornli"].fingerprint(tmp_path, "train")
    second.write_text(header + "다\t라\tneutral\n", encoding="utf-8")
    assert CORPORA["kornli"].fingerprint(tmp_path, "train") != before


@pytest.mark.parametrize("labels", ['{"real-label": 3.0}', "3.0", "null"])
def test_klue_sts_without_its_score(labels: str, tmp_path: Path) -> None:
    path = write(
        tmp_path / "klue" / "klue-sts_train.json", f'[{{"sentence1": "가", "sentence2": "나", "labels": {labels}}}]'
    )
    with pytest.raises(InputError, match=f"{path}, record 1: labels are "):
        list(CORPORA["klue-sts"].examples(tmp_path, "train"))


def tally(name: str, root: Path, split: str) -> Counter[str]:
    """How often each label occurs in a split."""
    return Counter(label for example in CORPORA[name].examples(root, split) for label in example.label_names)


def scores(name: str, root: Path, split: str) -> list[float]:
    """The scores of a split."""
    found = [getattr(example, "score", None) for example in CORPORA[name].examples(root, split)]
    assert None not in found
    return found  # type: ignore[return-value]


def test_klue_nli(data: Path, no_network: list[str]) -> None:
    assert CORPORA["klue-nli"].splits(data) == ("train", "validation")
    for split, rows in {"train": 1920, "validation": 480}.items():
        assert tally("klue-nli", data, split) == dict.fromkeys(CORPORA["klue-nli"].labels(data) or (), rows // 3)
    assert no_network == []


def test_kornli(data: Path, no_network: list[str]) -> None:
    """No quoting: with it, 1,571 of 2,490 rows are read."""
    assert CORPORA["kornli"].splits(data) == ("validation", "test")  # the training files are not there
    for split, rows in {"validation": 2490, "test": 5010}.items():
        assert tally("kornli", data, split) == dict.fromkeys(CORPORA["kornli"].labels(data) or (), rows // 3)
    assert no_network == []


def test_question_pair(korpora_root: Path, no_network: list[str]) -> None:
    assert tally("question-pair", korpora_root, "train") == {"same": 4750, "different": 6888 - 4750}
    assert tally("question-pair", korpora_root, "test").total() == 688
    train = list(CORPORA["question-pair"].examples(korpora_root, "train"))
    twins = Counter(e.label for e in train if isinstance(e, PairExample) and e.text == e.text_pair)
    assert twins == {"same": 937, "different": 2}
    assert no_network == []


def test_klue_sts(data: Path, no_network: list[str]) -> None:
    for split, rows in {"train": 332, "validation": 83}.items():
        found = scores("klue-sts", data, split)
        assert len(found) == rows
        assert all(0 <= score <= 5 and score == round(score, 1) for score in found)
        assert len(set(found)) > 20
    assert no_network == []


def test_korsts(korpora_root: Path, no_network: list[str]) -> None:
    """No quoting: with it, 5,703 of 5,749 rows are read."""
    for split, rows in {"train": 5749, "validation": 1500, "test": 1379}.items():
        found = scores("korsts", korpora_root, split)
        assert len(found) == rows
        assert (min(found), max(found)) == (0, 5)
    assert no_network == []


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("sample-nli", {"train": 168, "validation": 27, "test": 45}),
        ("sample-sts", {"train": 150, "validation": 30, "test": 40}),
    ],
)
def test_bundled(name: str, counts: dict[str, int], tmp_path: Path) -> None:
    """They are found wherever the root is; no pair and no premise is in two splits."""
    corpus = CORPORA[name]
    splits: dict[str, list[Any]] = {split: list(corpus.examples(tmp_path, split)) for split in corpus.splits(tmp_path)}
    assert {split: len(examples) for split, examples in splits.items()} == counts
    for one, other in pairwise([*splits, next(iter(splits))]):
        assert not {e.text for e in splits[one]} & {e.text for e in splits[other]}
    if name == "sample-nli":
        for split, examples in splits.items():
            labels = Counter(e.label for e in examples)
            assert labels == dict.fromkeys(("entailment", "contradiction", "neutral"), counts[split] // 3)
