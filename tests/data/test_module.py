"""TaskDataModule: splits, cuts, limits, labels, truncation, loaders."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import encode, tokenizer, tsv, write

from ratsnlp_like.corpora.local import FileCorpus
from ratsnlp_like.corpora.samples import SampleNer, SampleSentiment
from ratsnlp_like.data.module import TaskDataModule
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.entity import EntityExample
from ratsnlp_like.examples.question import QuestionExample
from ratsnlp_like.registry import TASKS
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.tasks.ner import Ner

ROWS = [("정말 좋아요", "긍정"), ("별로예요", "부정"), ("또 갈게요", "긍정"), ("돈이 아까워요", "부정")]


def module(corpus: Any, cache: Path, **options: Any) -> TaskDataModule:
    task = Ner() if issubclass(corpus.example_type, EntityExample) else Classification()
    own = {"task": task, "corpus": corpus, "tokenizer": tokenizer(), "cache": cache, "max_length": 32} | options
    data = TaskDataModule(own.pop("task"), own.pop("corpus"), own.pop("tokenizer"), **own)
    data.setup("fit")
    return data


def texts(split: Any) -> set[str]:
    return {split.read.example(int(row)).text for row in split.example_rows}


@pytest.fixture
def hundred(tmp_path: Path) -> FileCorpus:
    rows = [(f"{i}번 손님의 말", "긍정" if i < 80 else "부정") for i in range(100)]
    return FileCorpus(file=tsv(tmp_path / "hundred.tsv", rows))


class TestDataModule:
    def test_splits_of_the_corpus(self, cache: Path) -> None:
        data = module(SampleSentiment(), cache)
        assert {name: size["examples"] for name, size in data.summary().items()} == {
            "train": 440,
            "validation": 80,
            "test": 120,
        }
        assert data.labels == ["긍정", "부정"]

    def test_a_cut_where_there_is_no_validation_split(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, validation_share=0.2)
        assert data.train is not None
        assert data.validation is not None
        assert data.test is None
        assert not texts(data.train) & texts(data.validation)
        labels = Counter(data.validation.read.example(int(i)).label for i in data.validation.example_rows)
        assert labels == {"긍정": 16, "부정": 4}
        assert len(data.train) == 80
        again = module(hundred, cache, validation_share=0.2)
        assert texts(again.validation) == texts(data.validation)
        assert texts(module(hundred, cache, validation_share=0.2, seed=8).validation) != texts(data.validation)

    def test_an_evaluation_corpus_of_its_own(self, hundred: FileCorpus, tmp_path: Path, cache: Path) -> None:
        other = FileCorpus(file=tsv(tmp_path / "other.tsv", ROWS))
        data = module(hundred, cache, eval_corpus=other)
        assert data.train is not None
        assert len(data.train) == 100  # nothing is cut off
        assert texts(data.validation) == {text for text, _ in ROWS}

    def test_an_evaluation_corpus_gives_its_validation_split(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, eval_corpus=SampleSentiment())
        assert data.validation is not None
        assert len(data.validation.read) == 80

    def test_an_evaluation_corpus_with_another_label(self, hundred: FileCorpus, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "other.tsv", [*ROWS, ("그저 그래요", "보통")])
        with pytest.raises(InputError, match="the label '보통' is not among the labels of the model") as caught:
            module(hundred, cache, eval_corpus=FileCorpus(file=path))
        assert caught.value.place == Place(str(path), 6)

    def test_limits(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, limit_train=10, limit_eval=4)
        assert data.train is not None
        assert data.validation is not None
        assert (len(data.train), len(data.validation)) == (10, 4)
        assert texts(data.train) == texts(module(hundred, cache, limit_train=10).train)
        assert texts(data.train) != texts(module(hundred, cache, limit_train=10, seed=8).train)
        assert len(module(hundred, cache, limit_train=10_000).train or []) == 90

    def test_a_limit_counts_examples_and_keeps_all_their_windows(self, tmp_path: Path, cache: Path) -> None:
        rows = [(f"{i}번째로 길고 긴 글입니다 " * 20, ("긍정", "부정")[i % 2]) for i in range(10)]
        corpus = FileCorpus(file=tsv(tmp_path / "long.tsv", rows))
        data = module(corpus, cache, task=Classification(long_text="windows"), limit_train=3)
        assert data.train is not None
        whole = Counter(module(corpus, cache, task=data.task).train.table.numbers("example").tolist())
        kept = Counter(data.train.example_rows.tolist())
        assert len(kept) == 3
        assert kept == {row: whole[row] for row in kept}
        assert min(kept.values()) > 1

    def test_a_row_without_a_label(self, tmp_path: Path, cache: Path) -> None:
        path = write(tmp_path / "a.tsv", "text\tlabel\n좋아요\t긍정\n\t부정\n별로\t  \n")
        with pytest.raises(InputError, match="--label_column") as caught:
            module(FileCorpus(file=path), cache)
        assert caught.value.place == Place(str(path), 4)

    def test_a_file_without_labels(self, tmp_path: Path, cache: Path) -> None:
        path = tsv(tmp_path / "a.tsv", [("좋아요", "1"), ("별로", "2")], "text\tid")
        with pytest.raises(InputError, match="no column for the label among"):
            module(FileCorpus(file=path), cache)

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (["나", "가", "다"], ["가", "나", "다"]),
            (["10", "9", "1"], ["1", "9", "10"]),
            (["1", "-1", "0"], ["-1", "0", "1"]),
            (["10", "9", "중립"], ["10", "9", "중립"]),
        ],
    )
    def test_the_order_of_labels(self, tmp_path: Path, cache: Path, found: list[str], expected: list[str]) -> None:
        path = tsv(tmp_path / "a.tsv", [(f"글 {i}", name) for i, name in enumerate(found * 4)])
        assert module(FileCorpus(file=path), cache).labels == expected

    def test_the_types_of_entities(self, cache: Path) -> None:
        data = module(SampleNer(), cache, limit_train=8)
        assert data.labels == ["DT", "LC", "OG", "PS", "QT"]
        assert data.task.classes(data.labels)[:3] == ["O", "B-DT", "I-DT"]

    def test_questions_without_an_answer_are_no_class(self, tmp_path: Path, cache: Path) -> None:
        rows = [
            {
                "question": f"{i}?",
                "context": "도서관은 1998년에 문을 열었다",
                "answers": [{"text": "1998년", "answer_start": 5}],
            }
            for i in range(12)
        ]
        rows[3]["answers"] = []
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        own = FileCorpus(file=write(tmp_path / "q.jsonl", lines + "\n"), kind=QuestionExample)
        task = TASKS["question-answering"]()
        data = module(own, cache, task=task, eval_corpus=own, limit_train=1, max_length=64)
        assert data.train is not None
        assert int(data.train.begins.sum()) == 1

    def test_one_row_cannot_be_cut(self, tmp_path: Path, cache: Path) -> None:
        path = write(tmp_path / "a.tsv", "text\tlabel\n좋아요\t긍정\n")
        with pytest.raises(InputError, match="--eval_corpus"):
            module(FileCorpus(file=path, label_separator=","), cache)

    def test_two_rows_are_cut_into_one_and_one(self, tmp_path: Path, cache: Path) -> None:
        rows = [(text, "긍정,부정") for text, _ in ROWS[:2]]
        data = module(FileCorpus(file=tsv(tmp_path / "a.tsv", rows), label_separator=","), cache)
        assert (len(data.train or []), len(data.validation or [])) == (1, 1)

    def test_a_selection_of_one_class(self, tmp_path: Path, hundred: FileCorpus, cache: Path) -> None:
        two = FileCorpus(file=tsv(tmp_path / "a.tsv", [("좋다", "긍정"), ("나쁘다", "부정")]))
        for corpus, limit in ((two, None), (hundred, 1)):
            with pytest.raises(InputError, match=r"of 2 classes only '.정' is left in the 1 rows"):
                module(corpus, cache, limit_train=limit)

    def test_a_class_lost_by_a_limit(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
        rows = [(f"{i}번", "중립" if i == 59 else ("긍정", "부정")[i % 2]) for i in range(60)]
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", rows))
        module(own, cache, limit_train=8, eval_corpus=own)
        assert "no row of the class '중립' is among the 8 to train on" in caplog.text
        caplog.clear()
        module(own, cache, eval_corpus=own)
        assert "no row of the class" not in caplog.text

    def test_a_cut_that_leaves_nothing_to_train_on(self, hundred: FileCorpus, cache: Path) -> None:
        with pytest.raises(InputError, match="validation_share"):
            module(hundred, cache, validation_share=1.0)

    def test_no_validation_file_and_small_share_gives_one_row(self, tmp_path: Path, cache: Path) -> None:
        data = module(FileCorpus(file=tsv(tmp_path / "a.tsv", ROWS)), cache, validation_share=0.01)
        assert (len(data.train or []), len(data.validation or [])) == (3, 1)

    def test_setup_twice_changes_nothing(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, limit_train=10)
        train = data.train
        data.setup("fit")
        data.prepare_data()
        assert data.train is train

    def test_truncated_tokens_are_counted_and_logged(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
        rows = [("가 " * 10, "긍정"), ("가", "부정"), ("가", "긍정"), ("가", "부정")]
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", rows))
        data = module(own, cache, max_length=6, eval_corpus=FileCorpus(file=tsv(tmp_path / "b.tsv", rows[1:])))
        # 10 tokens and two special ones go into 6: 4 are kept and 6 are lost; the others are 3 long
        assert data.train is not None
        assert data.train.lost.tolist() == [6, 0, 0, 0]
        sizes = data.summary()
        assert (sizes["train"]["tokens"], sizes["train"]["truncated_tokens"]) == (6 + 3 * 3, 6)
        assert sizes["validation"]["truncated_tokens"] == 0
        assert "train: 1 of 4 texts are longer than 6 tokens; 28.57% of all tokens are cut off." in caplog.text
        chosen = data.train.select(np.array([1, 2]))  # counted for the selection alone
        assert chosen.lost.tolist() == [0, 0]

    def test_the_log_names_the_part_cut_for_validation(
        self, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
        rows = [(f"{i} " + "가 " * 10, ("긍정", "부정")[i % 2]) for i in range(20)]  # all of them are too long
        module(FileCorpus(file=tsv(tmp_path / "a.tsv", rows)), cache, max_length=6)
        logged = [r.getMessage().partition(" of ")[0] for r in caplog.records if "longer than" in r.getMessage()]
        assert logged == ["train: 18", "validation: 2"]

    def test_windows_lose_nothing(self, tmp_path: Path, cache: Path) -> None:
        own = FileCorpus(file=tsv(tmp_path / "a.tsv", [("가 " * 10, "긍정"), ("나", "부정")]))
        data = module(own, cache, max_length=6, task=Classification(long_text="windows"), eval_corpus=own)
        assert data.train is not None
        assert data.train.lost.tolist() == [0] * 4  # 0-4, 3-7, 6-10 of the first; the second
        assert data.train.begins.tolist() == [True, False, False, True]

    def test_head_and_tail(self, tmp_path: Path, cache: Path) -> None:
        words = "하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉 열"
        path = tsv(tmp_path / "a.tsv", [(words, "긍정"), ("짧다", "부정")])
        whole = encode(path, cache, max_length=64)[0]["input_ids"].tolist()
        short = encode(path, cache, max_length=10, task=Classification(long_text="head+tail"))[0]["input_ids"].tolist()
        assert len(whole) > 10
        assert short == whole[:3] + whole[-7:]  # 2 of 8 from the head, 6 from the tail, and the special tokens

    def test_loaders(self, hundred: FileCorpus, cache: Path) -> None:
        data = module(hundred, cache, batch_size=16, limit_train=40)
        assert [len(batch["index"]) for batch in data.val_dataloader()] == [10]
        assert sorted(len(batch["index"]) for batch in data.train_dataloader()) == [8, 16, 16]
        assert data.train_dataloader().batch_sampler.shuffle
        assert not data.val_dataloader().batch_sampler.shuffle
        with pytest.raises(RuntimeError, match="setup"):
            data.test_dataloader()

    def test_a_corpus_with_an_option_is_another_corpus(self, hundred: FileCorpus, cache: Path) -> None:
        assert replace(hundred, label_separator=",").fingerprint(cache, "train") != hundred.fingerprint(cache, "train")
