"""`ratsnlp-like inspect`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    CHECKPOINT,
    tsv,
)
from helpers import write as write_file
from helpers_cli import HEADER, Cli, check_message

from ratsnlp_like.corpora.detection import infer_task
from ratsnlp_like.corpora.formats import Options

DATA = Path(__file__).parents[3] / "shared" / "data"


class TestInspect:
    @pytest.fixture
    def nsmc(self, tmp_path: Path) -> Path:
        train = [("좋아요", 1), ("좋아요", 1), ("좋아요", 0), ("", 0), ("별로", 0), ("🦄 새로운 영화🦄", 1)]
        test = [("좋아요", 1), ("좋아요", 0), ("처음", 0)]
        for name, rows in (("train", train), ("test", test)):
            lines = "".join(f"{i}\t{text}\t{label}\n" for i, (text, label) in enumerate(rows))
            write_file(tmp_path / "nsmc" / f"ratings_{name}.txt", "id\tdocument\tlabel\n" + lines)
        return tmp_path

    def test_by_hand(self, nsmc: Path, cli: Cli) -> None:
        outcome = cli("inspect", "nsmc", "--corpus_root", nsmc, "--result", nsmc / "r.json")
        assert outcome.code == 0, outcome.err
        found = json.loads((nsmc / "r.json").read_text())
        train, test = found["splits"]["train"], found["splits"]["test"]
        assert train == {
            "rows": 6,
            "empty": 1,
            "unlabelled": 0,
            "distinct": 4,
            "repeated": 2,
            "with_two_labels": 1,
            "with_two_labels_examples": ["좋아요"],
            "labels": {"negative": {"count": 3, "share": 0.5}, "positive": {"count": 3, "share": 0.5}},
            "characters": {"p50": 3, "p90": 9, "p99": 9, "max": 9},  # of 0 2 3 3 3 9
        }
        assert (test["rows"], test["distinct"], test["repeated"], test["with_two_labels"]) == (3, 2, 1, 1)
        assert test["labels"]["negative"] == {"count": 2, "share": 0.6667}
        assert found["overlap"] == {"test in train": {"texts": 1, "rows": 2}}
        assert "test in train: 1 texts, 2 rows" in outcome.out
        assert "two labels in train: 좋아요" in outcome.out

    def test_tokens(self, nsmc: Path, cli: Cli) -> None:
        outcome = cli("inspect", "nsmc", "--corpus_root", nsmc, "--checkpoint", CHECKPOINT, "--result", nsmc / "r.json")
        assert outcome.code == 0, outcome.err
        found = json.loads((nsmc / "r.json").read_text())
        assert found["checkpoint"]["positions"] == 512
        train = found["tokens"]["train"]
        assert train["unknown_characters"] == {"🦄": 2}
        assert train["unknown_tokens"] == 2
        assert train["truncated"]["32"] == 0
        assert train["oracle"]["metrics"]["accuracy"] == 1

    def test_what_would_be_truncated(self, tmp_path: Path, cli: Cli) -> None:
        path = tsv(
            tmp_path / "a.tsv", [("가 " * 100, "긍정"), ("가", "부정"), ("가 " * 31, "긍정"), ("가 " * 30, "부정")]
        )
        cli("inspect", path, "--checkpoint", CHECKPOINT, "--max_length", 103, "--result", tmp_path / "r.json")
        (found,) = json.loads((tmp_path / "r.json").read_text())["tokens"].values()
        assert found["tokens"] == {"p50": 33, "p90": 102, "p99": 102, "max": 102}  # 3 32 33 102
        assert [found["truncated"][n] for n in ("32", "64", "103", "512")] == [0.5, 0.25, 0, 0]

    def test_entities_that_tokens_cannot_express(self, tmp_path: Path, cli: Cli) -> None:
        from helpers import tokenizer

        word = next(w for w in ("그는", "나는", "우리는", "오늘은", "저는") if len(tokenizer().tokenize(w)) == 1)
        line = {"text": f"{word} 갔다", "entities": [[0, len(word) - 1, "PS"]]}
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(line) + "\n" for _ in range(3)))
        own = ["--task", "ner", "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json"]
        outcome = cli("inspect", path, *own)
        assert outcome.code == 0, outcome.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["inexpressible"] + round(3 * oracle["metrics"]["entity_recall"]) == 3
        assert "a perfect model would reach" in outcome.out

    @pytest.mark.slow
    def test_a_bundled_ner_corpus(self, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("inspect", "sample-ner", "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        found = json.loads((tmp_path / "r.json").read_text())
        assert found["task"] == "ner"
        assert {name: split["rows"] for name, split in found["splits"].items()} == {
            "train": 280, "validation": 40, "test": 60,
        }  # fmt: skip
        assert 0.5 < found["tokens"]["test"]["oracle"]["metrics"]["entity_f1"] <= 1

    def test_a_folder(self, tmp_path: Path, cli: Cli) -> None:
        for split in ("train", "test"):
            write_file(tmp_path / "own" / f"{split}.tsv", "text\tlabel\n좋다\t긍정\n싫다\t부정\n")
        outcome = cli("inspect", tmp_path / "own")
        assert outcome.code == 0, outcome.err
        assert "as classification" in outcome.out

    def test_a_file_without_labels(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.txt", "좋아요\n\n좋아요\n")
        assert cli("inspect", path, "--result", tmp_path / "r.json").code == 0
        found = json.loads((tmp_path / "r.json").read_text())
        split = found["splits"]["train"]
        assert found["task"] == "masked-lm"
        assert (split["rows"], split["empty"], split["unlabelled"], split["distinct"]) == (3, 1, 0, 2)

    @pytest.mark.parametrize(
        ("row", "task"),
        [
            ({"text": "가", "label": "나"}, "classification"),
            ({"document": "가", "id": 1}, "masked-lm"),
            ({"text": "가", "entities": []}, "ner"),
            ({"sentence1": "가", "sentence2": "나", "label": 1}, "pair"),
            ({"premise": "가", "hypothesis": "나", "gold_label": "neutral"}, "pair"),
            ({"sentence1": "가", "sentence2": "나", "score": 3}, "similarity"),
            ({"sentence1": "가", "sentence2": "나", "labels": {"label": 3.7, "binary-label": 1}}, "similarity"),
            ({"sentence1": "가", "sentence2": "나", "label": "3.7"}, "similarity"),
            (
                {"question": "가", "context": "나 다", "answers": [{"text": "나", "answer_start": 0}]},
                "question-answering",
            ),
            ({"query": "가", "document": "나", "label": 1}, "classification"),
            ({"질문": "가", "본문": "나", "정답": "나"}, "question-answering"),
            ({"instruction": "가", "output": "나"}, "generation"),
            ({"Q": "가", "A": "나", "label": 0}, "generation"),
            ({"messages": [{"role": "user", "content": "가"}]}, "generation"),
        ],
    )
    def test_what_a_file_is_made_for(self, tmp_path: Path, row: dict[str, Any], task: str) -> None:
        path = write_file(tmp_path / "a.jsonl", 2 * (json.dumps(row) + "\n"))
        assert infer_task(str(path), Options()) == task

    def test_columns_that_were_named_count(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.csv", "문의내용,담당부서\n환불해 주세요,재무\n로그인이 안 돼요,기술\n")
        named = ["--text_column", "문의내용", "--label_column", "담당부서"]
        outcome = cli("inspect", path, *named, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        found = json.loads((tmp_path / "r.json").read_text())
        assert found["task"] == "classification"
        assert set(found["splits"]["train"]["labels"]) == {"재무", "기술"}

    def test_a_split_without_labels_beside_one_of_several(self, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "가", "label": ["a", "b"]}, {"text": "나", "label": ["a"]}]
        write_file(tmp_path / "own" / "train.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        write_file(tmp_path / "own" / "test.jsonl", '{"text": "다"}\n{"text": "라"}\n')
        outcome = cli("inspect", tmp_path / "own", "--checkpoint", CHECKPOINT)
        assert outcome.code == 0, outcome.err

    def test_questions_without_an_answer_are_no_flaw_of_the_tokens(self, tmp_path: Path, cli: Cli) -> None:
        rows = [
            {"question": "뭐야?", "context": "가 나", "answers": [{"text": "나", "answer_start": 2}]},
            {"question": "뭐야?", "context": "가 나", "answers": []},
        ]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        outcome = cli("inspect", path, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["metrics"]["klue_mrc_em"] == 1

    def test_texts_of_several_labels(self, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "가", "label": ["a", "b"]}, {"text": "나", "label": ["a"]}]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        outcome = cli("inspect", path, "--checkpoint", CHECKPOINT, "--result", tmp_path / "r.json")
        assert outcome.code == 0, outcome.err
        oracle = json.loads((tmp_path / "r.json").read_text())["tokens"]["train"]["oracle"]
        assert oracle["metrics"]["micro_f1"] == 1

    def test_a_broken_file(self, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.tsv", HEADER + "좋아요\t긍정\n별로\n맛있다\t긍정\n")
        check_message(cli("inspect", path), f"{path}, line 3")

    @pytest.mark.slow
    @pytest.mark.skipif(not (DATA / "korpora" / "nsmc").is_dir(), reason=f"NSMC is not in {DATA}")
    def test_nsmc(self, tmp_path: Path, cli: Cli) -> None:
        """The numbers that shared/data/README.md states."""
        start = time.perf_counter()
        outcome = cli("inspect", "nsmc", "--corpus_root", DATA / "korpora", "--result", tmp_path / "r.json")
        assert outcome.code == 0
        assert time.perf_counter() - start < 60
        found = json.loads((tmp_path / "r.json").read_text())
        train, test = found["splits"]["train"], found["splits"]["test"]
        assert (train["rows"], test["rows"]) == (150_000, 50_000)
        assert (train["empty"], test["empty"]) == (6, 1)
        assert (train["distinct"], test["distinct"]) == (146_153, 49_113)
        assert {name: row["count"] for name, row in train["labels"].items()} == {"negative": 75_001, "positive": 74_999}
        assert {name: row["count"] for name, row in test["labels"].items()} == {"negative": 24_999, "positive": 25_001}
        assert found["overlap"] == {"test in train": {"texts": 846, "rows": 1_664}}
