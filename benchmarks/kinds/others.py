"""Pairs of texts, questions with answers, prompts and conversations, raw text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .base import PLACES, ROWS, Kind, as_csv, as_json, as_jsonl, put

CONTEXTS = [f"{i}번 도서관은 {1950 + i}년에 {PLACES[i % 4]}에서 문을 열었다." for i in range(ROWS)]
ANSWERS = [f"{1950 + i}년" for i in range(ROWS)]
STARTS = [context.index(answer) for context, answer in zip(CONTEXTS, ANSWERS, strict=True)]
ASKED = [f"{i}번 도서관은 언제 열었나?" for i in range(ROWS)]


def _question(i: int, **more: Any) -> dict[str, Any]:
    return {"id": f"q{i}", "question": ASKED[i], "context": CONTEXTS[i], **more}


def _qas(i: int, name: str = "answers", *, listed: bool = True) -> dict[str, Any]:
    answer = {"text": ANSWERS[i], "answer_start": STARTS[i]}
    return {"id": f"q{i}", "question": ASKED[i], name: [answer] if listed else answer}


def _paragraph(i: int, **more: Any) -> dict[str, Any]:
    return {"context": CONTEXTS[i], "qas": [_qas(i, **more)]}


ARTICLES = [{"title": f"{i}번", "paragraphs": [_paragraph(i)]} for i in range(ROWS)]
KORQUAD2 = [
    {"title": f"{i}번", "url": "x", "context": f"<p>{CONTEXTS[i]}</p>",
     "qas": [{"id": f"q{i}", "question": ASKED[i], "answer": {
         "text": ANSWERS[i], "answer_start": STARTS[i] + 3, "html_answer_start": STARTS[i] + 3,
         "html_answer_text": ANSWERS[i]}}]}
    for i in range(ROWS)
]  # fmt: skip
NONE = [{"text": "", "answer_start": -1}, {"text": "", "answer_start": 0}, None, []]


def _some_empty(i: int) -> dict[str, Any]:
    given: Any = {"text": ANSWERS[i], "answer_start": STARTS[i]} if i % 3 else NONE[(i // 3) % 2]
    return _question(i, answers=given)


def _pairs(name: str, other: str, **more: Any) -> list[dict[str, Any]]:
    return [{name: f"{i}번 날은 비가 왔다", other: f"{i}번 날은 흐렸다", **{k: v[i % len(v)] for k, v in more.items()}}
            for i in range(ROWS)]  # fmt: skip


TURNS = [("user", "점심에 {} 음식이 어때?"), ("assistant", "{}에서는 국수가 좋아요.")]


def _messages(role: str, content: str, **names: str) -> list[list[dict[str, str]]]:
    return [[{role: names.get(who, who), content: what.format(PLACES[i % 4] + str(i))} for who, what in TURNS]
            for i in range(ROWS)]  # fmt: skip


ALPACA = [
    {"instruction": f"{i}월의 음식을 하나 고르시오.", "input": "추운 지방" if i % 2 else "", "output": "국수입니다.",
     "system": "짧게 답한다.", "history": [["안녕", "안녕하세요"]] if i % 3 else []}
    for i in range(ROWS)
]  # fmt: skip
PROMPTS = [{"prompt": f"{i}번 질문: 어디로 갈까?", "completion": f" {PLACES[i % 4]}로 가자."} for i in range(ROWS)]


def _raw(folder: Path) -> Path:
    for k in range(2):
        put(folder / "raw" / f"{k}.txt", "".join(f"{context}\n" for context in CONTEXTS[k * 12 : k * 12 + 12]))
    return folder / "raw"


NLI = ("entailment", "neutral", "contradiction")
NO_GOLD = [{**row, "gold_label": "-"} for row in _pairs("sentence1", "sentence2")[:4]]


def _qa(name: str, write: Any, **options: Any) -> Kind:
    return Kind(name, "question-answering", write, options)


def _generation(name: str, write: Any, *, chat: bool = False) -> Kind:
    return Kind(name, "generation", write, chat=chat)


KINDS = (
    Kind("pairs with classes", "pair", as_csv(_pairs("premise", "hypothesis", label=NLI)), labels=tuple(sorted(NLI))),
    Kind("SNLI with gold label `-`", "pair", as_jsonl([*_pairs("sentence1", "sentence2", gold_label=NLI), *NO_GOLD]),
         labels=tuple(sorted(NLI))),
    Kind("pairs with scores", "similarity", as_csv(_pairs("문장1", "문장2", 점수=("1.5", "4", "0.2")))),
    _qa("SQuAD, KorQuAD 1", as_json({"version": "1", "data": ARTICLES})),
    _qa("list of articles", as_json(ARTICLES)),
    _qa("list of contexts", as_json([_paragraph(i) for i in range(ROWS)])),
    _qa("KorQuAD 2", as_json({"version": "2", "data": KORQUAD2})),
    _qa("AI-Hub: one answer, no list", as_json(
        {"data": [{"title": "x", "paragraphs": [_paragraph(i, listed=False) for i in range(ROWS)]}]})),
    _qa("answer as a text", as_jsonl([_question(i, answer=ANSWERS[i]) for i in range(ROWS)])),
    _qa("answer and answer_start in columns", as_csv(
        [_question(i, answer=ANSWERS[i], answer_start=STARTS[i]) for i in range(ROWS)])),
    _qa("answers as SQuAD's lists", as_jsonl(
        [_question(i, answers={"text": [ANSWERS[i]], "answer_start": [STARTS[i]]}) for i in range(ROWS)])),
    _qa("empty answers, starts of -1", as_jsonl([_some_empty(i) for i in range(ROWS)])),
    _generation("ShareGPT", as_json(
        [{"id": str(i), "conversations": turns}
         for i, turns in enumerate(_messages("from", "value", user="human", assistant="gpt"))]), chat=True),
    _generation("messages", as_jsonl([{"messages": turns} for turns in _messages("role", "content")]), chat=True),
    _generation("Alpaca with system and history", as_json(ALPACA), chat=True),
    _generation("Alpaca, no chat template", as_json(ALPACA)),
    _generation("prompt and completion", as_csv(PROMPTS)),
    _generation("plain texts", as_jsonl([{"text": context} for context in CONTEXTS])),
    Kind("folder of raw texts", "masked-lm", _raw),
    Kind("lines of raw text", "causal-lm", lambda folder: put(folder / "a.txt", "\n".join(CONTEXTS) + "\n")),
)  # fmt: skip
