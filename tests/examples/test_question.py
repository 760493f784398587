"""Questions: files, answers, invalid rows, samples."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from helpers import lay, write

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.question import Answer, QuestionExample
from ratsnlp_like.registry import CORPORA

Q = QuestionExample
near: Any = pytest.approx
CONTEXT = "도서관은 1998년에 문을 열었다. 관장은 김하늘이다. 도서관은 크다."
"""도서관 is at 0 and at 31, 1998년 at 5, 김하늘 at 24."""


LIBRARY, MARKET = "도서관은 1998년에 문을 열었다.", "시장은 닷새마다 선다."
SAMPLES = {
    ("korquad-v1", "train"): [
        Q("언제 열었나?", LIBRARY + " 관장은 김하늘이다.", (Answer("1998년", 5),), id="1-0-0"),
        Q("무엇이 열었나?", LIBRARY + " 관장은 김하늘이다.", (Answer("도서관", 0),), id="1-0-1"),
    ],
    ("korquad-v1", "validation"): [Q("며칠마다 서나?", MARKET, (Answer("닷새", 4),), id="2-0-0")],
    ("klue-mrc", "train"): [
        Q("언제 열었나?", LIBRARY, (Answer("1998년", 5), Answer("1998년에", 5)), id="1"),
        Q("언제 닫았나?", LIBRARY, (), id="2"),
    ],
    ("klue-mrc", "validation"): [Q("며칠마다 서나?", MARKET, (Answer("닷새", 4),), id="3")],
    ("sample-qa", "train"): [
        Q("며칠마다 서나?", MARKET, (Answer("닷새", 4),), id="1"),
        Q("몇 시에 열리나?", MARKET, (), id="2"),
        Q("무엇이 서나?", MARKET, (Answer("시장", 0),), id="3"),
    ],
}
SPLITS = [(name, s) for name, corpus in CORPORA.items() if corpus.task == "question-answering" for s in corpus.sample]


@pytest.mark.parametrize(("name", "split"), SPLITS)
def test_samples(name: str, split: str, tmp_path: Path) -> None:
    examples = list(lay(name, tmp_path).examples(tmp_path, split))
    assert examples == SAMPLES[name, split]
    assert [example.place.line for example in examples if example.place] == list(range(1, len(examples) + 1))


def squad(*questions: Mapping[str, Any], context: Any = CONTEXT) -> str:
    """SQuAD's JSON with one paragraph."""
    return json.dumps({"data": [{"title": "가", "paragraphs": [{"context": context, "qas": questions}]}]})


def questions(path: Path) -> list[QuestionExample]:
    """A file of one's own, read."""
    return list(open_corpus(path, Q, "question-answering").examples(path.parent, "train"))  # type: ignore[arg-type]


class TestFiles:
    def test_squad(self, tmp_path: Path) -> None:
        """Questions are numbered through all articles and paragraphs."""
        paragraph = {"context": "나", "qas": [{"question": "2?", "guid": "b", "answers": [], "is_impossible": True}]}
        other = {"context": "다", "qas": [{"question": "3?", "id": 7, "answers": [{"text": "다", "answer_start": 0}]}]}
        first = {"context": "가", "qas": [{"question": "1?", "answers": [{"text": "가", "answer_start": 0}]}]}
        articles = [{"title": "하나", "paragraphs": [first, paragraph]}, {"paragraphs": [other]}]
        path = write(tmp_path / "own.json", json.dumps({"version": "x", "data": articles}))
        found = questions(path)
        assert found == [
            Q("1?", "가", (Answer("가", 0),)),
            Q("2?", "나", (), id="b"),
            Q("3?", "다", (Answer("다", 0),), id="7"),
        ]
        assert [example.place for example in found] == [Place(str(path), number, "question") for number in (1, 2, 3)]

    def test_an_impossible_question_has_no_answers_even_if_some_are_given(self, tmp_path: Path) -> None:
        inputs = {"question": "?", "is_impossible": True, "answers": [{"text": "1998년", "answer_start": 5}]}
        assert questions(write(tmp_path / "own.json", squad(inputs))) == [Q("?", CONTEXT, ())]

    @pytest.mark.parametrize(
        "answers",
        [
            [{"text": "1998년", "answer_start": 5}],
            {"text": ["1998년"], "answer_start": [5]},
            {"text": "1998년", "answer_start": 5},
            [{"text": "1998년", "start": "5"}],
            [{"text": "1998년"}],  # it occurs once
            [["1998년", 5]],
            ["1998년"],
            "1998년",
            '[{"text": "1998년", "answer_start": 5}]',
            [{"text": "1998년", "answer_start": 5}] * 3,  # several annotators agree
        ],
        ids=str,
    )
    def test_answers_in_json_lines(self, answers: Any, tmp_path: Path) -> None:
        row = json.dumps({"question": "?", "context": CONTEXT, "answers": answers}, ensure_ascii=False)
        path = write(tmp_path / "own.jsonl", f"{row}\n{row}\n")
        assert questions(path) == [Q("?", CONTEXT, (Answer("1998년", 5),))] * 2

    @pytest.mark.parametrize("answers", [[], {"text": [], "answer_start": []}, "", "[]"], ids=repr)
    def test_no_answers_in_json_lines(self, answers: Any, tmp_path: Path) -> None:
        row = json.dumps({"question": "?", "context": CONTEXT, "answers": answers})
        (found,) = set(questions(write(tmp_path / "own.jsonl", f"{row}\n{row}\n")))
        assert found == Q("?", CONTEXT, ())
        assert (found.missing, found.stratum) == (None, "unanswerable")

    def test_several_answers_keep_their_order(self, tmp_path: Path) -> None:
        row = {"질문": "?", "지문": CONTEXT, "정답": {"text": ["도서관", "도서관은"], "answer_start": [31, 0]}}
        path = write(tmp_path / "own.jsonl", "\n".join([json.dumps(row)] * 2))
        assert questions(path)[0].answers == (Answer("도서관", 31), Answer("도서관은", 0))

    def test_csv(self, tmp_path: Path) -> None:
        lines = ["question,context,answer,answer_start", f"언제?,{CONTEXT},1998년,5", f"무엇?,{CONTEXT},도서관,31"]
        lines += [f"누구?,{CONTEXT},김하늘,", f"왜?,{CONTEXT},,"]
        found = questions(write(tmp_path / "own.csv", "\n".join(lines)))
        assert [example.answers for example in found] == [
            (Answer("1998년", 5),),
            (Answer("도서관", 31),),
            (Answer("김하늘", 24),),
            (),
        ]

    def test_answers_are_not_required_in_prediction(self, tmp_path: Path) -> None:
        path = write(tmp_path / "own.csv", f"question,context,answer,answer_start\n?,{CONTEXT},없는 말,3\n")
        (example,) = open_corpus(path, Q, "question-answering").inputs(tmp_path, "train")
        assert example == Q("?", CONTEXT, None)
        assert example.missing == "answers"

    def test_examples_survive_json(self) -> None:
        for answers in (None, (), (Answer("도서관", 31), Answer("1998년", 5))):
            example = Q("?", CONTEXT, answers, id="x", place=Place("a", 3))
            again = Q.from_json(example.to_json())
            assert (again, again.place) == (example, example.place)

    @pytest.mark.parametrize(
        ("row", "parts"),
        [
            (
                {"answers": [{"text": "1998년", "answer_start": 4}]},
                ["'1998년' is not at character 4", "' 1998' is", "answer_start: 5"],
            ),
            (
                {"answers": [{"text": "도서관", "answer_start": 1}]},
                ["'도서관' is not at character 1", "'서관은' is", "answer_start: 0 or 31"],
            ),
            ({"answers": [{"text": "도서관", "answer_start": -40}]}, ["is not at character -40", "0 or 31"]),
            (
                {"answers": [{"text": "공원", "answer_start": 5}]},
                ["'공원' is not at character 5", "correct the answer or the context"],
            ),
            (
                {"answers": [{"text": "도서관"}]},
                ["'도서관' occurs 2 times in the context", "answer_start: 0 or 31"],
            ),
            ({"answers": "도서관"}, ["'도서관' occurs 2 times in the context", "answer_start: 0 or 31"]),
            ({"answers": "공원"}, ["'공원' occurs 0 times in the context", "correct the answer or the context"]),
            ({"answers": "관"}, ["'관' occurs 3 times in the context", "answer_start: 2 or 20 or 33"]),
            ({"context": ""}, ["the context is empty", "--context_column"]),
            ({"context": " \n"}, ["the context is empty"]),
            ({"context": None}, ["the context is empty"]),
            ({"context": [CONTEXT]}, ["the context is list"]),
            ({"question": {"text": "?"}}, ["the question is dict"]),
            ({"answers": 1998}, ["the answers are '1998'", '[{"text": "...", "answer_start": 0}]']),
            ({"answers": True}, ["the answers are 'True'"]),
            ({"answers": [1998]}, ["cannot read the answer '1998'"]),
            ({"answers": [None]}, ["cannot read the answer 'None'"]),
            ({"answers": [{"answer_start": 0}]}, ["cannot read the answer"]),
            ({"answers": [{"text": 5, "answer_start": 0}]}, ["cannot read the answer"]),
            ({"answers": [{"text": "1998년", "answer_start": "다섯"}]}, ["answer_start is '다섯'", "a whole number"]),
            ({"answers": [{"text": "1998년", "answer_start": [5]}]}, ["answer_start is [5]"]),
            ({"answers": [{"text": "1998년", "answer_start": 5}, {"text": "공원"}]}, ["'공원' occurs 0 times"]),
        ],
        ids=str,
    )
    def test_a_bad_question(self, row: dict[str, Any], parts: list[str], tmp_path: Path) -> None:
        """File and number are named, in JSON lines and in SQuAD's JSON, and what would be right."""
        good: dict[str, Any] = {"question": "언제?", "context": CONTEXT, "answers": [{"text": "1998년"}]}
        lines = write(tmp_path / "own.jsonl", "\n".join(map(json.dumps, (good, good | row))))
        array = write(tmp_path / "own.json", json.dumps([good, good | row]))
        files = {lines: "line", array: "record"}
        if "context" not in row:
            files[write(tmp_path / "squad.json", squad(good, good | row))] = "question"
        for path, unit in files.items():
            with pytest.raises(InputError) as caught:
                questions(path)
            message = str(caught.value)
            assert message.startswith(f"{path}, {unit} 2: ")
            assert [part for part in parts if part not in message] == []

    @pytest.mark.parametrize(
        "answers",
        [
            {"text": ["1998년", "김하늘"], "answer_start": [5]},
            {"text": ["1998년"], "answer_start": [5, 24]},
            {"text": ["1998년"], "answer_start": 5},
            [{"text": "1998년", "answer_start": math.inf}],
            [{"text": "1998년", "answer_start": 5.7}],
        ],
        ids=str,
    )
    def test_starts_that_do_not_match(self, answers: Any) -> None:
        row = {"question": "?", "context": CONTEXT, "answers": answers}
        with pytest.raises(InputError, match=r"own\.jsonl, line 2: "):
            Q.from_row(row, Place("own.jsonl", 2))

    def test_a_bad_cell(self, tmp_path: Path) -> None:
        path = write(tmp_path / "own.csv", f"question,context,answer,answer_start\n?,{CONTEXT},1998년,5.5\n")
        with pytest.raises(InputError, match=r"own\.csv, line 2: answer_start is '5\.5'"):
            questions(path)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('{"data": [{"paragraphs": [{"qas": []}]}]}', "paragraph without a context"),
            (
                '{"data": [{"title": "가", "paragraphs": [{"context": 5, "qas": []}]}]}',
                r"article 1 \(가\) has a paragraph",
            ),
            ('{"data": [{"paragraphs": [{"context": "가"}]}]}', "has no qas; its keys: context"),
            ('{"data": [{"paragraphs": [{"context": "가", "qas": ["?"]}]}]}', "has no qas"),
            ('{"data": [{"paragraphs": {"qas": []}}]}', "article 1 has no paragraphs; its keys: paragraphs"),
        ],
    )
    def test_a_broken_squad_file(self, content: str, message: str, tmp_path: Path) -> None:
        path = write(tmp_path / "own.json", content)
        with pytest.raises(InputError, match=message) as caught:
            questions(path)
        assert str(caught.value).startswith(str(path))

    def test_no_column_for_the_context(self, tmp_path: Path) -> None:
        path = write(tmp_path / "own.csv", "question,answer\n?,가\n")
        with pytest.raises(InputError, match="no column for the context") as caught:
            questions(path)
        assert "--context_column" in str(caught.value)

    def test_a_question_by_hand(self) -> None:
        assert Q.of(("?", CONTEXT)) == Q("?", CONTEXT)
        with pytest.raises(InputError, match="cannot read") as caught:
            Q.of("?")
        assert "(question, context)" in str(caught.value)

    @pytest.mark.slow
    def test_korquad_itself(self, data: Path) -> None:
        """Every offset fits (else reading fails), and there is always one answer."""
        corpus = CORPORA["korquad-v1"]
        for split, rows in {"train": 3434, "validation": 1537}.items():
            found = [len(e.answers or ()) for e in corpus.examples(data, split) if isinstance(e, Q)]
            assert found == [1] * rows
        first = sum(e.answers[0].start == 0 for s in ("train", "validation") for e in corpus.examples(data, s)
                    if isinstance(e, Q) and e.answers)  # fmt: skip
        assert first > 0  # answers that begin at 0, which a test of truth would lose

    @pytest.mark.parametrize(("split", "rows"), [("train", 98), ("validation", 14), ("test", 28)])
    def test_bundled(self, split: str, rows: int, tmp_path: Path) -> None:
        found = [e for e in CORPORA["sample-qa"].examples(tmp_path, split) if isinstance(e, Q)]
        assert len(found) == rows
        assert 0 < sum(not e.answers for e in found) < rows / 4
        assert len({e.id for e in found}) == rows
