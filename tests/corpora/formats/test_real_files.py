"""Row counts and contents of the published corpora."""

from __future__ import annotations

from collections import Counter

import pytest
from format_helpers import DATA, needs_data, values

from ratsnlp_like.corpora.formats import choose_format, read_rows
from ratsnlp_like.corpora.formats.book import find_marks

COUNTS = {
    "korpora/nsmc/ratings_train.txt": ("tsv", 150_000),
    "korpora/nsmc/ratings_test.txt": ("tsv", 50_000),
    "korpora/korean_chatbot_data/ChatbotData.csv": ("csv", 11_823),
    "korpora/question_pair/kor_pair_train.csv": ("csv", 6_888),
    "korpora/question_pair/kor_pair_test.csv": ("csv", 688),
    "korpora/korsts/sts-train.tsv": ("tsv", 5_749),
    "korpora/korsts/sts-dev.tsv": ("tsv", 1_500),
    "korpora/korsts/sts-test.tsv": ("tsv", 1_379),
    "kornli_xnli/xnli.dev.ko.tsv": ("tsv", 2_490),
    "kornli_xnli/xnli.test.ko.tsv": ("tsv", 5_010),
    "korpora/korean_hate_speech/labeled/train.tsv": ("tsv", 7_896),
    "korpora/korean_hate_speech/labeled/dev.tsv": ("tsv", 471),
    "korpora/korean_hate_speech/test.no_label.tsv": ("tsv", 974),
    "korpora/korean_hate_speech/news_title/train.news_title.txt": ("text", 7_896),
    "korpora/korean_hate_speech/unlabeled/unlabeled_comments_5.txt": ("text", 33_893),
    "klue/klue-nli_train.json": ("json", 1_920),
    "klue/klue-nli_dev.json": ("json", 480),
    "klue/klue-sts_train.json": ("json", 332),
    "klue/klue-sts_dev.json": ("json", 83),
    "klue/klue-ner_train.tsv": ("klue-ner", 3_200),
    "klue/klue-ner_dev.tsv": ("klue-ner", 800),
    "conll_example/train.conll": ("conll", 3_200),
    "conll_example/dev.conll": ("conll", 800),
    "korquad/korquad_train.json": ("squad", 3_434),
    "korquad/korquad_dev.json": ("squad", 1_537),
}


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize("name", COUNTS)
def test_real_file(name: str) -> None:
    expected, count = COUNTS[name]
    path = DATA / name
    assert choose_format(path).name == expected
    assert sum(1 for _ in read_rows(path)) == count


@pytest.mark.slow
@needs_data
def test_real_gzip_file() -> None:
    assert sum(1 for _ in read_rows(DATA / "unlabeled" / "nsmc_reviews.txt.gz")) == 629_161


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize(("split", "empty", "quotes"), [("train", 6, 659), ("test", 1, None)])
def test_real_nsmc_reviews(split: str, empty: int, quotes: int | None) -> None:
    rows = values(DATA / "korpora" / "nsmc" / f"ratings_{split}.txt")
    assert list(rows[0]) == ["id", "document", "label"]
    assert sum(not row["document"] for row in rows) == empty
    assert {row["label"] for row in rows} == {"0", "1"}
    if quotes is not None:
        assert sum('"' in row["document"] for row in rows) == quotes


@needs_data
def test_real_headers() -> None:
    assert values(DATA / "korpora/question_pair/kor_pair_train.csv")[0].keys() == {
        *("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
    }
    # One row of the test file has a value in the nameless fifth column, which the README calls empty.
    rows = values(DATA / "korpora/question_pair/kor_pair_test.csv")
    assert all(row.keys() == {"test_id", "question1", "question2", "is_duplicate"} for row in rows)
    assert {row["is_duplicate"] for row in rows} == {"0", "1"}
    labels = Counter(row["label"] for row in values(DATA / "korpora/korean_chatbot_data/ChatbotData.csv"))
    assert labels == {"0": 5_290, "1": 3_570, "2": 2_962, "2   ": 1}


NER_BOOK = {
    "train": Counter(
        PER=13_741, ORG=13_047, NOH=12_122, POH=6_337, LOC=6_024, DAT=5_047, PNT=1_394, DUR=1_255, MNY=1_224, TIM=386
    ),
    # The README counts 1,358 NOH and 7,546 in all: without the one entity of the line whose mark takes in the
    # brackets, `<<2>:NOH>`. Its removal leaves the plain half letter for letter, so it is an entity here.
    "val": Counter(PER=1_765, ORG=1_552, NOH=1_359, POH=833, LOC=782, DAT=680, PNT=224, MNY=178, DUR=133, TIM=41),
}


@needs_data
@pytest.mark.parametrize(("split", "count"), [("train", 17_957), ("val", 2_368)])
def test_real_ner_book(split: str, count: int) -> None:
    path = DATA / "ner_book" / f"{split}.txt"
    assert choose_format(path).name == "book-ner"
    rows = values(path)
    assert len(rows) == count
    assert Counter(label for row in rows for *_, label in row["entities"]) == NER_BOOK[split]
    # The marks that take in a bracket without its partner: none.
    spans = [row["text"][start:end] for row in rows for start, end, _ in row["entities"]]
    assert all(span.count("<") == span.count(">") for span in spans)


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize(("split", "words"), [("train", 41_453), ("dev", 10_646)])
def test_real_conll_words(split: str, words: int) -> None:
    rows = values(DATA / "conll_example" / f"{split}.conll")
    assert sum(len(row["text"].split(" ")) for row in rows) == words


@pytest.mark.slow
@needs_data
@pytest.mark.parametrize("name", ["ner_book/*.txt", "klue/klue-ner_*.tsv", "conll_example/*.conll"])
def test_real_entities_have_text(name: str) -> None:
    for path in DATA.glob(name):
        for row in read_rows(path):
            text, entities = row.values["text"], row.values["entities"]
            assert all(0 <= start < end <= len(text) and text[start:end].strip() for start, end, _ in entities), row


@pytest.mark.slow
@needs_data
def test_real_klue_ner_agrees_with_the_marks_of_its_heads() -> None:
    """The reader itself compares them where the sentence has no brackets; here the others, by the book's search.

    In three sentences, where the mark is between brackets of the sentence (`<<영화:PS>>`), the rows put the
    opening bracket into the entity. Rows are what KLUE scores, so the reader follows them.
    """
    differ = []
    for path in sorted(DATA.glob("klue/klue-ner_*.tsv")):
        heads = {}
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line.startswith("## klue"):
                guid, _, marked = line[3:].partition("\t")
                heads[guid] = marked
        for row in values(path):
            if find_marks(row["text"], heads[row["guid"]]) != row["entities"]:
                differ.append(row["guid"])
    assert len(differ) == 3
