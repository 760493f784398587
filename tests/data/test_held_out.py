"""Rows that are held out: groups stay together, copies are reported, fields are fitted on trained rows alone."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers import tokenizer, tsv, write

from ratsnlp_like.corpora.memory import MemoryCorpus
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.examples.text import TextExample
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.classification import Classification


def open_module(task: Any, corpus: Any, cache: Path, **options: Any) -> TaskDataModule:
    data = TaskDataModule(task, corpus, tokenizer(), cache=cache, **{"max_length": 64} | options)
    data.setup("fit")
    return data


def values(split: Any, name: str) -> set[Any]:
    return {getattr(example, name) for example in split.examples()}


def test_copies_of_a_text_stay_together(tmp_path: Path, cache: Path) -> None:
    """With copies on both sides, a model could look up even random labels."""
    draw = random.Random(3)
    rows = [(f"{i // 6}번  손님의 말" if i % 2 else f" {i // 6}번 손님의 말", draw.choice("ab")) for i in range(900)]
    draw.shuffle(rows)
    data = open_module(Classification(), tsv(tmp_path / "rows.tsv", rows), cache)
    train, held_out = ({" ".join(t.split()) for t in values(s, "text")} for s in (data.train, data.validation))
    assert not train & held_out
    assert len(held_out) == pytest.approx(15, abs=2)


def test_paragraphs_stay_together(cache: Path) -> None:
    rows = [
        QuestionExample(f"{i}번 질문?", f"{i // 8}번 문단은 1998년에 쓰였다.", (Answer("1998년", 7 + (i >= 80)),))
        for i in range(160)
    ]
    corpus = MemoryCorpus(kind=QuestionExample, given={"train": rows})
    data = open_module(TASKS["question-answering"](), corpus, cache)
    assert not values(data.train, "context") & values(data.validation, "context")
    assert len(values(data.validation, "context")) == 2


def test_premises_stay_together(tmp_path: Path, cache: Path) -> None:
    labels = ("entailment", "contradiction", "neutral")
    rows = [(f"{i // 3}번 전제이다", f"{i}번 가설이다", labels[i % 3]) for i in range(180)]
    path = tsv(tmp_path / "nli.tsv", rows, "premise\thypothesis\tlabel")
    data = open_module(TASKS["pair"](), path, cache)
    assert not values(data.train, "text") & values(data.validation, "text")
    assert Counter(e.label for e in data.validation.examples()) == dict.fromkeys(labels, 6)


def test_group_column(tmp_path: Path, cache: Path) -> None:
    rows = [(f"{i}번 글", "ab"[i % 2], f"글쓴이{i // 10}") for i in range(200)]
    path = tsv(tmp_path / "rows.tsv", rows, "text\tlabel\tauthor")
    data = open_module(Classification(), path, cache, group_column="author")
    authors = [{rows[int(row)][2] for row in split.example_rows} for split in (data.train, data.validation)]
    assert not authors[0] & authors[1]
    assert len(authors[1]) == 2
    with pytest.raises(InputError, match=r"no column 'writer' \(--group_column\)"):
        open_module(Classification(), path, cache, group_column="writer")


def test_one_group_cannot_be_cut(tmp_path: Path, cache: Path) -> None:
    path = tsv(tmp_path / "rows.tsv", [("같은 글", "a"), ("같은 글", "b")] * 4)
    with pytest.raises(InputError, match="all rows are of one group"):
        open_module(Classification(), path, cache)


def test_columns_by_name(tmp_path: Path, cache: Path) -> None:
    path = tsv(tmp_path / "rows.tsv", [(f"{i}번 글", "ab"[i % 2]) for i in range(20)], "첫째\t둘째")
    data = open_module(Classification(), path, cache, text_column="첫째", label_column="둘째")
    assert data.labels == ["a", "b"]
    with pytest.raises(InputError, match="unknown option 'txt_column'"):
        TaskDataModule(Classification(), path, tokenizer(), cache=cache, txt_column="첫째")


def test_copies_across_given_splits_are_reported(
    cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.data.splits.log.propagate", True)
    rows = [TextExample(f"{i}번 글", "ab"[i % 2]) for i in range(20)]
    other = [TextExample(f"{i}번째 글", "ab"[i % 2]) for i in range(10)]
    given = {"train": rows, "validation": [*other, *rows[:3]], "test": other}
    open_module(Classification(), MemoryCorpus(kind=TextExample, given=given), cache)
    assert "validation: 3 of 13 rows have the same text as rows of train" in caplog.text
    assert "test:" not in caplog.text


class TestFittedOnTrainedRows:
    """The validation split must not leak into what is fitted, nor may rows that a limit leaves out."""

    def counts(self, data: TaskDataModule) -> Counter[str]:
        return Counter(str(example.label) for example in data.train.examples())  # type: ignore[union-attr]

    @pytest.mark.parametrize("limit", [None, 40])
    def test_balanced_class_weights(self, tmp_path: Path, cache: Path, limit: int | None) -> None:
        rows = [(f"{i}번 글", "b" if i % 5 == 0 or i > 250 else "a") for i in range(300)]
        task = Classification(class_weights="balanced")
        data = open_module(task, tsv(tmp_path / "rows.tsv", rows), cache, limit_train=limit)
        counts = self.counts(data)
        expected = [counts.total() / 2 / counts[label] for label in ("a", "b")]
        assert data.task.class_weights == pytest.approx(expected)

    def test_pairs(self, tmp_path: Path, cache: Path) -> None:
        rows = [(f"{i}번 글", f"{i}번 다른 글", "b" if i % 4 == 0 else "a") for i in range(200)]
        path = tsv(tmp_path / "rows.tsv", rows, "sentence1\tsentence2\tlabel")
        data = open_module(TASKS["pair"](class_weights="balanced"), path, cache, limit_train=30)
        counts = self.counts(data)
        assert data.task.class_weights == pytest.approx([30 / 2 / counts[label] for label in ("a", "b")])

    @pytest.mark.parametrize(("task", "corpus"), [("ner", "sample-ner"), ("question-answering", "sample-qa")])
    @pytest.mark.parametrize(("spans", "field"), [("particles", "particles"), ("cuts", "endings")])
    def test_spans(self, cache: Path, task: str, corpus: str, spans: str, field: str) -> None:
        unfitted = TASKS[task](spans=spans)
        data, whole = (open_module(unfitted, corpus, cache, limit_train=limit) for limit in (20, None))
        assert data.train is not None
        rows = list(data.train.examples())
        fitted = unfitted.fit(data.train.read.statistics, data.labels or [], rows, tokenizer())
        assert data.task == fitted
        assert getattr(data.task, field) != getattr(whole.task, field)

    def test_scores(self, tmp_path: Path, cache: Path) -> None:
        rows = [(f"{i}번 글", f"{i}번 다른 글", "2.5" if i else "0.5") for i in range(40)]
        path = tsv(tmp_path / "rows.tsv", rows, "sentence1\tsentence2\tscore")
        task = TASKS["similarity"]()
        open_module(task, path, cache, eval_corpus=path)
        with pytest.raises(InputError, match="one score"):
            open_module(task, path, cache, eval_corpus=path, limit_train=1)

    def test_empty_rows_of_a_language_model_do_not_count(self, tmp_path: Path, cache: Path) -> None:
        lines = "".join(json.dumps({"text": f"{i}번 줄" if i % 2 else ""}) + "\n" for i in range(60))
        path = write(tmp_path / "raw.jsonl", lines)
        data = open_module(TASKS["masked-lm"](), path, cache, limit_train=10)
        assert len(values(data.train, "text")) == 10


def test_the_description_names_the_rows(tmp_path: Path, cache: Path) -> None:
    path = tsv(tmp_path / "rows.tsv", [(f"{i}번 글", "ab"[i % 2]) for i in range(50)])
    data = open_module(Classification(), path, cache)
    described = json.loads(json.dumps(data.description()))
    assert described["labels"] == ["a", "b"]
    rows = {name: split["rows"] for name, split in described["splits"].items()}
    assert len(rows["validation"]) == 5
    assert sorted(rows["train"] + rows["validation"]) == list(range(50))
    assert described["splits"]["validation"]["split"] == "train"
    assert data.validation is not None
    assert described["splits"]["validation"]["fingerprint"] == data.validation.read.fingerprint
