"""Tables in memory and saved data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest

from ratsnlp_like import FineTuneResult, Predictor, evaluate
from ratsnlp_like.corpora.detection import infer_task
from ratsnlp_like.corpora.formats import Options
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.corpora.tables import TableCorpus, table_inputs
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.text import TextExample

pandas = pytest.importorskip("pandas")

ROWS = [{"후기": "또 갈게요", "평점": "추천"}, {"후기": "다시는 안 가요", "평점": "반대"}]
EXPECTED = [TextExample("또 갈게요", "추천"), TextExample("다시는 안 가요", "반대")]


def features() -> datasets.Dataset:
    kinds = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["반대", "추천"])}
    rows = {"text": [example.text for example in EXPECTED], "label": [1, 0]}
    return datasets.Dataset.from_dict(rows, features=datasets.Features(kinds))


TABLES: dict[str, Any] = {
    "list": ROWS,
    "frame": pandas.DataFrame(ROWS),
    "dataset": features(),
    "splits": {"train": ROWS, "dev": pandas.DataFrame(ROWS[:1])},
    "dataset dict": datasets.DatasetDict({"train": features(), "validation": features()}),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_in_memory(name: str, tmp_path: Path) -> None:
    corpus = open_corpus(TABLES[name], TextExample, "classification")
    assert list(corpus.examples(tmp_path, "train")) == EXPECTED
    assert corpus.splits(tmp_path) == (("train", "validation") if "splits" in name or "dict" in name else ("train",))
    assert corpus.fingerprint(tmp_path, "train") == corpus.fingerprint(tmp_path, "train")


def test_fingerprints_follow_the_rows_and_the_options(tmp_path: Path) -> None:
    corpora = [
        open_corpus(ROWS, TextExample, "classification"),
        open_corpus(ROWS[:1], TextExample, "classification"),
        open_corpus(ROWS, TextExample, "classification", columns={"text": "평점"}),
        open_corpus(ROWS, TextExample, "classification", label_type="class"),
    ]
    assert len({corpus.fingerprint(tmp_path, "train") for corpus in corpora}) == 4


def test_missing_values_of_a_frame_are_empty(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"text": ["가", None, "다"], "label": ["x", "y", float("nan")]})
    examples = list(open_corpus(frame, TextExample, "classification").examples(tmp_path, "train"))
    assert examples == [TextExample("가", "x"), TextExample("", "y"), TextExample("다", None)]


def test_rows_are_named_in_messages(tmp_path: Path) -> None:
    frame = pandas.DataFrame({"text": ["가", "나"], "label": [1.0, 2.5]})
    with pytest.raises(InputError, match=r"DataFrame \(train\), row 1"):
        list(open_corpus(frame, TextExample, "classification").examples(tmp_path, "train"))


@pytest.mark.parametrize("value", [5, [], {}, ["text"], object(), iter(ROWS)])
def test_values_that_are_no_tables(value: Any) -> None:
    with pytest.raises(InputError, match="the corpus is a"):
        open_corpus(value, TextExample, "classification")


@pytest.mark.parametrize("several", [True, False])
def test_a_folder_of_save_to_disk(several: bool, tmp_path: Path) -> None:
    saved = datasets.DatasetDict({"train": features(), "test": features()}) if several else features()
    folder = tmp_path / "saved"
    saved.save_to_disk(folder)
    corpus = open_corpus(folder, TextExample, "classification")
    assert isinstance(corpus, TableCorpus)
    assert corpus.splits(tmp_path) == (("train", "test") if several else ("train",))
    assert list(corpus.examples(tmp_path, "train")) == EXPECTED
    assert infer_task(str(folder), Options()) == "classification"


def test_a_damaged_folder_of_save_to_disk(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="the saved data set cannot be loaded"):
        open_corpus(tmp_path, TextExample, "classification")


@pytest.mark.parametrize("name", ["frame", "dataset"])
def test_tables_are_inputs_to_predict_on(name: str) -> None:
    """Other columns are ignored; the columns of training are used where the table has them."""
    assert not TextExample.is_one(TABLES[name])
    inputs = table_inputs(TABLES[name], TextExample, {"text": "review"})
    assert inputs == [TextExample(example.text) for example in EXPECTED]
    assert table_inputs([{"text": "가"}], TextExample, {}) is None
    renamed = pandas.DataFrame({"review": ["가"], "text": ["나"]})
    assert table_inputs(renamed, TextExample, {"text": "review"}) == [TextExample("가")]


def test_a_frame_without_texts() -> None:
    with pytest.raises(InputError, match="no column for the text among 'n'"):
        table_inputs(pandas.DataFrame({"n": [1]}), TextExample, {})


@pytest.mark.slow
def test_a_predictor_takes_a_frame(classifier: FineTuneResult) -> None:
    predictor = Predictor.from_pretrained(classifier.best)
    frame = pandas.DataFrame({"평점": ["x", "y"], "후기": ["또 갈게요", "다시는 안 가요"]})
    assert predictor(frame) == predictor(list(frame["후기"]))


@pytest.mark.slow
def test_a_frame_is_evaluated_on(classifier: FineTuneResult, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts, labels = ["정말 좋아요", "돈이 아까워요", "또 볼래요"], ["긍정", "부정", "긍정"]
    frame = pandas.DataFrame({"후기": texts, "평점": labels})
    with caplog.at_level("INFO", logger="ratsnlp_like"):
        metrics = evaluate(classifier.best, corpus=frame, progress=False, cache_dir=tmp_path)
    predictions = Predictor.from_pretrained(classifier.best)(texts)
    right = sum(prediction.label == label for prediction, label in zip(predictions, labels, strict=True))
    assert metrics["accuracy"] == pytest.approx(right / 3)
    assert "DataFrame" in caplog.text
    assert "또 볼래요" not in caplog.text
