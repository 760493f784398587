"""Questions in the shapes of SQuAD, KorQuAD 1 and 2, simpletransformers and AI-Hub."""

from __future__ import annotations

import json
from typing import Any

import pytest
from format_helpers import Write, fails

from ratsnlp_like.corpora.formats import choose_format
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.examples.question import Answer, QuestionExample

CONTEXT = "온빛서점은 2003년에 문을 열었다."
GOLD = (Answer("2003년", 6),)
QAS = [{"id": "q1", "question": "언제 열었나?", "answers": [{"text": "2003년", "answer_start": 6}]}]
ANSWER = {"text": "2003년", "answer_start": 6, "html_answer_start": 9, "html_answer_text": "2003년"}

SHAPES: dict[str, Any] = {
    "SQuAD": {"version": "1", "data": [{"title": "서점", "paragraphs": [{"context": CONTEXT, "qas": QAS}]}]},
    "articles": [{"title": "서점", "paragraphs": [{"context": CONTEXT, "qas": QAS}]}],
    "contexts": [{"context": CONTEXT, "qas": QAS}],
    "KorQuAD 2": {
        "version": "KorQuAD_2",
        "data": [
            {
                "title": "서점",
                "url": "",
                "context": CONTEXT,
                "raw_html": f"<p>{CONTEXT}</p>",
                "qas": [{"id": "q1", "question": "언제 열었나?", "answer": ANSWER}],
            }
        ],
    },
    "AI-Hub": {
        "data": [
            {
                "doc_id": 1,
                "doc_title": "서점",
                "paragraphs": [
                    {
                        "context": CONTEXT,
                        "qas": [
                            {"question_id": "q1", "question": "언제 열었나?", "answers": {**ANSWER, "clue_text": "문"}}
                        ],
                    }
                ],
            }
        ]
    },
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indent", [None, 2])
def test_shapes(shape: str, indent: int | None, write: Write) -> None:
    path = write("a.json", json.dumps(SHAPES[shape], ensure_ascii=False, indent=indent))
    assert choose_format(path).name == "squad"
    examples = list(open_corpus(path, QuestionExample, "question-answering").examples(path.parent, "train"))
    assert examples == [QuestionExample("언제 열었나?", CONTEXT, GOLD, id="q1")]


@pytest.mark.parametrize(
    "answers",
    [
        [],
        [{"text": "", "answer_start": -1}],
        [{"text": "", "answer_start": 0}],
        {"text": "", "answer_start": -1},
        {"text": [""], "answer_start": [0]},
        {"text": [], "answer_start": []},
        "",
        [""],
    ],
)
def test_no_answer(answers: Any, write: Write) -> None:
    row = {"question": "누가 지었나?", "context": CONTEXT, "answers": answers}
    path = write("a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    (example,) = open_corpus(path, QuestionExample, "question-answering").examples(path.parent, "train")
    assert example == QuestionExample("누가 지었나?", CONTEXT, ())


def test_starts_in_utf16(write: Write, caplog: pytest.LogCaptureFixture) -> None:
    row = {"question": "언제?", "context": "📚📚 " + CONTEXT, "answers": [{"text": "2003년", "answer_start": 11}]}
    path = write("a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    (example,) = open_corpus(path, QuestionExample, "question-answering").examples(path.parent, "train")
    assert isinstance(example, QuestionExample)
    assert example.answers == (Answer("2003년", 9),)
    assert "answers with starts in UTF-16 units" in caplog.text


@pytest.mark.parametrize("start", [False, 1.5, "여섯"])
def test_starts_that_are_no_numbers(start: Any, write: Write) -> None:
    row = {"question": "언제?", "context": CONTEXT, "answers": [{"text": "2003년", "answer_start": start}]}
    path = write("a.jsonl", json.dumps(row, ensure_ascii=False) + "\n")
    corpus = open_corpus(path, QuestionExample, "question-answering")
    with pytest.raises(ValueError, match="answer_start is"):
        list(corpus.examples(path.parent, "train"))


def test_an_article_without_questions(write: Write) -> None:
    fails(write("a.json", json.dumps([{"context": CONTEXT}])), "article 1 has no paragraphs", format="squad")
